//! What the web asks for, answered from the live state, the history and the reloader.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use super::alerting::Alerting;
use super::notices::Notices;
use super::probes::Probes;
use super::reload::Reloader;
use super::settings;
use super::watched::{self, Shared, Watched};
use crate::clock::Clock;
use crate::config::Config;
use crate::history::{Cursor, Filter, History, HistoryError, Reader};
use crate::model::alerting::Language;
use crate::model::id::{CheckId, SystemId};
use crate::model::reason::Reason;
use crate::model::result::VoidSpan;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::Roster;
use crate::model::time::Millis;
use crate::web::duty::{Act, ActError, AlertSeen, By, Duty, LinkSeen, TeamSeen};
use crate::web::probe::{ProbeAsk, ProbeRefusal, Prober};
use crate::web::source::{
    Announcer, Beat, BeatError, CheckNow, IncidentSeen, JudgeFailure, Maintenance,
    MaintenanceChange, MaintenanceError, NewMaintenance, Reloaded, ResultsError, ResultsPage,
    ResultsQuery, Snapshot, Source, Standing, SystemFigures,
};

/// The app, as the web sees it.
#[derive(Debug)]
pub(super) struct AppSource {
    pub(super) clock: Clock,
    pub(super) watch: Shared,
    pub(super) notices: Arc<Notices>,
    pub(super) history: History,
    pub(super) reloader: Arc<Reloader>,
    pub(super) ready: Arc<AtomicBool>,
    pub(super) alerting: Arc<Alerting>,
    pub(super) probes: Arc<Probes>,
}

impl Prober for AppSource {
    async fn probe(&self, ask: ProbeAsk) -> Result<String, ProbeRefusal> {
        self.probes.probe(ask).await
    }
}

impl AppSource {
    /// What is in force.
    pub(super) fn config(&self) -> Arc<Config> {
        self.reloader.current()
    }

    /// What is later than this does not count.
    pub(super) fn now_for_judging(&self) -> Millis {
        self.clock.now()
    }

    /// Runs `ask` with a reader where blocking is allowed.
    async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, ResultsError> {
        let history = self.history.clone();
        let unavailable = |why: String| ResultsError::Unavailable(why);
        let answer = placed(&READS, move || ask(&history.reader()?)).await;
        answer.map_err(unavailable)?.map_err(|error| unavailable(error.to_string()))
    }
}

/// Most reads of the history at once, those that nobody waits for any more included. As many as
/// the web has large answers under way.
const READS_MAX: usize = 8;

/// Places of the process for reads of the history.
static READS: Semaphore = Semaphore::const_new(READS_MAX);

/// Runs `work` where blocking is allowed once there is a place. It keeps the place until it is
/// done, also if nobody waits for it any more: it can't be stopped.
async fn placed<T: Send + 'static>(
    places: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let place = places.acquire().await.map_err(|closed| closed.to_string())?;
    let done = tokio::task::spawn_blocking(move || {
        let answer = work();
        drop(place);
        answer
    });
    done.await.map_err(|panic| panic.to_string())
}

impl Announcer for AppSource {
    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn maintenance(&self) -> Vec<Maintenance> {
        self.notices.all(&self.reloader.current().roster, self.clock.now())
    }

    async fn announce(&self, new: NewMaintenance) -> Result<Maintenance, MaintenanceError> {
        let config = self.reloader.current();
        self.notices.add(new, &config.roster, &self.history, self.clock.now()).await
    }

    async fn change_maintenance(
        &self,
        id: String,
        change: MaintenanceChange,
    ) -> Result<Maintenance, MaintenanceError> {
        let (config, now) = (self.reloader.current(), self.clock.now());
        self.notices.change(&id, change, &config.roster, &self.history, now).await
    }
}

impl Duty for AppSource {
    fn alerts(&self) -> Vec<AlertSeen> {
        self.alerting.alerts()
    }

    fn alert(&self, id: &str) -> Option<AlertSeen> {
        self.alerting.alert(id)
    }

    fn on_call(&self) -> Vec<TeamSeen> {
        self.alerting.on_call()
    }

    fn language(&self) -> Language {
        self.alerting.language()
    }

    fn name_of(&self, who: &str) -> String {
        self.alerting.name_of(who)
    }

    fn link(&self, token: &str) -> Result<LinkSeen, ActError> {
        self.alerting.link(token)
    }

    async fn act(&self, by: By, act: Act) -> Result<AlertSeen, ActError> {
        self.alerting.act(by, act).await
    }

    async fn drill(&self, team: Option<String>, who: String) -> Result<AlertSeen, ActError> {
        if let Err(waiting) = self.ready() {
            let hint = "try again in a few seconds".to_owned();
            return Err(ActError::Wrong(format!("not ready: {waiting}"), hint));
        }
        self.alerting.drill(team, who).await
    }
}

