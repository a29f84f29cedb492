//! Arguments, logging, the command, and what the process tells its supervisor.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = thongsuot::cli::Arguments::parse();
    thongsuot::cli::log::start(arguments.log_format, &arguments.log);
    match thongsuot::cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
