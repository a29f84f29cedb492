//! What is not wrong but worth knowing.

use super::source::Place;

/// Something worth knowing and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Where it is written.
    pub at: Place,
    /// What it is.
    pub what: NoteWhat,
}

/// What is worth knowing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteWhat {
    /// A system has no enabled critical check.
    #[error("system `{system}` is not judged (không giám sát): it has no enabled critical check")]
    NotJudged {
        /// The system.
        system: String,
    },
    /// A text is not in NFC.
    #[error("this text is not in NFC, the usual form of Vietnamese; it is read as if it were")]
    NotNfc,
    /// More runs against a host than allowed.
    #[error(
        "the checks of `{host}` are {runs:.1} runs a minute, more than \
         `per_host_per_minute = {cap}`"
    )]
    OverCap {
        /// The host.
        host: String,
        /// Runs a minute of its enabled checks.
        runs: f64,
        /// The cap.
        cap: u32,
    },
    /// A certificate is not verified.
    #[error("the certificate is not verified: whoever answers is believed")]
    NotVerified,
    /// A check is against a host of the kill switch.
    #[error("`{host}` is in `[monitor] kill`: this check never runs")]
    Killed {
        /// The host.
        host: String,
    },
    /// Owners can't tell who asks.
    #[error("no `contact` and no `user_agent`: owners of systems can't tell who asks")]
    NoContact,
    /// Credentials go over the network in clear.
    #[error("credentials for `{host}` are sent in clear")]
    CredentialsInClear {
        /// The host.
        host: String,
    },
    /// An objective that only tickets can be opened on.
    #[error(
        "an objective of {objective} is too low for a page by burn rate: all of the time \
             down is less than the factor times what it allows"
    )]
    NoPage {
        /// The objective.
        objective: String,
    },
    /// An owner has no system.
    #[error("owner `{owner}` has no system")]
    IdleOwner {
        /// The owner.
        owner: String,
    },
}

impl NoteWhat {
    /// What can be done about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotJudged { .. } => "give it a `[[system.check]]` that is enabled and critical",
            Self::NotNfc => "save the text in NFC",
            Self::OverCap { .. } => {
                "runs above the cap are not made and count as unknown: write longer intervals"
            }
            Self::NotVerified => "give the server's roots with `tls = { roots = \"…\" }` instead",
            Self::NoContact => "write `[monitor] contact = \"…\"`, a mailbox that someone reads",
            Self::CredentialsInClear { .. } => "use an `https` URL",
            Self::NoPage { .. } => "only tickets come by burn rate; hard outages page all the same",
            Self::Killed { .. } | Self::IdleOwner { .. } => return None,
        };
        Some(help.to_owned())
    }
}
