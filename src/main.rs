//! Arguments, logging, the command, and what the process tells its supervisor.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = match thongsuot::cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(refused) => return thongsuot::cli::usage(&refused),
    };
    thongsuot::cli::log::start(arguments.log_format, &arguments.log);
    match thongsuot::cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
