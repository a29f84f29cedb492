//! What is said of a lane, a check or a system over all time, before any period is cut out.

pub mod alone;
pub mod lanes;
pub mod quorum;
pub mod spell;
pub mod sweep;
pub mod system;

use crate::model::id::VantageId;
use crate::model::reason::Reason;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::time::Millis;

use super::sample::Sample;
use super::segment::Segment;
use super::span_set::SpanSet;

/// The whole course of a lane, a check or a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Its known states, in order; outside of them it is unknown.
    pub timeline: Vec<Segment>,
    /// Its maximal down spans, in order.
    pub outages: Vec<Outage>,
    /// Time that is surely down: from the latest start to the earliest end of each outage.
    pub shortest: SpanSet,
    /// Time that may be down: from the earliest start to the latest end.
    pub longest: SpanSet,
    /// Bad time that is not confirmed, one span a blip; it is up.
    pub blips: Vec<Span>,
    /// How much of it was bad, instant by instant, blips included: for burn rates.
    pub strain: Vec<Strain>,
    /// What each vantage saw over each lane, unconfirmed.
    pub views: Vec<View>,
}

/// A maximal down span and what is known of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Where it begins.
    pub start: Edge,
    /// Where it ends; without width where unknown begins.
    pub end: Edge,
    /// When it was known to be an outage: the end of the run that confirmed it.
    pub confirmed: Millis,
    /// What the first bad run said.
    pub fault: Reason,
    /// Which parts of a system it comes from, by their place; `[0]` for a check.
    pub parts: Vec<usize>,
}

/// An end of a down span: where it is taken to be and between which instants it lies
/// (`docs/measurement.md`, "State of a check at a vantage": bracket).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Where the figures have it.
    pub at: Millis,
    /// It is not earlier.
    pub earliest: Millis,
    /// It is not later.
    pub latest: Millis,
}

/// A share of the testimony that was bad, over one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Strain {
    /// When.
    pub span: Span,
    /// How much, in parts of [`STRAIN_WHOLE`], at least 1.
    pub share: i64,
}

/// All of the testimony is bad, or as much as makes a quorum. It can be divided by the number
/// of vantages up to 16 without a remainder.
pub const STRAIN_WHOLE: i64 = 720_720;

/// What one vantage saw: raw states, `Down` for bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The vantage.
    pub vantage: VantageId,
    /// How much it counts in the reachability.
    pub weight: u32,
    /// `Up`, `Slow` and `Down`, in order; outside it saw nothing.
    pub raw: Vec<Segment>,
}

impl Track {
    /// When it was in `state`. Not for `Unknown`, which has no bounds.
    #[must_use]
    pub fn when(&self, state: State) -> SpanSet {
        spans_of(&self.timeline, |it| it == state)
    }

    /// When it was anything but unknown.
    #[must_use]
    pub fn known(&self) -> SpanSet {
        spans_of(&self.timeline, |_| true)
    }

    /// The vantages that saw something bad in `when`, for the account of an incident.
    #[must_use]
    pub fn vantages_hit(&self, when: &SpanSet) -> Vec<VantageId> {
        let hit = self.views.iter().filter(|it| !it.bad().intersect(when).is_empty());
        let mut names: Vec<VantageId> = hit.map(|it| it.vantage.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The state at an instant.
    #[must_use]
    pub fn state(&self, at: Millis) -> State {
        sweep::state_at(&self.timeline, at)
    }
}

impl View {
    /// When it saw a good state.
    #[must_use]
    pub fn good(&self) -> SpanSet {
        spans_of(&self.raw, |it| it != State::Down)
    }

    /// When it saw a bad state.
    #[must_use]
    pub fn bad(&self) -> SpanSet {
        spans_of(&self.raw, |it| it == State::Down)
    }
}

impl Outage {
    /// The down span itself; `None` never happens to an outage of a track.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        Span::new(self.start.at, self.end.at)
    }
}

impl Edge {
    /// An edge beside unknown time, which has no width.
    #[must_use]
    pub const fn fixed(at: Millis) -> Self {
        Self { at, earliest: at, latest: at }
    }

    /// Its bracket cut to the known time around its outage: it ends where unknown begins and does
    /// not go on behind it.
    #[must_use]
    pub(super) fn within(self, around: Span) -> Self {
        let cut = |it: Millis| it.clamp(around.start(), around.end());
        Self { earliest: cut(self.earliest), latest: cut(self.latest), ..self }
    }

    /// Between which instants it lies; `None` if it has no width.
    #[must_use]
    pub fn bracket(&self) -> Option<Span> {
        Span::new(self.earliest, self.latest)
    }
}

/// The testimony of one vantage over one lane, and how much it counts in the reachability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// Its id.
    pub id: VantageId,
    /// Its testimony, as from [`super::timeline::samples`].
    pub samples: Vec<Sample>,
    /// Its weight.
    pub weight: u32,
}

impl Vantage {
    /// What it saw, unconfirmed: `Up`, `Slow`, and `Down` for every bad result.
    fn view(&self) -> View {
        let raw = alone::raw(&self.samples);
        View { vantage: self.id.clone(), weight: self.weight, raw }
    }
}

fn spans_of(timeline: &[Segment], keep: impl Fn(State) -> bool) -> SpanSet {
    timeline.iter().filter(|it| keep(it.state)).map(|it| it.span).collect()
}

#[cfg(test)]
mod tests;
