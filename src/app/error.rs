//! Why the daemon did not start, or ended.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::blackbox;
use crate::config;
use crate::history::HistoryError;
use crate::metrics::MetricsError;
use crate::probe::NetError;

/// Why the daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong; all that is wrong with it is the text.
    #[error("{0}")]
    Config(Box<config::Mistakes>),
    /// The modules of `/probe` are wrong; all that is wrong with them is the text.
    #[error("{0}")]
    Modules(blackbox::Faults),
    /// A channel or an Alertmanager can't be set up as configured; each of them is a line.
    #[error("{}", .0.join("\n"))]
    Unusable(Vec<String>),
    /// Everybody could read, and reload.
    #[error(
        "{0} can be reached from other machines, and there is no `[monitor] token`: set one, or \
         listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The address is taken or not ours.
    #[error(
        "can't listen on {address}: {why}; choose another with `--listen` or `[monitor] listen`"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        why: std::io::Error,
    },
    /// The history can't be opened or closed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The data folder can't be made.
    #[error("can't make the data folder {}: {why}", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The network part can't be set up.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The system refuses something a daemon needs.
    #[error("can't {what}: {why}")]
    System {
        /// What.
        what: &'static str,
        /// The system's words.
        why: std::io::Error,
    },
    /// A bug: a family of metrics was refused.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A part of the daemon died.
    #[error("the part `{part}` died: {why}")]
    PartDied {
        /// Its name.
        part: &'static str,
        /// What it said.
        why: String,
    },
    /// The operator did not want to wait for the end.
    #[error("left at once, as asked")]
    Hurried,
}

impl AppError {
    /// What the process tells its supervisor (`sysexits.h`); 78 must not be retried.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Modules(_) | Self::Unusable(_) | Self::Open(_) => 78,
            Self::PartDied { .. } | Self::Metrics(_) => 70,
            Self::Hurried => 130,
            Self::Listen { .. }
            | Self::History(_)
            | Self::Data { .. }
            | Self::Net(_)
            | Self::System { .. } => 74,
        }
    }
}

impl From<config::Mistakes> for AppError {
    fn from(mistakes: config::Mistakes) -> Self {
        Self::Config(Box::new(mistakes))
    }
}
