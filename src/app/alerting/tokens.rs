//! Token pairs of channels, kept with the history: the next pair is durable before it is used,
//! since the one before works no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::desk::{self, Desk};
use crate::alert::channel::{AtHand, StoreFuture, TokenPair, TokenStore};
use crate::app::lock;
use crate::history::History;
use crate::model::id::ChannelId;
use crate::model::secret::Secret;
use crate::model::time::Millis;

/// The store that the history is.
#[derive(Debug)]
pub(super) struct Tokens {
    desk: Arc<Desk>,
    history: History,
    /// What this process saved: newer than what can be read, while the disk refuses.
    saved: Mutex<HashMap<ChannelId, TokenPair>>,
    at_hand: AtHand,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    access: String,
    refresh: String,
    expires: Millis,
    origin: String,
}

impl Tokens {
    pub(super) fn new(desk: Arc<Desk>, history: History) -> Self {
        Self { desk, history, saved: Mutex::default(), at_hand: AtHand::default() }
    }
}

impl TokenStore for Tokens {
    fn load<'a>(&'a self, channel: &'a ChannelId) -> StoreFuture<'a, Option<TokenPair>> {
        Box::pin(async move {
            if let Some(pair) = lock(&self.saved).get(channel) {
                return Ok(Some(pair.clone()));
            }
            let (history, name) = (self.history.clone(), name(channel));
            let read = tokio::task::spawn_blocking(move || desk::secret(&history.reader()?, &name));
            let text = read.await.map_err(|it| it.to_string())?.map_err(|it| it.to_string())?;
            let stored: Option<Stored> = match text {
                None => None,
                Some(text) => Some(serde_json::from_str(&text).map_err(|it| it.to_string())?),
            };
            Ok(stored.map(|it| TokenPair {
                access: Secret::new(it.access),
                refresh: Secret::new(it.refresh),
                expires: it.expires,
                origin: it.origin,
            }))
        })
    }

    fn save<'a>(&'a self, channel: &'a ChannelId, pair: &'a TokenPair) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let stored = Stored {
                access: pair.access.reveal().to_owned(),
                refresh: pair.refresh.reveal().to_owned(),
                expires: pair.expires,
                origin: pair.origin.clone(),
            };
            let text = serde_json::to_string(&stored).map_err(|it| it.to_string())?;
            lock(&self.saved).insert(channel.clone(), pair.clone());
            self.desk.put_secret(&name(channel), text);
            let durable = self.desk.keep(&self.history).await;
            durable.then_some(()).ok_or_else(|| "the disk refuses".to_owned())
        })
    }

    fn at_hand(&self) -> &AtHand {
        &self.at_hand
    }
}

/// The name of a channel's pair.
fn name(channel: &ChannelId) -> String {
    format!("token/{channel}")
}
