//! Which maintenance leaves the figures
//! (`docs/measurement.md`, "The official figures of a period": maintenance).

pub mod journal;
pub mod recurring;

use crate::model::span::Span;
use crate::model::time::Millis;

use super::span_set::SpanSet;

pub use crate::model::terms::NOTICE_MS_DEFAULT;

/// One window of maintenance, as announced and as it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// When the announcement was recorded here; an announcement that changes a window is a
    /// window of its own.
    pub recorded: Millis,
    /// The time announced.
    pub announced: Span,
    /// When the work was really done, if it was told; it may begin early and run over.
    pub done: Option<Span>,
    /// When the announcement was taken back; from then on it announces nothing.
    pub withdrawn: Option<Millis>,
}

impl Window {
    /// The announced time that stands: nothing of it after it was withdrawn.
    fn standing(&self) -> Option<Span> {
        let end = self.withdrawn.map_or(self.announced.end(), |it| it.min(self.announced.end()));
        Span::new(self.announced.start(), end)
    }

    /// Whether it was recorded at least `notice_ms` before it begins.
    #[must_use]
    pub fn is_in_time(&self, notice_ms: i64) -> bool {
        self.announced.start().since(self.recorded) >= notice_ms
    }
}

/// Time that leaves the figures: announced in time, and only as long as announced.
#[must_use]
pub fn excluded(windows: &[Window], notice_ms: i64) -> SpanSet {
    let in_time = windows.iter().filter(|it| it.is_in_time(notice_ms));
    in_time.filter_map(Window::standing).collect()
}

/// Maintenance that stays in the figures and is shown: announced late, or outside of the
/// announced time.
#[must_use]
pub fn not_excluded(windows: &[Window], notice_ms: i64) -> SpanSet {
    let all: SpanSet = windows.iter().flat_map(|it| [it.standing(), it.done]).flatten().collect();
    all.minus(&excluded(windows, notice_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn span(from: i64, to: i64) -> Option<Span> {
        Span::new(Millis(from * HOUR), Millis(to * HOUR))
    }

    /// Spans of hours.
    type Hours = &'static [(i64, i64)];

    /// In hours: recorded, announced, done, withdrawn; excluded and shown.
    #[track_caller]
    fn check(
        recorded: i64,
        announced: (i64, i64),
        done: Option<(i64, i64)>,
        withdrawn: Option<i64>,
        expected: (Hours, Hours),
    ) {
        let window = Window {
            recorded: Millis(recorded * HOUR),
            announced: span(announced.0, announced.1).unwrap(),
            done: done.and_then(|(from, to)| span(from, to)),
            withdrawn: withdrawn.map(|it| Millis(it * HOUR)),
        };
        let set = |spans: &[(i64, i64)]| -> SpanSet {
            spans.iter().filter_map(|it| span(it.0, it.1)).collect()
        };
        assert_eq!(excluded(&[window], NOTICE_MS_DEFAULT), set(expected.0));
        assert_eq!(not_excluded(&[window], NOTICE_MS_DEFAULT), set(expected.1));
    }

    #[test]
    fn only_what_was_announced_in_time_and_as_announced_is_excluded() {
        check(0, (24, 30), None, None, (&[(24, 30)], &[]));
        check(1, (24, 30), None, None, (&[], &[(24, 30)]));
        check(0, (24, 30), Some((23, 32)), None, (&[(24, 30)], &[(23, 24), (30, 32)]));
        check(25, (24, 30), Some((24, 30)), None, (&[], &[(24, 30)]));
        check(0, (24, 30), None, Some(10), (&[], &[]));
        check(0, (24, 30), None, Some(27), (&[(24, 27)], &[]));
    }
}
