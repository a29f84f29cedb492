//! Channels: each sends one message to one address and says what came of it.
//!
//! Nothing here remembers or retries: the outbox does. What comes back of a failure is fit for a
//! log and a page: without secrets, tamed, short.

pub mod alertmanager;
pub mod trust;
mod email;
mod hide;
mod http;

use std::sync::Arc;
use std::time::Duration;

use super::message::Message;
use crate::model::alerting::channel::{Channel, ChannelKind};
use crate::model::time::Millis;

pub use email::EmailSender;
pub use http::sign::signature;
pub use http::token::{AtHand, StoreFuture, TokenPair, TokenStore};
pub use http::{ANSWER_BYTES_MAX, HttpSender};

/// Longest wait that the other side can ask for: a page must not sleep for a day.
pub const AFTER_MAX: Duration = Duration::from_hours(1);

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Taken over by the other side; with its id of the message, if it gave one.
    Accepted {
        /// The other side's id.
        id: Option<String>,
    },
    /// Not now: down, slow, too many requests, greylisted.
    Later {
        /// Why, in a few words, without secrets.
        why: String,
        /// When the other side wants to be asked again; at most [`AFTER_MAX`].
        after: Option<Duration>,
    },
    /// Never: this address or this message is refused for good.
    Refused {
        /// Why, in a few words, without secrets.
        why: String,
    },
}

impl Sent {
    /// Not now, for this reason.
    pub(super) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }

    /// Never, for this reason.
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }
}

/// Why a channel can't be used as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// The sender is not a mailbox.
    #[error("`from` is not a mailbox: write, for example, `Giám sát <giamsat@example.gov.vn>`")]
    From,
    /// A root certificate can't be read.
    #[error("a root certificate of the channel can't be used: {0}")]
    Roots(String),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
    /// A template is broken.
    #[error("the template of {part}{} is broken: {problem}", line.map(|it| format!(", line {it},")).unwrap_or_default())]
    Template {
        /// `the address`, `the body`, or which header.
        part: String,
        /// The line in it, from 1.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A method, header name or path that is none.
    #[error("{what} `{text}` is not valid")]
    Invalid {
        /// What it should be.
        what: &'static str,
        /// As written.
        text: String,
    },
}

/// A channel, ready to send.
#[derive(Debug)]
pub enum Sender {
    /// SMTP.
    Email(Box<EmailSender>),
    /// One HTTP request a message.
    Http(Box<HttpSender>),
}

impl Sender {
    /// Makes a channel ready: reads certificates and templates once. Blocks on a few files.
    ///
    /// # Errors
    ///
    /// [`SenderError`] says what of the channel can't be used.
    pub fn new(channel: &Channel, tokens: &Arc<dyn TokenStore>) -> Result<Self, SenderError> {
        Ok(match &channel.kind {
            ChannelKind::Email(email) => {
                Self::Email(Box::new(EmailSender::new(email, channel.timeout)?))
            }
            ChannelKind::Http(http) => {
                Self::Http(Box::new(HttpSender::new(channel, http, Arc::clone(tokens))?))
            }
        })
    }

    /// Sends `message` to `to`. `now` dates the message and its signature. Ends within the
    /// channel's timeout, but for a token that must be exchanged first, which may take as long
    /// again: not to be dropped before it ends, since such a token works once.
    pub async fn send(&self, to: &str, message: &Message, now: Millis) -> Sent {
        match self {
            Self::Email(sender) => sender.send(to, message, now).await,
            Self::Http(sender) => sender.send(to, message, now).await,
        }
    }
}
