//! A program under measurement: started, watched through `/proc`, ended.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::Broken;

/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, which is 100 on every Linux of today.
const TICKS_A_SECOND: f64 = 100.0;

/// Priority of everything that is measured, theirs and ours.
const NICE: &str = "-10";

/// How long a program may take to end when asked.
const END_WITHIN: Duration = Duration::from_secs(30);

/// How long a program may take to end by itself when nobody needs it any more.
const DROPPED_WITHIN: Duration = Duration::from_secs(3);

/// A running program. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
}

impl Program {
    /// Starts `command` with its output in `log`, and lets it go before others where that is
    /// allowed: what else runs on the machine should not be measured.
    pub(crate) fn start(command: &Command, log: &Path) -> Result<Self, Broken> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = preferred(command);
        let (out, err) = (File::create(log)?, File::options().append(true).open(log)?);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().map_err(|why| format!("can't start {name}: {why}"))?;
        Ok(Self { name, child })
    }

    /// Processor time used so far, user and system, in microseconds.
    pub(crate) fn cpu_us(&self) -> Result<f64, Broken> {
        let cpu_us = cpu_us_in(&self.read("stat")?);
        cpu_us.ok_or_else(|| format!("/proc/PID/stat of {} can't be read", self.name).into())
    }

    /// Resident memory now and at most, in MB (10^6 bytes).
    pub(crate) fn memory_mb(&self) -> Result<(f64, f64), Broken> {
        let status = self.read("status")?;
        let kib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|it| it.split_whitespace().next()?.parse::<f64>().ok())
        };
        match (kib("VmRSS:"), kib("VmHWM:")) {
            (Some(now), Some(most)) => Ok((now * 1_024.0 / 1e6, most * 1_024.0 / 1e6)),
            _ => Err(format!("{} has ended", self.name).into()),
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(mut self) -> Result<(), Broken> {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            kill_process(pid, Signal::TERM)?;
        }
        let until = Instant::now() + END_WITHIN;
        while Instant::now() < until {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{} does not end", self.name).into())
    }

    fn read(&self, file: &str) -> Result<String, Broken> {
        Ok(std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?)
    }
}

/// Processor time, user and system, in microseconds, from what `/proc/PID/stat` holds.
pub(crate) fn cpu_us_in(stat: &str) -> Option<f64> {
    // The name, in brackets, may hold anything; the state comes first after it.
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_A_SECOND * 1e6)
}

/// `command` with a better priority, as a unit file would give it; without the right to do so,
/// `nice` says so in the log and runs it all the same.
fn preferred(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.arg("-n").arg(NICE).arg(command.get_program()).args(command.get_args());
    nice
}

impl Drop for Program {
    fn drop(&mut self) {
        // Asked first: one that has children of its own, as nginx, ends them.
        if let Some(pid) = Pid::from_raw(self.child.id() as i32)
            && kill_process(pid, Signal::TERM).is_ok()
        {
            let until = Instant::now() + DROPPED_WITHIN;
            while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        // Both fail only if it has ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