impl Source for AppSource {
    fn snapshot(&self) -> Arc<Snapshot> {
        let now = self.clock.now();
        let watch = watched::lock(&self.watch);
        let mut systems = HashMap::new();
        for system in &watch.roster.systems {
            if let Some(standing) = watch.systems.get(&system.id) {
                let worst = system.checks.iter().filter_map(|it| watch.checks.get(&it.id));
                let decides = |it: &Watched| it.live.present(now) == standing.state;
                let reason = worst.filter(|it| decides(it)).find_map(|it| why(it, standing.state));
                let standing =
                    Standing { state: standing.state, since: Some(standing.since), reason };
                systems.insert(system.id.clone(), standing);
            }
        }
        let checks = watch.checks.iter().map(|(id, it)| (id.clone(), check_now(it, now)));
        Arc::new(Snapshot {
            at: now,
            vantage: self.reloader.vantage().clone(),
            roster: Arc::clone(&watch.roster),
            systems,
            checks: checks.collect(),
            maintained: Arc::clone(&watch.maintained),
        })
    }

    fn roster(&self) -> Arc<Roster> {
        Arc::clone(&watched::lock(&self.watch).roster)
    }

    fn newest_result(&self) -> Option<Millis> {
        let watch = watched::lock(&self.watch);
        watch.checks.values().filter_map(|it| Some(it.last.as_ref()?.started)).max()
    }

    fn ready(&self) -> Result<(), String> {
        if !self.ready.load(Ordering::Acquire) {
            return Err("the first slots are not scheduled yet".to_owned());
        }
        match self.history.stats().failing {
            0 => Ok(()),
            failed => Err(format!(
                "results can't be stored and wait in memory (tries that failed in a row: {failed})"
            )),
        }
    }

    async fn results(&self, query: ResultsQuery) -> Result<ResultsPage, ResultsError> {
        let cursor: Option<Cursor> = match &query.cursor {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| ResultsError::Cursor)?),
        };
        let page = self.read(move |reader| {
            let filter = Filter { lane: query.lane, vantage: query.vantage };
            reader.results(&query.check, query.span, &filter, cursor.as_ref(), query.limit)
        });
        let page = page.await?;
        Ok(ResultsPage { results: page.results, next: page.next.map(|it| it.to_string()) })
    }

    async fn void_spans(
        &self,
        check: CheckId,
        span: Span,
        limit: usize,
    ) -> Result<Vec<VoidSpan>, ResultsError> {
        self.read(move |reader| reader.void_spans(&check, span, limit)).await
    }

    async fn figures(
        &self,
        system: SystemId,
        span: Span,
    ) -> Result<Option<SystemFigures>, JudgeFailure> {
        self.figures_of(system, span).await
    }

    async fn incidents(
        &self,
        system: Option<SystemId>,
        span: Span,
    ) -> Result<Vec<IncidentSeen>, JudgeFailure> {
        self.incidents_in(system, span).await
    }

    async fn reload(&self) -> Result<Reloaded, Vec<String>> {
        self.reloader.reload_apart("request").await
    }

    async fn beat(
        &self,
        check: &CheckId,
        token: &str,
        at: Millis,
        beat: Beat,
    ) -> Result<(), BeatError> {
        self.reloader.beat(check, token, at, &beat).ok_or(BeatError::Denied)
    }
}

/// What explains a state, if it needs an explanation.
fn why(watched: &Watched, state: State) -> Option<Reason> {
    let last = watched.last.as_ref().map(|it| it.reason);
    match state {
        State::Up => None,
        State::Slow => Some(Reason::OverSlow),
        State::Unknown => last.filter(|it| it.outcome().testimony().is_none()),
        State::Partial | State::Down => watched.live.fault(),
    }
}

fn check_now(watched: &Watched, now: Millis) -> CheckNow {
    let grid = settings::grid(&watched.check);
    let next = grid.due_us(grid.first_from(now.0 * 1_000));
    let state = watched.live.present(now);
    let reason = why(watched, state);
    CheckNow {
        standing: Standing { state, since: watched.live.present_since(now), reason },
        last: watched.last.clone(),
        why: watched.why.clone(),
        step_us: grid.step_us(),
        phase_us: grid.due_us(0),
        next_due: Some(Millis(next.div_euclid(1_000))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_place_until_it_is_done() {
        static PLACES: Semaphore = Semaphore::const_new(1);
        let (go, gone) = mpsc::channel::<()>();
        let slow = placed(&PLACES, move || gone.recv());
        assert!(timeout(Duration::from_millis(50), slow).await.is_err());
        assert_eq!(PLACES.available_permits(), 0);
        drop(go);
        assert_eq!(placed(&PLACES, || 7).await, Ok(7));
    }
}
