//! The schedule as a part: what it wants started becomes a task, what is void an event.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::pipeline::Event;
use super::restore::Past;
use super::runs::Runs;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::model::reason::Reason;
use crate::model::span::Span;
use crate::model::time::Millis;
use crate::schedule::core::{Act, Core};
use crate::schedule::gate::Gate;
use crate::schedule::{self, Command};

/// A schedule of nothing yet, which knows what an earlier daemon may have run.
pub(super) fn first(clock: &Clock, past: &Past) -> Core {
    let mut core = Core::new(Gate::default(), schedule::reading(clock, Instant::now()));
    if let Some((until, lap)) = past.again {
        core.repeat(until, lap);
    }
    core
}

/// Runs the schedule until `stop`.
pub(super) async fn run(
    core: Core,
    runs: Arc<Runs>,
    metrics: Arc<Metrics>,
    commands: mpsc::Receiver<Command>,
    stop: CancellationToken,
    tracker: TaskTracker,
) -> Result<(), String> {
    let clock = runs.clock.clone();
    let looking = Arc::clone(&runs);
    let mut tell = Tell { events: runs.events.clone(), owed: None };
    let act = move |act| match act {
        Act::Start(job) => {
            let runs = Arc::clone(&runs);
            tracker.spawn(async move { runs.run(job).await });
        }
        Act::Void(job, reason) => tell.event(Event::Void(job, reason)),
        Act::Absent(gap, reason) => {
            runs.absences.note();
            tell.event(Event::Absent(gap, reason));
        }
        Act::ClockStepped { by_ms, at } => {
            // The instants of runs in flight are of the clock before.
            runs.absences.note();
            tell.event(Event::ClockStepped { by_ms, at });
        }
    };
    let looked = move |in_flight| {
        looking.absences.looked();
        metrics.runs_in_flight(in_flight);
    };
    schedule::run(core, clock, commands, act, looked, stop).await;
    Ok(())
}

/// Tells the pipeline without waiting for it. When its queue is full, as behind a disk that
/// hangs, the slots are owed: one span that grows, and not a task for each.
#[derive(Debug)]
struct Tell {
    events: mpsc::Sender<Event>,
    owed: Option<(Millis, Millis)>,
}

impl Tell {
    fn event(&mut self, event: Event) {
        if let Some((from, to)) = self.owed
            && let Some(span) = Span::new(from, to)
        {
            if self.events.try_send(Event::Absent(span, Reason::Overrun)).is_err() {
                return self.owe(&event);
            }
            self.owed = None;
        }
        // A closed queue means that the daemon is ending.
        if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
            self.owe(&event);
        }
    }

    /// Slots of the span that have a result of their own keep it.
    fn owe(&mut self, event: &Event) {
        let (from, to) = match event {
            Event::Void(job, _) => (job.due, job.due.plus_ms(1)),
            Event::Absent(gap, _) => (gap.start(), gap.end()),
            _ => return warn!("the pipeline is stuck: a step of the clock is not journalled"),
        };
        let owed = self.owed.get_or_insert((from, to));
        *owed = (owed.0.min(from), owed.1.max(to));
    }
}
