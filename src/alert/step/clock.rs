//! The wall clock may jump: what the book waits for is bound to it anew.

use crate::alert::book::Book;
use crate::alert::root;
use crate::model::alerting::Alerting;
use crate::model::time::Millis;

/// Instants that cannot lie ahead of the clock are taken as now, and no wait is longer than it
/// can have been meant. So after a step back all that was to end by itself still ends, and
/// nothing that is true stays quiet until the clock has caught up.
pub(super) fn settle(book: &mut Book, now: Millis, alerting: &Alerting) {
    for incident in book.incidents.values_mut() {
        for past in [&mut incident.calm_since, &mut incident.closed] {
            *past = past.map(|it| it.min(now));
        }
        let held = now.plus_ms(alerting.dependency_wait_ms.max(0));
        incident.held_until = incident.held_until.map(|it| it.min(held));
        if let Some(cause) = &mut incident.cause {
            let longest = now.plus_ms(root::LEAVE_MS_MAX);
            cause.until = cause.until.map(|it| it.min(longest));
        }
    }
}
