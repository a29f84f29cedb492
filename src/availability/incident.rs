//! Incidents: down spans that people count as one
//! (`docs/measurement.md`, "The official figures of a period": incidents).

use crate::model::reason::Reason;
use crate::model::span::Span;
use crate::model::time::Millis;

use super::span_set::SpanSet;
use super::track::{Edge, Outage, Track};

/// Down spans less than this apart are one incident.
pub const APART_MS: i64 = 60_000;

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its down spans, in order, at least one. The time between keeps its own state.
    pub parts: Vec<Outage>,
}

/// What the incidents of a period come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Incidents with a down part in judged time.
    pub count: i64,
    /// Longest judged down time of one.
    pub longest_ms: i64,
    /// Mean judged down time (MTTR), cut down; `None` without an incident.
    pub mean_down_ms: Option<i64>,
    /// Mean time from the start to the confirmation (MTTD), cut down.
    pub mean_to_detect_ms: Option<i64>,
    /// Good time for each incident (MTBF), cut down.
    pub good_between_ms: Option<i64>,
}

/// The incidents of a track, in order: down spans less than [`APART_MS`] apart, or with nothing
/// but unknown time between, are one.
#[must_use]
pub fn incidents(track: &Track) -> Vec<Incident> {
    let known = track.known();
    let mut all: Vec<Incident> = Vec::new();
    for outage in &track.outages {
        let joined = all.last_mut().filter(|it| {
            let gap = Span::new(it.end().at, outage.start.at);
            gap.is_none_or(|gap| gap.length_ms() < APART_MS || known.length_within_ms(gap) == 0)
        });
        match joined {
            Some(incident) => incident.parts.push(outage.clone()),
            None => all.push(Incident { parts: vec![outage.clone()] }),
        }
    }
    all
}

/// What they come to in a period of which `judged` is judged and `good_ms` was good.
#[must_use]
pub fn summary(incidents: &[Incident], judged: &SpanSet, good_ms: i64) -> Summary {
    let hit = incidents.iter().map(|it| (it, it.down().intersect(judged).length_ms()));
    let hit: Vec<(&Incident, i64)> = hit.filter(|it| it.1 > 0).collect();
    let count = i64::try_from(hit.len()).unwrap_or(i64::MAX);
    let mean = |total: i64| (count > 0).then(|| total / count);
    Summary {
        count,
        longest_ms: hit.iter().map(|it| it.1).max().unwrap_or(0),
        mean_down_ms: mean(hit.iter().map(|it| it.1).sum()),
        mean_to_detect_ms: mean(hit.iter().map(|it| it.0.to_detect_ms()).sum()),
        good_between_ms: mean(good_ms),
    }
}

impl Incident {
    /// Where it begins.
    #[must_use]
    pub fn start(&self) -> Edge {
        self.parts.first().map_or(Edge::fixed(Millis(0)), |it| it.start)
    }

    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> Edge {
        self.parts.last().map_or(Edge::fixed(Millis(0)), |it| it.end)
    }

    /// Its down time.
    #[must_use]
    pub fn down(&self) -> SpanSet {
        self.parts.iter().filter_map(Outage::span).collect()
    }

    /// When it was first known to be an outage.
    #[must_use]
    pub fn confirmed(&self) -> Millis {
        self.parts.iter().map(|it| it.confirmed).min().unwrap_or(Millis(0))
    }

    /// From its start until it was confirmed, in milliseconds, at least 0.
    #[must_use]
    pub fn to_detect_ms(&self) -> i64 {
        self.confirmed().since(self.start().at).max(0)
    }

    /// What the first bad run said.
    #[must_use]
    pub fn fault(&self) -> Option<Reason> {
        self.parts.first().map(|it| it.fault)
    }

    /// Which checks of a system it hit, by their place.
    #[must_use]
    pub fn checks(&self) -> Vec<usize> {
        let mut checks: Vec<usize> = self.parts.iter().flat_map(|it| it.parts.clone()).collect();
        checks.sort_unstable();
        checks.dedup();
        checks
    }
}
