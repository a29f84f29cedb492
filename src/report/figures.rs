//! From what was seen to figures (pure).

use super::gather::{Gathered, Seen};
use super::judged::{self, Frame, clip, names, parts, samples, union};
use super::terms::{Counts, InForce, Ruled, RuledCheck};
use super::windows::Shown;
use super::{CheckFigures, Episode, Measured, SystemFigures, VantageFigures};
use crate::availability::figures::{Figures, Terms};
use crate::availability::incident::{self, Incident};
use crate::availability::latency::{Latency, Quantiles};
use crate::availability::span_set::SpanSet;
use crate::availability::track::system::{self, Part};
use crate::availability::track::{Track, Vantage, alone, lanes};
use crate::model::id::{CheckId, VantageId};
use crate::model::state::State;
use crate::model::time::{Micros, Millis};

/// A check, its courses as parts of its system, and the good runs of the figures above it.
pub(super) struct Worked {
    pub(super) figures: CheckFigures,
    pub(super) parts: Vec<Part>,
    pub(super) good: Vec<(Millis, u32, u32)>,
}

/// Works out a check. `service` and `system` are the agreed hours and the excluded maintenance
/// of its system.
pub(super) fn check(
    ruled: &RuledCheck,
    gathered: Gathered,
    service: &SpanSet,
    system: &SpanSet,
    frame: Frame,
) -> Worked {
    let maintenance = system.union(&ruled.windows.excluded);
    let parts = parts(ruled, &gathered);
    let watched = frame.over(&union(parts.iter().map(|it| &it.watched)));
    let whole: Vec<Part> = parts.iter().map(|it| Part { critical: true, ..it.clone() }).collect();
    let track = system::track(&whole).unwrap_or_default();
    let terms = Terms {
        period: frame.period,
        service: Some(service),
        maintenance: &maintenance,
        watched: Some(&watched),
    };
    let judged = terms.judged();
    let all: Vec<&Seen> = gathered.seen.iter().map(|it| &it.1).collect();
    let vantage = |(id, seen): &(VantageId, Seen)| {
        let rules = ruled.rules.iter().filter(|it| it.rule.vantages.iter().any(|it| it.0 == *id));
        let alone: Vec<Part> = rules.map(|it| alone_part(it, id, seen)).collect();
        let watched = frame.over(&union(alone.iter().map(|it| &it.watched)));
        let terms = Terms { watched: Some(&watched), ..terms };
        let track = system::track(&alone).unwrap_or_default();
        VantageFigures { id: id.clone(), measured: measured(&track, &terms, &[seen], &seen.good) }
    };
    let vantages = gathered.seen.iter().map(vantage).collect();
    let good: Vec<(Millis, u32, u32)> =
        gathered.seen.iter().flat_map(|it| it.1.good.iter().copied()).collect();
    let figures = CheckFigures {
        id: ruled.id.clone(),
        name: ruled.name.clone(),
        critical: ruled.critical,
        interval_ms: ruled.interval_ms,
        measured: measured(&track, &terms, &all, &good),
        episodes: episodes(&track, &judged, &maintenance, frame, &[]),
        maintenance: ruled.windows.all.clone(),
        vantages,
        blocks: gathered.blocks,
        results: gathered.results,
    };
    Worked { figures, parts, good }
}

/// Works out a system from its checks.
pub(super) fn system(ruled: &Ruled, checks: Vec<Worked>, frame: Frame) -> SystemFigures {
    let (mut parts, mut good, mut figures) = (Vec::new(), Vec::new(), Vec::new());
    for (worked, check) in checks.into_iter().zip(&ruled.checks) {
        parts.push(worked.parts);
        if check.critical {
            good.extend(worked.good);
        }
        figures.push(worked.figures);
    }
    let judged = judged::system(ruled, parts, frame);
    let (track, terms) = (&judged.track, judged.terms());
    let measured = judged.is_watched.then(|| {
        let mut measured = measured(track, &terms, &[], &good);
        for check in figures.iter().filter(|it| it.critical) {
            add(&mut measured.runs, &check.measured.runs);
            add(&mut measured.void_ms, &check.measured.void_ms);
        }
        measured
    });
    let pieces = judged.piecewise();
    SystemFigures {
        id: ruled.id.clone(),
        name: ruled.name.clone(),
        owner: ruled.owner.clone(),
        owner_name: ruled.owner_name.clone(),
        episodes: episodes(track, &terms.judged(), &judged.maintenance, frame, &judged.places),
        promised: measured.is_some().then(|| judged::promised(&pieces)).flatten(),
        maintenance: ruled.windows.all.iter().map(|it| (it.clone(), down_in(track, it))).collect(),
        measured,
        pieces,
        checks: figures,
    }
}

fn down_in(track: &Track, shown: &Shown) -> i64 {
    track.when(State::Down).intersect(&shown.excluded.union(&shown.kept)).length_ms()
}

fn measured(
    track: &Track,
    terms: &Terms<'_>,
    seen: &[&Seen],
    good: &[(Millis, u32, u32)],
) -> Measured {
    let judged = terms.judged();
    let figures = Figures::of(track, terms);
    let incidents = incident::incidents(track);
    let times = &figures.times;
    let summary = incident::summary(&incidents, &judged, times.known_ms() - times.down_ms);
    let mut measured = Measured {
        summary,
        latency: latency(good, &judged),
        figures,
        runs: Counts::new(),
        void_ms: Counts::new(),
        mean_to_acknowledge_ms: None,
    };
    for seen in seen {
        add(&mut measured.runs, &seen.runs);
        add(&mut measured.void_ms, &seen.void_ms);
    }
    measured
}

fn latency(good: &[(Millis, u32, u32)], judged: &SpanSet) -> Latency {
    let inside = || good.iter().filter(|it| judged.contains(it.0));
    Latency {
        from_started: Quantiles::of(inside().map(|it| Micros(it.1)).collect()),
        from_scheduled: Quantiles::of(inside().map(|it| Micros(it.2)).collect()),
    }
}

fn add<K: Ord + Copy>(to: &mut Counts<K>, more: &Counts<K>) {
    for (key, count) in more {
        *to.entry(*key).or_default() += count;
    }
}

/// The incidents with a part in the period, whole.
fn episodes(
    track: &Track,
    judged: &SpanSet,
    maintenance: &SpanSet,
    frame: Frame,
    places: &[CheckId],
) -> Vec<Episode> {
    let one = |it: Incident| {
        let down = it.down();
        Episode {
            start: it.start(),
            end: it.end(),
            confirmed: it.confirmed(),
            spans: it.parts.len(),
            down_ms: down.length_ms(),
            judged_ms: down.intersect(judged).length_ms(),
            maintenance_ms: down.intersect(maintenance).length_ms(),
            begins_before: it.start().at < frame.period.start(),
            goes_on: it.end().at > frame.period.end().min(frame.until),
            fault: it.fault(),
            vantages: track.vantages_hit(&down),
            checks: names(places, &it),
            told: None,
        }
    };
    frame.incidents(track).into_iter().map(one).collect()
}

/// What one vantage alone would say of a check.
fn alone_part(rule: &InForce, id: &VantageId, seen: &Seen) -> Part {
    let of = |lane| {
        let vantage = Vantage { id: id.clone(), samples: samples(Some(seen), lane), weight: 1 };
        alone::track(&vantage, rule.rule.confirm)
    };
    let track = lanes::track(rule.rule.lanes.iter().map(|it| of(*it)).collect());
    Part { track: clip(track, &rule.watched), critical: true, watched: rule.watched.clone() }
}
