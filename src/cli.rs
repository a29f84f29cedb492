//! The commands. Each is a thin file: it asks a part, and prints what it says.

pub mod log;
mod failure;
mod run;
mod demo;
mod check;
mod call;
mod maintenance;
mod oncall;
mod alerts;
mod drill;
mod probe;
mod status;
mod healthy;
mod verify;
mod progress;
mod output;
mod tame;
mod report;
mod export;
mod import;
mod rules;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use failure::Failure;

/// Watches public e-service systems around the clock and accounts for their availability.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None, max_term_width = 100)]
#[command(after_help = "\
First steps:
  thongsuot demo                    see it work, offline, in a minute
  thongsuot check targets.toml      what it says, or all its mistakes
  thongsuot probe https://…         run one probe now and explain it
  thongsuot run                     watch what targets.toml names

Exit codes: 0 done · 1 the answer is no (probe bad, nobody answered) · \
64 wrong usage · 70 a part of the daemon died · 74 a file, port or network of ours failed · \
78 configuration.")]
pub struct Arguments {
    /// How the log is written to standard error: text for people, json for machines.
    #[arg(long, value_enum, default_value_t = log::Format::Text, global = true)]
    #[arg(help_heading = "Log", hide_possible_values = true)]
    pub log_format: log::Format,
    /// What is logged: error, warn, info, debug, trace, or a filter such as `thongsuot::probe=debug`.
    #[arg(
        long,
        default_value = "info",
        global = true,
        env = "THONGSUOT_LOG",
        help_heading = "Log"
    )]
    pub log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch everything in a configuration, until TERM or Ctrl-C. HUP reloads.
    Run(run::Run),
    /// Start a small country of e-services on loopback and watch it. Needs no network.
    Demo(demo::Demo),
    /// Say what a configuration means, or everything that is wrong with it.
    Check(check::Check),
    /// Make `targets.toml` from the configuration of Gatus, Uptime Kuma or blackbox_exporter.
    Import(import::Import),
    /// Print the JSON Schema of the configuration, for editors.
    Schema,
    /// Run one probe now, and explain it: phases, addresses, certificates, what was expected.
    Probe(probe::Probe),
    /// Show the country at a glance, from a running daemon.
    Status(status::Status),
    /// Ask a running daemon whether it is well, for a container's health check.
    Healthy(healthy::Healthy),
    /// Announce maintenance, list it, prolong it or take it back. Nothing is changed in place.
    Maintenance(Box<maintenance::Maintenance>),
    /// Show incidents, take one on (tiếp nhận), or close it.
    Alerts(Box<alerts::Alerts>),
    /// Send a test page along the real path, and wait until somebody acknowledges it.
    Drill(drill::Drill),
    /// Say who is on call, until when, how they are reached, and who is next.
    Oncall(oncall::OnCall),
    /// Check that the history is whole and nobody has edited it.
    Verify(verify::Verify),
    /// Figures, incidents and maintenance of a period: what is reported and defended.
    Report(report::Report),
    /// Raw results of a period, for an auditor who recomputes the figures.
    Export(export::Export),
    /// Print recording and alert rules for Prometheus, made from a configuration.
    Rules(rules::Rules),
}

/// The configuration that commands read if none is named.
fn default_config() -> PathBuf {
    PathBuf::from("targets.toml")
}

/// Prints what clap has to say: help and version are no failures.
pub fn usage(said: &clap::Error) -> std::process::ExitCode {
    // If even that can't be printed there is nobody to tell.
    let _ = said.print();
    let code = if said.use_stderr() { failure::WRONG_USAGE } else { 0 };
    std::process::ExitCode::from(code)
}

/// Runs the command.
///
/// # Errors
///
/// What is to be told to the operator and to the supervisor.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Run(it) => it.run(),
        Command::Demo(it) => it.run(),
        Command::Check(it) => it.run(),
        Command::Import(it) => it.run(),
        Command::Schema => check::schema(),
        Command::Probe(it) => it.run(),
        Command::Status(it) => it.run(),
        Command::Healthy(it) => it.run(),
        Command::Maintenance(it) => it.run(),
        Command::Alerts(it) => it.run(),
        Command::Drill(it) => it.run(),
        Command::Oncall(it) => it.run(),
        Command::Verify(it) => it.run(),
        Command::Report(it) => it.run(),
        Command::Export(it) => it.run(),
        Command::Rules(it) => it.run(),
    }
}

/// The environment, for secrets that the configuration takes from there.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
