//! From what was seen to figures (pure).

use super::gather::{Gathered, Seen};
use super::terms::{Counts, InForce, Ruled, RuledCheck};
use super::windows::Shown;
use super::{CheckFigures, Episode, Measured, Promised, SystemFigures, VantageFigures};
use crate::availability::figures::{Figures, Terms, Verdict};
use crate::availability::incident::{self, Incident};
use crate::availability::latency::{Latency, Quantiles};
use crate::availability::segment::Segment;
use crate::availability::span_set::SpanSet;
use crate::availability::track::system::{self, Part};
use crate::availability::track::{Strain, Track, Vantage, View, alone, lanes, quorum};
use crate::model::id::{CheckId, VantageId};
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::time::{Micros, Millis};

/// The period, and until when it is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) period: Span,
    pub(super) until: Millis,
}

impl Frame {
    /// What of `watched` is over.
    fn over(self, watched: &SpanSet) -> SpanSet {
        let past = Span::new(Millis(i64::MIN), self.until);
        past.map(|it| watched.within(it)).unwrap_or_default()
    }
}

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
    let parts: Vec<Part> = ruled.rules.iter().map(|it| part(it, &gathered.seen)).collect();
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
    let mut places: Vec<CheckId> = Vec::new();
    let (mut parts, mut good, mut figures) = (Vec::new(), Vec::new(), Vec::new());
    let before = union(
        checks.iter().flat_map(|it| &it.parts).filter(|it| it.critical).map(|it| &it.watched),
    );
    let mut after = Vec::new();
    for (worked, check) in checks.iter().zip(&ruled.checks) {
        for part in worked.parts.iter().filter(|it| it.critical) {
            after.extend_from_slice(part.watched.minus(&check.windows.excluded).spans());
        }
    }
    // Where every critical check is in maintenance of its own, the system is.
    let after: SpanSet = after.into_iter().collect();
    let all_out = before.minus(&after).within(frame.period);
    let maintenance = ruled.windows.excluded.union(&all_out);
    for (worked, check) in checks.into_iter().zip(&ruled.checks) {
        let out = check.windows.excluded.minus(&all_out);
        for part in worked.parts {
            places.push(worked.figures.id.clone());
            parts.push(Part { watched: part.watched.minus(&out), ..part });
        }
        if check.critical {
            good.extend(worked.good);
        }
        figures.push(worked.figures);
    }
    let watched = frame.over(&system::watched(&parts));
    let track = system::track(&parts);
    let terms = Terms {
        period: frame.period,
        service: Some(&ruled.service),
        maintenance: &maintenance,
        watched: Some(&watched),
    };
    let measured = track.as_ref().map(|track| {
        let mut measured = measured(track, &terms, &[], &good);
        for check in figures.iter().filter(|it| it.critical) {
            add(&mut measured.runs, &check.measured.runs);
            add(&mut measured.void_ms, &check.measured.void_ms);
        }
        measured
    });
    let track = track.unwrap_or_default();
    let pieces = ruled.pieces.iter().map(|piece| {
        let terms = Terms { period: piece.span, ..terms };
        (piece.clone(), Figures::of(&track, &terms))
    });
    let pieces: Vec<_> = pieces.collect();
    SystemFigures {
        id: ruled.id.clone(),
        name: ruled.name.clone(),
        owner: ruled.owner.clone(),
        owner_name: ruled.owner_name.clone(),
        episodes: episodes(&track, &terms.judged(), &maintenance, frame, &places),
        promised: measured.is_some().then(|| promised(&pieces)).flatten(),
        maintenance: ruled.windows.all.iter().map(|it| (it.clone(), down_in(&track, it))).collect(),
        measured,
        pieces,
        checks: figures,
    }
}

