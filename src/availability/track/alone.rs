//! One lane seen from one vantage (`docs/measurement.md`, "State of a check at a vantage").

use crate::availability::confirm::Confirm;
use crate::availability::sample::Sample;
use crate::availability::segment::Segment;
use crate::availability::timeline;
use crate::model::span::Span;
use crate::model::time::Millis;

use super::spell::{Spell, spells};
use super::{Edge, Outage, STRAIN_WHOLE, Strain, Track, Vantage};

/// What a vantage saw, unconfirmed: `Up`, `Slow`, and `Down` for every bad result.
#[must_use]
pub fn raw(samples: &[Sample]) -> Vec<Segment> {
    timeline::alone(samples, Confirm::new(1))
}

/// The course of a lane that only one vantage watches. A spell of bad results is an outage if
/// they are confirmed, else a blip; bad results side by side are confirmed together or not at
/// all.
#[must_use]
pub fn track(vantage: &Vantage, confirm: Confirm) -> Track {
    let samples = vantage.samples.as_slice();
    let bad: Vec<bool> = samples.iter().map(Sample::is_bad).collect();
    let marks = confirm.mark(&bad);
    let mut track = Track {
        timeline: timeline::alone(samples, confirm),
        views: vec![vantage.view()],
        ..Track::default()
    };
    let known = track.known();
    let (mut shortest, mut longest) = (Vec::new(), Vec::new());
    for spell in spells(samples) {
        track.strain.push(Strain { span: spell.span, share: STRAIN_WHOLE });
        if !marks[spell.places.0] {
            track.blips.push(spell.span);
            continue;
        }
        let around = known.around(spell.span.start()).unwrap_or(spell.span);
        let (start, end) = edges(&spell, around);
        shortest.extend(Span::new(start.latest, end.earliest));
        longest.extend(Span::new(start.earliest, end.latest));
        let confirmed = confirmed_at(samples, &bad, confirm, spell.places.0);
        track.outages.push(Outage { start, end, confirmed, fault: spell.fault, parts: vec![0] });
    }
    track.shortest = shortest.into_iter().collect();
    track.longest = longest.into_iter().collect();
    track
}

fn edges(spell: &Spell, around: Span) -> (Edge, Edge) {
    let (from, to) = (spell.span.start(), spell.span.end());
    let start = spell.good_before.map_or(Edge::fixed(from), |good| Edge {
        at: from,
        earliest: good,
        latest: spell.first_ended,
    });
    let end = spell.good_after.map_or(Edge::fixed(to), |(_, ended)| Edge {
        at: to,
        earliest: spell.last,
        latest: ended,
    });
    (start.within(around), end.within(around))
}

/// When the bad result at `place` was confirmed: the end of the last of the `K` bad runs in the
/// first window that holds it and has enough of them.
fn confirmed_at(samples: &[Sample], bad: &[bool], confirm: Confirm, place: usize) -> Millis {
    let ends = place..(place + confirm.window()).min(samples.len());
    let last = ends.into_iter().find(|it| confirm.at_end(&bad[..=*it])).unwrap_or(place);
    let first = (last + 1).saturating_sub(confirm.window());
    let runs = (first..=last).filter(|it| bad[*it]).map(|it| samples[it].ended);
    runs.max().unwrap_or(samples[place].ended)
}
