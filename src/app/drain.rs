//! The end, in good order: nothing new is started, runs in flight end or are cut, everything is
//! stored, then the parts go.

use tokio::sync::mpsc;
use tokio::time::{Duration, interval, timeout};
use tracing::{info, warn};

use super::pipeline::{Event, journal};
use super::runs::Runs;
use super::{App, AppError, Asked};
use crate::model::reason::Reason;
use crate::model::span::Span;

/// How long the parts may take to end once nothing runs any more.
const PARTS_GRACE: Duration = Duration::from_secs(15);

/// The schedule may be this far behind when it is stopped: one look at the clocks.
const BEHIND_MS: i64 = 1_000;

/// Ends the daemon.
pub(super) async fn end(mut app: App) -> Result<(), AppError> {
    info!(in_flight = app.tracker.len(), grace = ?app.grace, "ending");
    let last_slot = app.clock.now().plus_ms(-BEHIND_MS);
    app.schedule_stop.cancel();
    app.tracker.close();
    let waited = async {
        if timeout(app.grace, app.tracker.wait()).await.is_err() {
            warn!(in_flight = app.tracker.len(), "runs are cut short; they are void");
            app.runs.cut.cancel();
            app.tracker.wait().await;
        }
    };
    tokio::select! {
        () = waited => {}
        () = keep_looking(&app.runs) => {}
    }
    let now = app.clock.now();
    // If the pipeline has died there is nobody to write them.
    if let Some(span) = Span::new(last_slot, now) {
        let _ = app.runs.events.send(Event::Absent(span, Reason::Stopped)).await;
    }
    let stopped = journal(now, "process.stop", serde_json::json!({}));
    let _ = app.runs.events.send(Event::Journal(stopped)).await;
    app.parts.stop(PARTS_GRACE).await;
    app.history.close().await?;
    info!("ended");
    Ok(())
}

/// Looks at the clock for the runs in flight, now that the schedule does not.
async fn keep_looking(runs: &Runs) {
    let mut look = interval(Duration::from_secs(1));
    loop {
        look.tick().await;
        runs.absences.look();
    }
}

/// Waits for the operator to ask a second time.
pub(super) async fn hurry(asked: &mut mpsc::Receiver<Asked>) {
    loop {
        match asked.recv().await {
            Some(Asked::Stop) => return,
            Some(Asked::Reload) => {}
            None => std::future::pending().await,
        }
    }
}
