//! The one way from results, contracts and announcements to the course of a system and to what is
//! judged of it, second by second by what was in force: for reports, the API and live figures.

use super::ReportError;
use super::gather::{Gathered, Reading, Seen, read};
use super::journal::Journal;
use super::terms::{InForce, Piece, Ruled, RuledCheck, ruled};
use crate::availability::figures::{Figures, Promised, Terms, verdict};
use crate::availability::incident::{self, Incident};
use crate::availability::segment::Segment;
use crate::availability::span_set::SpanSet;
use crate::availability::track::system::{self, Part};
use crate::availability::track::{Strain, Track, Vantage, View, alone, lanes, quorum};
use crate::model::id::{CheckId, SystemId, VantageId};
use crate::model::span::Span;
use crate::model::system::Objective;
use crate::model::time::Millis;

/// A period, and until when it is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) period: Span,
    pub(super) until: Millis,
}

impl Frame {
    /// What of `watched` is over.
    pub(super) fn over(self, watched: &SpanSet) -> SpanSet {
        let past = Span::new(Millis(i64::MIN), self.until);
        past.map(|it| watched.within(it)).unwrap_or_default()
    }

    /// The incidents with a part in what of the period is over, whole.
    pub(super) fn incidents(self, track: &Track) -> Vec<Incident> {
        let over = Span::new(self.period.start(), self.period.end().min(self.until));
        let mut all = incident::incidents(track);
        all.retain(|it| over.is_some_and(|over| it.down().length_within_ms(over) > 0));
        all
    }
}

/// The course of a system around a period, and what is judged of the period.
#[derive(Debug)]
pub struct Judged {
    /// The course.
    pub track: Track,
    /// Time that leaves the figures: excluded maintenance.
    pub maintenance: SpanSet,
    /// The period in pieces of equal promises, as far as it is over.
    pub pieces: Vec<Piece>,
    /// Whether it had a critical check at all; if not its course is not known.
    pub(super) is_watched: bool,
    pub(super) frame: Frame,
    pub(super) service: SpanSet,
    pub(super) watched: SpanSet,
    /// Checks by the places that outages name.
    pub(super) places: Vec<CheckId>,
}

impl Judged {
    /// What is judged: agreed hours without excluded maintenance, while watched.
    #[must_use]
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            period: self.frame.period,
            service: Some(&self.service),
            maintenance: &self.maintenance,
            watched: Some(&self.watched),
        }
    }

    /// The official figures of the period.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures::of(&self.track, &self.terms())
    }

    /// Those of each piece, whose times add up to the whole.
    #[must_use]
    pub fn piecewise(&self) -> Vec<(Piece, Figures)> {
        let figures = |piece: &Piece| {
            let terms = Terms { period: piece.span, ..self.terms() };
            (piece.clone(), Figures::of(&self.track, &terms))
        };
        self.pieces.iter().map(figures).collect()
    }

    /// When the system was held to which objective.
    pub fn held(&self) -> Vec<(Span, Objective)> {
        self.pieces.iter().filter_map(|it| Some((it.span, it.objective?))).collect()
    }

    /// The incidents with a part in what of the period is over, whole.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        self.frame.incidents(&self.track)
    }

    /// The checks that an incident hit, in order.
    #[must_use]
    pub fn checks(&self, incident: &Incident) -> Vec<CheckId> {
        names(&self.places, incident)
    }
}

/// Against the objectives of the pieces that have one; `None`: held to nothing.
#[must_use]
pub fn promised(pieces: &[(Piece, Figures)]) -> Option<Promised> {
    Promised::of(pieces.iter().map(|(piece, it)| (piece.objective, piece.coverage_ppm, it)))
}

/// Whether enough is known for one number, by the coverage agreed in each piece.
#[must_use]
pub fn has_enough_data(pieces: &[(Piece, Figures)]) -> bool {
    verdict::are_enough(pieces.iter().map(|(piece, it)| (piece.coverage_ppm, it)))
}

