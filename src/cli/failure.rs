//! How a command fails: what is told to the operator, and to the supervisor.

use std::process::ExitCode;

use crate::app::AppError;

/// The exit code for arguments that mean nothing (`sysexits.h`).
pub(super) const WRONG_USAGE: u8 = 64;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It did, and the answer is no; it has been printed.
    No,
    /// The arguments mean nothing; the text says what to write.
    Usage(String),
    /// The configuration is wrong; everything that is wrong with it is the text.
    Config(String),
    /// Something of ours failed.
    Ours(String),
    /// The daemon failed.
    App(AppError),
}

impl Failure {
    /// Prints it to standard error, and gives the exit code (`sysexits.h`): 78 must not be
    /// retried without a change of the configuration.
    #[expect(clippy::print_stderr, reason = "the last word of a command")]
    pub fn report(&self) -> ExitCode {
        let (code, text) = match self {
            Self::No => (1, None),
            Self::Usage(text) => (WRONG_USAGE, Some(format!("thongsuot: {text}"))),
            Self::Config(text) => (78, Some(text.clone())),
            Self::Ours(text) => (74, Some(format!("thongsuot: {text}"))),
            Self::App(error) => (error.exit_code(), Some(format!("thongsuot: {error}"))),
        };
        if let Some(text) = text {
            eprintln!("{}", text.trim_end());
        }
        ExitCode::from(code)
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Config(mistakes) => Self::Config(mistakes.to_string()),
            AppError::Modules(faults) => Self::Config(faults.to_string()),
            AppError::Unusable(lines) => Self::Config(lines.join("\n")),
            other => Self::App(other),
        }
    }
}
