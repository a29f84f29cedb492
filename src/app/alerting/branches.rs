//! The tasks that a configuration calls for: a loop for each channel and each Alertmanager, the
//! dead man's switch, and the watch on other monitors.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::post::Post;
use super::{Alerting, health, peers, switch};
use crate::alert::channel::Sender;
use crate::alert::channel::alertmanager::Client;
use crate::alert::channel::alertmanager::status::Status;
use crate::app::lock;
use crate::config::Config;
use crate::model::alerting::channel::Alertmanager;
use crate::model::time::Millis;

/// What is under way may end within this; then it is cut, and sent again later.
const GRACE: Duration = Duration::from_secs(12);

/// The tasks of one configuration.
#[derive(Debug)]
pub(super) struct Branches {
    config: Arc<Config>,
    tasks: JoinSet<()>,
    /// Tasks of configurations before it, which end what they have under way.
    leaving: JoinSet<()>,
    stop: CancellationToken,
}

impl Branches {
    /// Starts them all; `old` was in force before. A channel that can't be set up (no such
    /// configuration comes into force) is left out, and the monitor tells so.
    pub(super) fn open(alerting: &Arc<Alerting>, old: Option<&Config>) -> Self {
        let config = alerting.reloader.current();
        health::warn_of_holes(&config, alerting.clock.now());
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        open_channels(alerting, &config, &mut tasks, &stop);
        open_alertmanagers(alerting, (&config, old), &mut tasks, &stop);
        if let Some(dead_man) = &config.alerting.heartbeat {
            tasks.spawn(switch::run(Arc::clone(alerting), dead_man.clone(), stop.clone()));
        }
        peers::keep(&mut lock(&lock(&alerting.health).peers), &config.alerting.peers);
        for peer in &config.alerting.peers {
            tasks.spawn(peers::run(Arc::clone(alerting), peer.clone(), stop.clone()));
        }
        Self { config, tasks, leaving: JoinSet::new(), stop }
    }

    /// Starts those of the configuration that is in force now, unless it asks for the same. Those
    /// of the one before end what they have under way and are not waited for: a server that hangs
    /// must not keep the others from being told.
    pub(super) fn replace(&mut self, alerting: &Arc<Alerting>) {
        let config = alerting.reloader.current();
        if are_alike(&self.config, &config) {
            return;
        }
        self.stop.cancel();
        let mut new = Self::open(alerting, Some(&self.config));
        std::mem::swap(&mut new.leaving, &mut self.leaving);
        while new.leaving.try_join_next().is_some() {}
        let mut old = std::mem::replace(self, new);
        self.leaving.spawn(async move { while old.tasks.join_next().await.is_some() {} });
    }

    /// Waits for a task that ends before it is asked to, which none should.
    pub(super) async fn death(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Err(panic)) => panic.to_string(),
            Some(Ok(())) => "a channel's task ended by itself".to_owned(),
            None => std::future::pending().await,
        }
    }

    /// Ends them: what is under way ends, nothing new begins.
    pub(super) async fn close(&mut self) {
        self.stop.cancel();
        let rest = async {
            while self.tasks.join_next().await.is_some() {}
            while self.leaving.join_next().await.is_some() {}
        };
        if timeout(GRACE, rest).await.is_err() {
            warn!("messages under way are cut short; they are sent again");
            self.tasks.abort_all();
        }
    }
}

/// Whether the tasks of one configuration do for the other. Templates in files may have changed.
fn are_alike(old: &Config, new: &Config) -> bool {
    old.alerting == new.alerting
        && old.roster.holidays == new.roster.holidays
        && new.alerting.templates.is_none()
}

/// How an Alertmanager is doing, by what is known of those of `before`.
fn status(
    settings: &Arc<Alertmanager>,
    before: &[(&Arc<Alertmanager>, watch::Receiver<Status>)],
    now: Millis,
) -> Status {
    let known = before.iter().find(|it| it.0 == settings);
    known.map_or_else(|| Status::new(settings, now), |it| it.1.borrow().clone())
}

fn open_channels(
    alerting: &Arc<Alerting>,
    config: &Config,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) {
    let (office, now) = (alerting.office(), alerting.clock.now());
    let mut unusable = BTreeMap::new();
    for channel in &config.alerting.channels {
        match Sender::new(channel, &alerting.tokens) {
            Ok(sender) => {
                let post = Post {
                    channel: Arc::clone(channel),
                    sender: Arc::new(sender),
                    office: Arc::clone(&office),
                };
                tasks.spawn(post.run(stop.clone()));
            }
            Err(why) => {
                warn!(channel = %channel.id, %why, "the channel can't be set up");
                unusable.insert(channel.id.to_string(), (now, why.to_string()));
            }
        }
    }
    lock(&alerting.health).unusable = unusable;
}

/// An Alertmanager that stays as it was is known as it was: a reload gives a dead one no new time.
fn open_alertmanagers(
    alerting: &Arc<Alerting>,
    (config, old): (&Config, Option<&Config>),
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) {
    let now = alerting.clock.now();
    let mut statuses = lock(&alerting.statuses);
    let before = old.map(|it| it.alerting.alertmanagers.as_slice()).unwrap_or_default();
    let before: Vec<_> = before.iter().zip(std::mem::take(&mut *statuses)).collect();
    for settings in &config.alerting.alertmanagers {
        let (tell, told) = watch::channel(status(settings, &before, now));
        statuses.push(told);
        let client = match Client::new(settings) {
            Ok(client) => client,
            Err(why) => {
                warn!(%why, "the Alertmanager can't be told of anything");
                tell.send_modify(|it| it.why = Some(why.to_string()));
                continue;
            }
        };
        let (clock, wanted) = (alerting.clock.clone(), alerting.wanted.subscribe());
        let stop = stop.clone();
        tasks.spawn(async move {
            if let Err(why) = client.run(wanted, move || clock.now(), tell, stop).await {
                warn!(why, "an Alertmanager is not told any more");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_str;

    fn config(url: &str, system: &str) -> Config {
        let text = format!(
            "[monitor]\nvantage = \"v\"\n[[alertmanager]]\nurl = \"{url}\"\n[[owner]]\nid = \"o\"\nname = \"O\"\n\
             [[system]]\nid = \"{system}\"\nowner = \"o\"\nname = \"S\"\n\
             [[system.check]]\nid = \"{system}-c\"\nkind = \"http\"\n\
             url = \"http://a.example/\"\n"
        );
        parse_str("t.toml", &text).unwrap_or_else(|it| panic!("{it}"))
    }

    #[test]
    fn only_a_change_of_alerting_starts_its_tasks_anew() {
        let old = config("http://am-1:9093/", "a");
        assert!(are_alike(&old, &config("http://am-1:9093/", "b")));
        assert!(!are_alike(&old, &config("http://am-2:9093/", "a")));
    }

    #[test]
    fn an_alertmanager_that_stays_is_known_as_it_was() {
        let [same, other] = ["http://am-1:9093/", "http://am-2:9093/"].map(|it| config(it, "a"));
        let [same, other] = [same, other].map(|it| Arc::clone(&it.alerting.alertmanagers[0]));
        let dead = Status { last_accepted: Some(Millis(5)), ..Status::new(&same, Millis(1)) };
        let before = [(&same, watch::channel(dead.clone()).1)];
        assert_eq!(status(&same, &before, Millis(9)), dead);
        assert_eq!(status(&other, &before, Millis(9)), Status::new(&other, Millis(9)));
    }
}
