//! What an escalation did, in words that need no translation.

use std::fmt;

use super::steps::Place;

/// A message that is not to be sent any more. An attempt that is under way may still succeed;
/// then it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// The delivery's key.
    pub key: String,
    /// Why.
    pub why: Why,
}

/// Why a message is not to be sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Somebody has taken it on.
    Acknowledged,
    /// It is over.
    Over,
    /// It is a part of something else, held, or in maintenance.
    Stopped,
    /// The person or the address is not in the configuration any more.
    Gone,
    /// What it says is not so any more: the acknowledgement ran out.
    RanOut,
}

impl Why {
    /// The word in metrics and the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Over => "over",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
            Self::RanOut => "ran_out",
        }
    }
}

/// What happened in an escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A step was taken.
    Paged {
        /// How often the escalation began.
        round: u32,
        /// The step.
        place: Place,
        /// Ids of people, and addresses of nobody's own, masked.
        who: Vec<String>,
    },
    /// A ticket was told.
    Ticketed {
        /// The same.
        who: Vec<String>,
    },
    /// An acknowledgement ran out, and it is paged anew.
    AckRanOut {
        /// Who had it.
        by: String,
    },
    /// Nobody is configured who could be told.
    Nobody,
    /// No message of any step could be delivered, the fallback list included.
    Unreached {
        /// How often by now.
        times: u32,
    },
}

impl What {
    /// One word, as in the log and the journal.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Paged { .. } => "paged",
            Self::Ticketed { .. } => "ticketed",
            Self::AckRanOut { .. } => "ack.ran_out",
            Self::Nobody => "nobody",
            Self::Unreached { .. } => "unreached",
        }
    }
}

/// The details, in ids; `round.turn.step` from 1: `1.1.2: an, binh`.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paged { round, place, who } => {
                write!(f, "{round}.{}.{}: {}", place.turn + 1, place.step + 1, who.join(", "))
            }
            Self::Ticketed { who } => f.write_str(&who.join(", ")),
            Self::AckRanOut { by } => f.write_str(by),
            Self::Nobody => Ok(()),
            Self::Unreached { times } => write!(f, "{times}"),
        }
    }
}