/// Against the objectives of the pieces that have one: their times and budgets add up.
fn promised(pieces: &[(super::terms::Piece, Figures)]) -> Option<Promised> {
    let (mut budget, mut down, mut shortest, mut longest) = (0, 0, 0, 0);
    let (mut known, mut needed) = (0_i128, 0_i128);
    let mut any = false;
    for (piece, figures) in pieces {
        let Some(objective) = piece.objective else { continue };
        let times = &figures.times;
        any = true;
        budget += figures.budget_ms(objective);
        down += times.down_ms;
        shortest += times.down_shortest_ms;
        longest += times.down_longest_ms;
        known += i128::from(times.known_ms()) * 1_000_000;
        needed += i128::from(times.judged_ms()) * i128::from(piece.coverage_ppm);
    }
    let verdict = if known == 0 || known < needed {
        Verdict::NotEnoughData
    } else if longest <= budget {
        Verdict::Met
    } else if shortest > budget {
        Verdict::Missed
    } else {
        Verdict::WithinError
    };
    let used = (i128::from(down) * 1_000).checked_div(i128::from(budget));
    let used_thousandths = used.and_then(|it| i64::try_from(it).ok());
    any.then_some(Promised { budget_ms: budget, down_ms: down, used_thousandths, verdict })
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
    let over = Span::new(frame.period.start(), frame.period.end().min(frame.until));
    let touching = |it: &Incident| over.is_some_and(|over| it.down().length_within_ms(over) > 0);
    let incidents = incident::incidents(track).into_iter().filter(touching);
    let one = |it: Incident| {
        let down = it.down();
        let mut checks: Vec<CheckId> =
            it.checks().iter().filter_map(|place| places.get(*place).cloned()).collect();
        checks.sort_unstable();
        checks.dedup();
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
            checks,
        }
    };
    incidents.map(one).collect()
}

fn union<'a>(sets: impl Iterator<Item = &'a SpanSet>) -> SpanSet {
    sets.flat_map(|it| it.spans().iter().copied()).collect()
}

/// The course of a check under one rule, as far as it was in force.
fn part(rule: &InForce, seen: &[(VantageId, Seen)]) -> Part {
    let of = |lane| {
        let vantage = |(id, weight): &(VantageId, u32)| {
            let own = seen.iter().find(|it| it.0 == *id).map(|it| &it.1);
            Vantage { id: id.clone(), samples: samples(own, lane), weight: *weight }
        };
        let vantages: Vec<Vantage> = rule.rule.vantages.iter().map(vantage).collect();
        match vantages.as_slice() {
            [only] => alone::track(only, rule.rule.confirm),
            several => quorum::track(several, rule.rule.quorum),
        }
    };
    let track = lanes::track(rule.rule.lanes.iter().map(|it| of(*it)).collect());
    Part {
        track: clip(track, &rule.watched),
        critical: rule.critical,
        watched: rule.watched.clone(),
    }
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

fn samples(
    seen: Option<&Seen>,
    lane: crate::model::check::Lane,
) -> Vec<crate::availability::sample::Sample> {
    let lanes = seen.map_or(&[][..], |it| &it.lanes);
    lanes.iter().find(|it| it.0 == lane).map(|it| it.1.clone()).unwrap_or_default()
}

/// Without what lies outside of `watched`, in all that a system takes over from its checks as
/// it is.
fn clip(track: Track, watched: &SpanSet) -> Track {
    let pieces = |span: Span| watched.within(span).spans().to_vec();
    let segments = |all: Vec<Segment>| -> Vec<Segment> {
        let cut = |it: Segment| pieces(it.span).into_iter().map(move |span| Segment { span, ..it });
        all.into_iter().flat_map(cut).collect()
    };
    let views = track.views.into_iter().map(|it| View { raw: segments(it.raw), ..it });
    let strain = track.strain.into_iter().flat_map(|it| {
        pieces(it.span).into_iter().map(move |span| Strain { span, share: it.share })
    });
    Track {
        views: views.collect(),
        blips: track.blips.into_iter().flat_map(pieces).collect(),
        strain: strain.collect(),
        ..track
    }
}
