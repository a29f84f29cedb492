//! A timeline: what is said, span by span. Time outside of every segment is unknown.

use crate::model::span::Span;
use crate::model::state::State;

/// One state over one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// When.
    pub span: Span,
    /// What is said of it.
    pub state: State,
}

/// Adds a segment that begins at the end of `timeline` or later; one that goes on with the same
/// state becomes longer instead.
pub fn append(timeline: &mut Vec<Segment>, span: Span, state: State) {
    if let Some(last) = timeline.last_mut()
        && last.state == state
        && last.span.end() == span.start()
        && let Some(longer) = Span::new(last.span.start(), span.end())
    {
        last.span = longer;
    } else {
        timeline.push(Segment { span, state });
    }
}
