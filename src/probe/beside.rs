//! Work over a connection that somebody has to drive.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Waits for `work` while driving `connection`, whose own end is of no interest: what it means
/// for the work, the work says.
///
/// A connection that is over is dropped at once, for only then does the work hear of it: h2 tells
/// nobody of a write that failed, until its connection is dropped.
pub(super) async fn beside<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let mut connection = pin!(Some(connection));
    let mut work = pin!(work);
    poll_fn(|cx| {
        let mut drive = |cx: &mut _| {
            let over = connection.as_mut().as_pin_mut().is_some_and(|it| it.poll(cx).is_ready());
            if over {
                connection.set(None);
            }
            over
        };
        drive(cx);
        match work.as_mut().poll(cx) {
            // The work may have given the connection something to do.
            Poll::Pending if drive(cx) => work.as_mut().poll(cx),
            done => done,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// A connection that ends when it is polled for the `last` time, and tells so when dropped.
    async fn heard(mut last: u32) -> bool {
        let (tell, told) = oneshot::channel::<()>();
        let connection = poll_fn(move |_cx| {
            let _held = &tell;
            last -= 1;
            if last == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        timeout(Duration::from_secs(5), beside(connection, told)).await.is_ok()
    }

    #[tokio::test]
    async fn the_work_hears_of_the_end_of_its_connection() {
        assert!(heard(1).await, "before the work looks");
        assert!(heard(2).await, "after it");
    }
}
