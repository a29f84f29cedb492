//! Channels: each sends one message to one address and says what came of it.

pub mod alertmanager;

use std::time::Duration;

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
        /// When the other side wants to be asked again.
        after: Option<Duration>,
    },
    /// Never: this address or this message is refused for good.
    Refused {
        /// Why, in a few words, without secrets.
        why: String,
    },
}
