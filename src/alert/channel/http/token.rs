//! Token pairs of which the refreshing one works once (Zalo OA and ZNS).
//!
//! A pair that is lost can't be had again but by a person. So a new pair is saved before it is
//! used, nobody else exchanges meanwhile, and a pair that could not be saved stays in memory and
//! is saved before anything else.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::judge::Answer;
use super::{plain, read};
use crate::alert::channel::Sent;
use crate::alert::message::tamed;
use crate::model::alerting::channel::TokenExchange;
use crate::model::bytes::hex;
use crate::model::id::ChannelId;
use crate::model::secret::Secret;
use crate::model::time::Millis;

/// An access token is renewed so long before it ends: clocks differ, requests take time.
const EARLY_MS: i64 = 300_000;

/// Life of an access token if the answer does not tell it; Zalo's is about 25 hours.
const LIFE_S_DEFAULT: i64 = 3_600;

/// Longest believed life of an access token.
const LIFE_S_MAX: i64 = 30 * 86_400;

/// The refresh token was used before: only a person can authorise again.
const USED_UP: i64 = -14_020;

/// The access token has expired.
const EXPIRED: i64 = -216;

/// What a store gives back.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Keeps token pairs durably. An error is in a few words, without secrets.
pub trait TokenStore: Send + Sync + fmt::Debug {
    /// The pair of a channel; `None`: never saved.
    fn load<'a>(&'a self, channel: &'a ChannelId) -> StoreFuture<'a, Option<TokenPair>>;

    /// Keeps the pair of a channel in place of any other; durable when it returns.
    fn save<'a>(&'a self, channel: &'a ChannelId, pair: &'a TokenPair) -> StoreFuture<'a, ()>;

    /// The pairs that are at hand. All who may exchange tokens of one channel must share them.
    fn at_hand(&self) -> &AtHand;
}

/// The pairs at hand, by channel and by the token that a chain began with. After a reload the senders of
/// the configuration before still end what they have under way: they share pair and lock with the new
/// ones, or both would use one refresh token.
#[derive(Default)]
pub struct AtHand(std::sync::Mutex<HashMap<(ChannelId, String), Cell>>);

/// One pair, locked over a whole exchange: two at once would use one refresh token twice.
type Cell = Arc<Mutex<Option<Held>>>;

impl fmt::Debug for AtHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtHand(***)")
    }
}

impl AtHand {
    fn cell(&self, channel: &ChannelId, origin: String) -> Cell {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody uses any more are in the store.
        cells.retain(|_, it| Arc::strong_count(it) > 1);
        Arc::clone(cells.entry((channel.clone(), origin)).or_default())
    }
}

/// A pair in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPair {
    /// Proves who we are until it expires.
    pub access: Secret,
    /// Works once, for the next pair.
    pub refresh: Secret,
    /// When the access token ends.
    pub expires: Millis,
    /// SHA-256 of the configured refresh token that the chain of pairs began with: another one
    /// in the configuration begins a new chain.
    pub origin: String,
}

/// The pair that is at hand.
struct Held {
    pair: TokenPair,
    saved: bool,
}

/// The tokens of one channel.
pub(super) struct Tokens {
    channel: ChannelId,
    exchange: TokenExchange,
    store: Arc<dyn TokenStore>,
    client: reqwest::Client,
    timeout: Duration,
    held: Cell,
}

impl Tokens {
    pub(super) fn new(
        channel: ChannelId,
        exchange: TokenExchange,
        store: Arc<dyn TokenStore>,
        client: reqwest::Client,
        timeout: Duration,
    ) -> Self {
        let held = store.at_hand().cell(&channel, origin(&exchange));
        Self { channel, exchange, store, client, timeout, held }
    }

    /// An access token that is good by our clock.
    pub(super) async fn access(&self, now: Millis) -> Result<Secret, Sent> {
        self.good(now, |pair| pair.expires.since(now) > EARLY_MS).await
    }

