//! The tasks that a configuration calls for: a loop for each channel and each Alertmanager, the
//! dead man's switch, and the watch on other monitors.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::post::Post;
use super::tokens::Tokens;
use super::{Alerting, health, peers, switch};
use crate::alert::channel::alertmanager::Client;
use crate::alert::channel::{Sender, TokenStore};
use crate::app::lock;

/// What is under way may end within this; then it is cut, and sent again later.
const GRACE: Duration = Duration::from_secs(12);

/// The tasks of one configuration.
#[derive(Debug)]
pub(super) struct Branches {
    tasks: JoinSet<()>,
    /// Tasks of configurations before it, which end what they have under way.
    leaving: JoinSet<()>,
    stop: CancellationToken,
}

impl Branches {
    /// Starts them all.
    ///
    /// # Errors
    ///
    /// If a channel or an Alertmanager can't be talked to at all: a root or a certificate that
    /// can't be used.
    pub(super) fn open(alerting: &Arc<Alerting>) -> Result<Self, String> {
        let (config, office) = (alerting.reloader.current(), alerting.office());
        health::warn_of_holes(&config, alerting.clock.now());
        let tokens: Arc<dyn TokenStore> =
            Arc::new(Tokens::new(Arc::clone(&alerting.desk), alerting.history.clone()));
        let mut tasks = JoinSet::new();
        let stop = CancellationToken::new();
        for channel in &config.alerting.channels {
            let sender = Sender::new(channel, &tokens).map_err(|it| it.to_string())?;
            let post = Post {
                channel: Arc::clone(channel),
                sender: Arc::new(sender),
                office: Arc::clone(&office),
            };
            tasks.spawn(post.run(stop.clone()));
        }
        let mut statuses = Vec::new();
        for settings in &config.alerting.alertmanagers {
            let client = Client::new(settings).map_err(|it| it.to_string())?;
            let (tell, told) = watch::channel(client.status(alerting.clock.now()));
            let (clock, wanted) = (alerting.clock.clone(), alerting.wanted.subscribe());
            let stop = stop.clone();
            tasks.spawn(async move {
                if let Err(why) = client.run(wanted, move || clock.now(), tell, stop).await {
                    warn!(why, "an Alertmanager is not told any more");
                }
            });
            statuses.push(told);
        }
        *lock(&alerting.statuses) = statuses;
        if let Some(dead_man) = &config.alerting.heartbeat {
            tasks.spawn(switch::run(Arc::clone(alerting), dead_man.clone(), stop.clone()));
        }
        peers::keep(&mut lock(&lock(&alerting.health).peers), &config.alerting.peers);
        for peer in &config.alerting.peers {
            tasks.spawn(peers::run(Arc::clone(alerting), peer.clone(), stop.clone()));
        }
        Ok(Self { tasks, leaving: JoinSet::new(), stop })
    }

    /// Starts those of the configuration that is in force now. Those of the one before end what
    /// they have under way and are not waited for: a server that hangs must not keep the others
    /// from being told.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub(super) fn replace(&mut self, alerting: &Arc<Alerting>) -> Result<(), String> {
        self.stop.cancel();
        let mut new = Self::open(alerting)?;
        std::mem::swap(&mut new.leaving, &mut self.leaving);
        while new.leaving.try_join_next().is_some() {}
        let mut old = std::mem::replace(self, new);
        self.leaving.spawn(async move { while old.tasks.join_next().await.is_some() {} });
        Ok(())
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
