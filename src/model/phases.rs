//! The phases of a run, which sum to its length to the microsecond.

use super::time::Micros;

/// One phase of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Name resolution.
    Dns,
    /// TCP connect, or finding a route.
    Connect,
    /// TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// From the end of the request to the first byte of the answer.
    Wait,
    /// From the first byte of the answer to its end, body included.
    Receive,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] =
        [Self::Dns, Self::Connect, Self::Tls, Self::Send, Self::Wait, Self::Receive];

    /// The name in metrics, files and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Receive => "receive",
        }
    }
}

/// Time spent in each phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Phases([Micros; 6]);

impl Phases {
    /// From one length a phase, in the order of [`Phase::ALL`].
    #[must_use]
    pub const fn from_array(lengths: [Micros; 6]) -> Self {
        Self(lengths)
    }

    /// One length a phase, in the order of [`Phase::ALL`].
    #[must_use]
    pub const fn to_array(self) -> [Micros; 6] {
        self.0
    }

    /// Time spent in `phase`.
    #[must_use]
    pub const fn get(self, phase: Phase) -> Micros {
        self.0[phase as usize]
    }

    /// Adds `length` to `phase`, saturating.
    pub fn charge(&mut self, phase: Phase, length: Micros) {
        let slot = &mut self.0[phase as usize];
        *slot = Micros(slot.0.saturating_add(length.0));
    }

    /// Adds every phase of `other`: hops of a redirect, steps of a journey.
    pub fn add(&mut self, other: Self) {
        for phase in Phase::ALL {
            self.charge(phase, other.get(phase));
        }
    }

    /// The sum of all phases, which is the length of the run.
    #[must_use]
    pub fn total(self) -> Micros {
        Micros(self.0.iter().fold(0, |sum, length| sum.saturating_add(length.0)))
    }
}
