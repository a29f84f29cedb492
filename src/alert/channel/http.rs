//! One HTTP request a message, made of templates; the answer says whether it was sent.
//!
//! Addresses hold tokens: nothing of a request is ever in an error, and what a server answers is
//! told only without the secrets that it may repeat.

mod fill;
mod judge;
pub(super) mod sign;
pub(super) mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{SenderError, Sent};
use crate::alert::message::Message;
use crate::model::alerting::channel::{Channel, HttpChannel};
use crate::model::time::Millis;
use fill::Templates;
use judge::{Answer, Judge};
use token::{TokenStore, Tokens};

/// Most bytes of an answer that are read: all that says whether it was sent is shorter.
pub const ANSWER_BYTES_MAX: usize = 65_536;

/// An HTTP channel, ready to send.
pub struct HttpSender {
    preset: &'static str,
    templates: Templates,
    judge: Judge,
    client: reqwest::Client,
    tokens: Option<Tokens>,
    timeout: Duration,
}

impl fmt::Debug for HttpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSender").field("preset", &self.preset).finish_non_exhaustive()
    }
}

impl HttpSender {
    /// Makes it ready: every template is tried on a sample.
    pub fn new(
        channel: &Channel,
        http: &HttpChannel,
        store: Arc<dyn TokenStore>,
    ) -> Result<Self, SenderError> {
        let client = client().map_err(SenderError::Tls)?;
        let tokens = http.token.clone().map(|exchange| {
            Tokens::new(channel.id.clone(), exchange, store, client.clone(), channel.timeout)
        });
        Ok(Self {
            preset: http.preset,
            templates: Templates::new(http)?,
            judge: Judge::new(&http.success)?,
            client,
            tokens,
            timeout: channel.timeout,
        })
    }

    /// Sends `message` to `to`. See [`super::Sender::send`] for how long it may take.
    pub async fn send(&self, to: &str, message: &Message, now: Millis) -> Sent {
        let Some(tokens) = &self.tokens else {
            return self.attempt(to, message, now, "").await.0;
        };
        let access = match tokens.access(now).await {
            Ok(access) => access,
            Err(sent) => return sent,
        };
        let (sent, expired) = self.attempt(to, message, now, access.reveal()).await;
        if !expired {
            return sent;
        }
        // The other side knows better than our clock; once, or two monitors with one token would
        // take it from each other for ever.
        match tokens.renewed(&access, now).await {
            Ok(access) => self.attempt(to, message, now, access.reveal()).await.0,
            Err(sent) => sent,
        }
    }

    /// One request, and whether it failed because the access token is no longer good.
    async fn attempt(
        &self,
        to: &str,
        message: &Message,
        now: Millis,
        access: &str,
    ) -> (Sent, bool) {
        let filled = match self.templates.fill(to, message, now, access) {
            Ok(filled) => filled,
            Err(why) => return (Sent::refused(why), false),
        };
        match tokio::time::timeout(self.timeout, self.ask(filled.request)).await {
            Err(_) => (Sent::later(format!("no complete answer within {:?}", self.timeout)), false),
            Ok(Err(error)) => (Sent::later(plain(error)), false),
            Ok(Ok(answer)) => {
                let sent = self.judge.judge(&answer, now, &filled.secrets);
                (sent, self.tokens.is_some() && token::has_expired(&answer))
            }
        }
    }

    async fn ask(&self, request: reqwest::Request) -> Result<Answer, reqwest::Error> {
        read(self.client.execute(request).await?, self.judge.reads_body()).await
    }
}

/// What came back, its body up to [`ANSWER_BYTES_MAX`] and one more to show that it was cut.
async fn read(mut response: reqwest::Response, needed: bool) -> Result<Answer, reqwest::Error> {
    let header = response.headers().get(reqwest::header::RETRY_AFTER);
    let mut answer = Answer {
        status: response.status().as_u16(),
        retry_after: header.and_then(|it| it.to_str().ok()).map(str::to_owned),
        body: Vec::new(),
    };
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // The status says all that is asked of it.
            Err(_) if !needed => break,
            Err(error) => return Err(error),
        };
        let room = (ANSWER_BYTES_MAX + 1).saturating_sub(answer.body.len());
        answer.body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if answer.body.len() > ANSWER_BYTES_MAX || !needed {
            break;
        }
    }
    Ok(answer)
}

/// An error of the client in a few words, without the address.
fn plain(error: reqwest::Error) -> String {
    let what = if error.is_connect() { "connect" } else { "request" };
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |it| it.source());
    let cause = causes.last().map(ToString::to_string).unwrap_or_default();
    format!("{what}: {}", crate::alert::message::tamed(&cause))
}

/// A client that trusts what the system trusts, follows nothing, and keeps no connection: between
/// two alerts every one of them would have died.
fn client() -> Result<reqwest::Client, String> {
    let tls = super::trust::system_tls().map_err(|error| error.to_string())?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("thongsuot/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| error.to_string())
}
