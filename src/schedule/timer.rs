//! The thin rim around [`Core`]: sleeps until its next instant, and hands its acts on.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::check::{Check, Lane};
use crate::model::id::CheckId;
use crate::model::time::Millis;

use super::core::{Act, Core, Follow, Reading};
use super::plan::Grid;

/// What the schedule is told while it runs.
#[derive(Debug)]
pub enum Command {
    /// These runs have ended.
    Done(Vec<Ended>),
    /// Watch these checks from now on; answered when it is so.
    Replace {
        /// The checks and their grids.
        checks: Vec<(Arc<Check>, Grid)>,
        /// Runs a minute that a host gets; 0: no cap.
        per_minute: u32,
        /// Hosts with their kill switch thrown.
        killed: Vec<String>,
        /// Checks that are new owe every slot that is due from here on.
        from: Millis,
        /// Told when the new checks are in force.
        done: oneshot::Sender<()>,
    },
    /// Throw or release the kill switch of a host.
    Kill {
        /// The host.
        host: String,
        /// Thrown or released.
        killed: bool,
    },
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its check.
    pub check: CheckId,
    /// Its lane.
    pub lane: Lane,
    /// What its result asks for.
    pub follow: Option<Follow>,
    /// How long the host asked to be left alone, in microseconds; 0: not at all.
    pub wait_us: i64,
}

/// Runs the schedule until `stop`. `act` is called for everything it wants done and must not
/// block; `looked` is told the number of runs in flight after each look at the clocks.
pub async fn run(
    mut core: Core,
    clock: Clock,
    mut commands: mpsc::Receiver<Command>,
    mut act: impl FnMut(Act),
    looked: impl Fn(usize),
    stop: CancellationToken,
) {
    let origin = Instant::now();
    let mut acts = Vec::new();
    loop {
        let now = reading(&clock, origin);
        core.step(now, &mut acts);
        acts.drain(..).for_each(&mut act);
        looked(core.in_flight());
        let wait_us = core.wake_us(now.wall_us) - now.wall_us;
        let wake = origin + Duration::from_micros((now.mono_us + wait_us).max(0) as u64);
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep_until(wake) => {}
            Some(command) = commands.recv() => {
                obey(&mut core, command, &clock);
                while let Ok(command) = commands.try_recv() {
                    obey(&mut core, command, &clock);
                }
            }
        }
    }
}

/// Reads the three clocks, the monotonic one as time since `origin`.
pub fn reading(clock: &Clock, origin: Instant) -> Reading {
    Reading {
        wall_us: clock.now_us(),
        mono_us: i64::try_from(origin.elapsed().as_micros()).unwrap_or(i64::MAX),
        boot_us: clock.since_boot_us(),
    }
}

fn obey(core: &mut Core, command: Command, clock: &Clock) {
    match command {
        Command::Done(runs) => {
            for Ended { check, lane, follow, wait_us } in runs {
                if wait_us > 0 {
                    core.wait(&check, lane, clock.now_us(), wait_us);
                }
                core.done(&check, lane, follow);
            }
        }
        Command::Replace { checks, per_minute, killed, from, done } => {
            core.gate().reconfigure(per_minute, killed.iter().map(String::as_str));
            core.replace(&checks, from.0 * 1_000);
            // Nobody waits any more if the reload was given up; the new checks stand.
            let _ = done.send(());
        }
        Command::Kill { host, killed } => core.gate().kill(&host, killed),
    }
}
