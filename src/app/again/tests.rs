//! Live is batch (P13) also after a reload with another `K`, and after late results.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::app::pipeline::Pipeline;
use crate::app::runs::Finished;
use crate::app::settings;
use crate::availability::live::Alarm;
use crate::availability::sketch;
use crate::config::{Config, parse_str};
use crate::history::Settings;
use crate::model::observation::{Detail, Observation};
use crate::model::result::RunResult;
use crate::model::state::State;
use crate::model::system::Roster;
use crate::model::time::Millis;
use crate::schedule::core::Job;

const NOW: i64 = 1_800_000_000_000;
const STEP_MS: i64 = 29_000;

fn config(confirm: u8) -> Config {
    let text = format!(
        "[monitor]\nvantage = \"hn-1\"\n[[owner]]\nid = \"bca\"\nname = \"B\"\n[[system]]\nid = \"s\"\n\
         owner = \"bca\"\nname = \"S\"\n[[system.check]]\nid = \"c\"\nkind = \"http\"\n\
         url = \"http://a.example/\"\ninterval = \"30s\"\nconfirm = {confirm}\n"
    );
    parse_str("t.toml", &text).unwrap_or_else(|it| panic!("{it}"))
}

/// The pipeline and the reader of pasts, and all results so far.
struct Scene {
    events: mpsc::Sender<Event>,
    watch: Shared,
    clock: Clock,
    roster: Arc<Roster>,
    results: Vec<RunResult>,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), String>>,
}

/// What a live check says, as far as a cut-off past can tell.
type Said = (State, Alarm, Option<Millis>);

impl Scene {
    async fn new(confirm: u8) -> Self {
        let config = config(confirm);
        let history = History::open(Settings::default(), None).unwrap();
        let (clock, watch, asked) =
            (Clock::simulated(Millis(NOW)), Shared::default(), Arc::<Notify>::default());
        let (events, incoming) = mpsc::channel(64);
        let vantage = config.monitor.vantage.clone();
        let pipeline = Pipeline {
            clock: clock.clone(),
            vantage: vantage.clone(),
            history: history.clone(),
            metrics: Arc::new(settings::metrics(&config).unwrap()),
            schedule: mpsc::channel(1).0,
            watch: Arc::clone(&watch),
            again: Arc::clone(&asked),
            alarmed: Arc::default(),
            looked: Arc::<AtomicI64>::default(),
        };
        let past = PastAgain {
            clock: clock.clone(),
            vantage,
            notices: Arc::new(Notices::read(&history.reader().unwrap()).unwrap()),
            history,
            watch: Arc::clone(&watch),
            asked,
            events: events.clone(),
        };
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(pipeline.run(incoming, stop.clone()));
        tasks.spawn(past.run(stop.clone()));
        let (roster, results) = (Arc::new(config.roster), Vec::new());
        let mut scene = Self { events, watch, clock, roster, results, stop, tasks };
        scene.adopt(confirm).await;
        scene
    }

    async fn adopt(&mut self, confirm: u8) {
        self.roster = Arc::new(config(confirm).roster);
        let (done, adopted) = oneshot::channel();
        let (roster, restored) = (Arc::clone(&self.roster), HashMap::new());
        let at = self.clock.now();
        self.events.send(Event::Adopt { roster, restored, at, done }).await.unwrap();
        adopted.await.unwrap();
    }

    /// A run that started so many steps before [`NOW`] has ended.
    async fn run(&mut self, steps_ago: i64, shows: char) {
        let Some(result) = sketch::result(NOW - steps_ago * STEP_MS, shows, 100) else { return };
        let job = Job {
            check: Arc::clone(self.roster.checks().next().unwrap()),
            lane: result.lane,
            due: result.due,
            kind: result.kind,
            run: result.run,
            planned_us: result.due.0 * 1_000,
        };
        let observation = Observation {
            reason: result.reason,
            phases: result.phases,
            status: None,
            bytes: 0,
            reused: false,
            retry_after: None,
            tls_not_after: None,
            detail: Box::<Detail>::default(),
        };
        let (started, lateness) = (result.started, result.lateness);
        let finished = Finished { job, started, lateness, observation };
        self.events.send(Event::Finished(Box::new(finished))).await.unwrap();
        self.results.push(result);
    }

