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
    /// Nobody is called.
    #[error("there is no `[[team]]`: nobody is called when something is down")]
    NobodyCalled,
    /// Nothing to click on.
    #[error("messages have no links: `[alerting] public_url` is not written")]
    NoLinks,
    /// Links that others can read.
    #[error("acknowledge links are `http`: whoever listens in can acknowledge too")]
    LinksInClear,
    /// Telegram.
    #[error("carriers in Việt Nam have blocked Telegram before: it may reach nobody")]
    TelegramBlocked,
    /// An SMS gateway in clear.
    #[error("messages and the password for `{host}` are sent in clear")]
    SmsInClear {
        /// The gateway.
        host: String,
    },
    /// Mail wakes nobody.
    #[error("`{person}` is called by e-mail only, which wakes nobody")]
    EmailOnly {
        /// The person.
        person: String,
    },
    /// Somebody or something that is not used.
    #[error(
        "{of} `{id}` {}",
        if *.of == "person" { "is in no team" } else { "is used by nobody" }
    )]
    Unused {
        /// What it is.
        of: &'static str,
        /// Its id.
        id: String,
    },
    /// An override in place of somebody who is never on.
    #[error("`{person}` is in no layer of the team: there is nothing to stand in for")]
    NotInLayers {
        /// The person.
        person: String,
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
            Self::CredentialsInClear { .. } | Self::LinksInClear => "use an `https` URL",
            Self::NoPage { .. } => "only tickets come by burn rate; hard outages page all the same",
            Self::NobodyCalled => "write a `[[team]]` with a `[[team.layer]]`",
            Self::NoLinks => "write it, so that people can acknowledge by a click",
            Self::TelegramBlocked => "give everybody another channel besides",
            Self::SmsInClear { .. } => "use `https`, or a VPN or leased line to the gateway",
            Self::EmailOnly { .. } => "add a contact that rings: SMS, Zalo, a webhook",
            Self::Killed { .. }
            | Self::IdleOwner { .. }
            | Self::Unused { .. }
            | Self::NotInLayers { .. } => return None,
        };
        Some(help.to_owned())
    }
}