/// Judges a system in a period; `None` if no contract knows it then, or it has no critical check
/// ("không giám sát").
///
/// # Errors
///
/// [`ReportError::History`] for a damaged block, never a smaller answer; beyond the calendar;
/// [`ReportError::TooLong`] if nobody waits for the answer any more.
pub fn judge(
    reading: Reading<'_>,
    journal: &Journal,
    id: &SystemId,
    period: Span,
) -> Result<Option<Judged>, ReportError> {
    let mut first = |check: &_| Ok(reading.reader.first_started(check)?);
    let Some(ruled) = ruled(journal, id, period, reading.until, &mut first)? else {
        return Ok(None);
    };
    let mut checks = Vec::new();
    for check in &ruled.checks {
        checks.push(parts(check, &read(reading, check, period)?));
    }
    let judged = system(&ruled, checks, Frame { period, until: reading.until });
    Ok(Some(judged).filter(|it| it.is_watched))
}

/// Down time that the objectives in force allow in a whole period, what is still to come of it
/// included: their shares of the agreed hours without excluded maintenance, in milliseconds.
///
/// # Errors
///
/// As [`judge`].
pub fn budget_ms(
    reading: Reading<'_>,
    journal: &Journal,
    id: &SystemId,
    period: Span,
) -> Result<i64, ReportError> {
    let mut first = |check: &_| Ok(reading.reader.first_started(check)?);
    let Some(ruled) = ruled(journal, id, period, period.end(), &mut first)? else { return Ok(0) };
    let offered = ruled.service.minus(&ruled.windows.excluded);
    let budget = |it: &Piece| Some(it.objective?.budget_ms(offered.length_within_ms(it.span)));
    Ok(ruled.pieces.iter().filter_map(budget).sum())
}

/// The courses of a check as parts of its system, one for each way of judging it that was in force
/// since the first result that was read.
pub(super) fn parts(ruled: &RuledCheck, gathered: &Gathered) -> Vec<Part> {
    let from = gathered.range.map_or(Millis(i64::MIN), Span::start);
    let matters = |it: &&InForce| it.watched.spans().last().is_some_and(|it| it.end() > from);
    ruled.rules.iter().filter(matters).map(|it| part(it, &gathered.seen)).collect()
}

/// A system from its checks.
pub(super) fn system(ruled: &Ruled, checks: Vec<Vec<Part>>, frame: Frame) -> Judged {
    let critical = || checks.iter().flatten().filter(|it| it.critical);
    let before = union(critical().map(|it| &it.watched));
    let mut after = Vec::new();
    for (parts, check) in checks.iter().zip(&ruled.checks) {
        for part in parts.iter().filter(|it| it.critical) {
            after.extend_from_slice(part.watched.minus(&check.windows.excluded).spans());
        }
    }
    // Where every critical check is in maintenance of its own, the system is.
    let after: SpanSet = after.into_iter().collect();
    let all_out = before.minus(&after).within(frame.period);
    let (mut places, mut all) = (Vec::new(), Vec::new());
    for (parts, check) in checks.into_iter().zip(&ruled.checks) {
        let out = check.windows.excluded.minus(&all_out);
        for part in parts {
            places.push(check.id.clone());
            all.push(Part { watched: part.watched.minus(&out), ..part });
        }
    }
    let track = system::track(&all);
    Judged {
        is_watched: track.is_some(),
        track: track.unwrap_or_default(),
        maintenance: ruled.windows.excluded.union(&all_out),
        pieces: ruled.pieces.clone(),
        frame,
        service: ruled.service.clone(),
        watched: frame.over(&system::watched(&all)),
        places,
    }
}

/// The checks that an incident hit, in order.
pub(super) fn names(places: &[CheckId], incident: &Incident) -> Vec<CheckId> {
    let hit = incident.checks();
    let mut names: Vec<CheckId> =
        hit.iter().filter_map(|place| places.get(*place).cloned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

pub(super) fn union<'a>(sets: impl Iterator<Item = &'a SpanSet>) -> SpanSet {
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

pub(super) fn samples(
    seen: Option<&Seen>,
    lane: crate::model::check::Lane,
) -> Vec<crate::availability::sample::Sample> {
    let lanes = seen.map_or(&[][..], |it| &it.lanes);
    lanes.iter().find(|it| it.0 == lane).map(|it| it.1.clone()).unwrap_or_default()
}

/// Without what lies outside of `watched`, in all that a system takes over from its checks as
/// it is.
pub(super) fn clip(track: Track, watched: &SpanSet) -> Track {
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
