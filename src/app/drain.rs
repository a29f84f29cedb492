//! The end, in good order: nothing new is started, runs in flight end or are cut, everything is
//! stored, then the parts go.

use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};
use tracing::{info, warn};

use super::pipeline::{Event, journal};
use super::{App, AppError, Asked};

/// How long the parts may take to end once nothing runs any more.
const PARTS_GRACE: Duration = Duration::from_secs(15);

/// Ends the daemon.
pub(super) async fn end(mut app: App) -> Result<(), AppError> {
    info!(in_flight = app.tracker.len(), grace = ?app.grace, "ending");
    app.schedule_stop.cancel();
    app.tracker.close();
    if timeout(app.grace, app.tracker.wait()).await.is_err() {
        warn!(in_flight = app.tracker.len(), "runs are cut short; they are void");
        app.runs.cut.cancel();
        app.tracker.wait().await;
    }
    let now = app.clock.now();
    let stopped = journal(now, "process.stop", serde_json::json!({}));
    // If the pipeline has died there is nobody to write it.
    let _ = app.runs.events.send(Event::Journal(stopped)).await;
    app.parts.stop(PARTS_GRACE).await;
    app.history.beat(app.clock.now());
    app.history.close().await?;
    info!("ended");
    Ok(())
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