    /// One result a step, the last one `last` steps before [`NOW`].
    async fn runs(&mut self, last: i64, sketch: &str) {
        let first = last + i64::try_from(sketch.chars().count()).unwrap() - 1;
        for (steps_ago, shows) in (last..=first).rev().zip(sketch.chars()) {
            self.run(steps_ago, shows).await;
        }
    }

    fn said(live: &LiveCheck, now: Millis) -> Said {
        let state = live.present(now);
        let since = (state == State::Down).then(|| live.present_since(now)).flatten();
        (state, live.alarm(), since)
    }

    /// What the live state says.
    fn live(&self) -> Said {
        let watch = watched::lock(&self.watch);
        Self::said(&watch.checks.values().next().unwrap().live, Millis(NOW))
    }

    /// What all results say, taken in order.
    fn batch(&self) -> Said {
        let mut results = self.results.clone();
        results.sort_by_key(|it| it.started);
        let mut live = LiveCheck::new(self.roster.checks().next().unwrap());
        for result in &results {
            live.note(result);
        }
        Self::said(&live, Millis(NOW))
    }

    /// Waits until both say the same.
    async fn agrees(&self, what: &str) {
        let agree = async {
            while self.live() != self.batch() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let agreed = timeout(Duration::from_secs(30), agree).await;
        assert!(agreed.is_ok(), "{what}: live {:?}, batch {:?}", self.live(), self.batch());
    }

    async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn another_k_counts_for_the_past_too() {
    let long = "o".repeat(30);
    for (old, new, sketch) in [
        (1, 3, format!("{long}x")),
        (1, 3, format!("{long}xxoxo")),
        (3, 1, format!("{long}ooxooooooooxooooooxx")),
        (3, 10, "xxxxxxxxo".repeat(4) + "xxx"),
        (10, 2, format!("xx{}x", "ooox".repeat(12))),
        (2, 5, "xxoooooooo".repeat(3) + "xxoox"),
    ] {
        let mut scene = Scene::new(old).await;
        scene.runs(4, &sketch).await;
        scene.agrees("before").await;
        scene.adopt(new).await;
        // What comes while the past is read belongs to it.
        for (steps_ago, shows) in [(3, 'x'), (2, 'o'), (1, 'x'), (0, 'x')] {
            scene.run(steps_ago, shows).await;
        }
        scene.agrees(&format!("{old} to {new}: {sketch}")).await;
        scene.end().await;
    }
}

#[tokio::test]
async fn an_alert_that_another_k_would_not_have_opened_is_closed() {
    let mut scene = Scene::new(1).await;
    scene.runs(0, &("o".repeat(30) + "x")).await;
    scene.agrees("before").await;
    assert_eq!(scene.live().1, Alarm::Down);
    scene.adopt(3).await;
    scene.agrees("after").await;
    assert_eq!(scene.live().1, Alarm::Quiet);
    scene.end().await;
}

#[tokio::test]
async fn a_result_that_comes_too_late_to_be_placed_is_found_in_the_history() {
    let mut scene = Scene::new(3).await;
    let bad = "x".repeat(14) + "." + &"x".repeat(36);
    scene.runs(1, &("o".repeat(12) + &bad)).await;
    scene.agrees("before").await;
    let before = scene.live();
    assert_eq!(before.0, State::Down);
    // The good one in the middle, and others after it before anybody has read it.
    scene.run(37, 'o').await;
    scene.run(0, 'x').await;
    scene.agrees("after").await;
    assert!(scene.live().2 > before.2, "down since the late one");
    scene.end().await;
}
