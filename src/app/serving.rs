//! The web on a thread and a runtime of its own.
//!
//! Making a page of ten thousand checks takes milliseconds, in which a worker of the schedule's
//! runtime would start no run and note no byte that came. And an answer that is asked for now and
//! then is cheapest where nothing wakes a second thread for it.

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::AppError;
use super::parts::Parts;
use crate::web;

/// Serves until the parts are asked to stop, as the part `web`.
pub(super) fn serve(
    parts: &mut Parts,
    listener: TcpListener,
    router: axum::Router,
    connections: usize,
) -> Result<(), AppError> {
    let system = |what| move |why| AppError::System { what, why };
    // Its events belong to the runtime that it was made in: it is taken to the other one.
    let listener = listener.into_std().map_err(system("hand over the listener"))?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("start the runtime of the web"))?;
    let stop = parts.stop_token();
    let limits = web::Limits { connections, ..web::Limits::default() };
    let (ended, end) = oneshot::channel();
    let serving = move || {
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener).map_err(|error| error.to_string())?;
            web::serve(listener, router, limits, stop.cancelled_owned()).await;
            Ok(())
        });
        // What still reads the history for somebody who has left is not waited for.
        runtime.shutdown_background();
        // The parts may be gone.
        let _ = ended.send(served);
    };
    std::thread::Builder::new()
        .name("web".to_owned())
        .spawn(serving)
        .map_err(system("start the thread of the web"))?;
    parts.spawn("web", async { end.await.unwrap_or_else(|_| Err("it panicked".to_owned())) });
    Ok(())
}