    /// Another access token than `old`, which the other side does not take any more.
    pub(super) async fn renewed(&self, old: &Secret, now: Millis) -> Result<Secret, Sent> {
        self.good(now, |pair| pair.access != *old).await
    }

    async fn good(
        &self,
        now: Millis,
        is_good: impl Fn(&TokenPair) -> bool,
    ) -> Result<Secret, Sent> {
        let mut held = self.held.lock().await;
        if held.is_none() {
            let stored = self.store.load(&self.channel).await.map_err(|why| {
                Sent::later(format!("the token pair can't be read: {}", tamed(&why)))
            })?;
            let ours = stored.filter(|it| it.origin == origin(&self.exchange));
            *held = ours.map(|pair| Held { pair, saved: true });
        }
        if !held.as_ref().is_some_and(|it| is_good(&it.pair)) {
            let refresh = held.as_ref().map_or(&self.exchange.refresh_token, |it| &it.pair.refresh);
            let pair = self.exchanged(refresh, now).await?;
            *held = Some(Held { pair, saved: false });
        }
        let Some(held) = held.as_mut() else { return Err(Sent::later("there is no token")) };
        if !held.saved {
            self.store.save(&self.channel, &held.pair).await.map_err(|why| {
                Sent::later(format!("the new token pair can't be saved: {}", tamed(&why)))
            })?;
            held.saved = true;
        }
        Ok(held.pair.access.clone())
    }

    /// A new pair for `refresh`, which is used up by asking.
    async fn exchanged(&self, refresh: &Secret, now: Millis) -> Result<TokenPair, Sent> {
        let form = [
            ("refresh_token", refresh.reveal()),
            ("app_id", self.exchange.app_id.as_str()),
            ("grant_type", "refresh_token"),
        ];
        let request = self
            .client
            .post(self.exchange.url.clone())
            .header("secret_key", self.exchange.secret_key.reveal())
            .form(&form);
        let asked = async { read(request.send().await?, true).await };
        let answer = match tokio::time::timeout(self.timeout, asked).await {
            Err(_) => {
                let why = format!("token: no complete answer within {:?}", self.timeout);
                return Err(Sent::later(why));
            }
            Ok(Err(error)) => return Err(Sent::later(format!("token: {}", plain(error)))),
            Ok(Ok(answer)) => answer,
        };
        self.pair(&answer, now)
    }

    /// The pair in an answer. Nothing of the answer is told but its number: it is made of secrets.
    fn pair(&self, answer: &Answer, now: Millis) -> Result<TokenPair, Sent> {
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |name: &str| value[name].as_str().filter(|it| !it.is_empty());
        if let (Some(access), Some(refresh)) = (text("access_token"), text("refresh_token")) {
            let life_s = number(&value["expires_in"]).unwrap_or(LIFE_S_DEFAULT);
            return Ok(TokenPair {
                access: Secret::new(access.to_owned()),
                refresh: Secret::new(refresh.to_owned()),
                expires: now.plus_ms(life_s.clamp(0, LIFE_S_MAX) * 1_000),
                origin: origin(&self.exchange),
            });
        }
        let error = number(&value["error"]);
        if error == Some(USED_UP) {
            return Err(Sent::refused(
                "the refresh token was used before (error -14020): authorise the official account \
                 again and put the new refresh token into the configuration",
            ));
        }
        let error = error.map_or_else(String::new, |it| format!(" with error {it}"));
        Err(Sent::later(format!("token: answers {}{error}", answer.status)))
    }
}

/// What a chain of pairs began with.
fn origin(exchange: &TokenExchange) -> String {
    hex(&Sha256::digest(exchange.refresh_token.reveal().as_bytes()))
}

/// Whether an answer says that the access token is no longer good.
pub(super) fn has_expired(answer: &Answer) -> bool {
    let error = || {
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        number(&value["error"])
    };
    answer.status == 401 || error() == Some(EXPIRED)
}

/// A number, also one that is written as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
