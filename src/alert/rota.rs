//! The rota: who of a team is on call at an instant. A pure function of the configuration and
//! the time (bảng phân công trực).
//!
//! Of several layers the last that names somebody counts; of several overrides that overlap, the
//! one written last, and one written after it may stand in for the stand-in in turn. Where
//! nobody is named there is a hole, and the fallback list is on call.
//!
//! Everything is asked of the zone's clock and found by arithmetic: no turn is found by adding
//! 24 hours, and none by stepping through the turns before it.
//!
//! `holidays` is everywhere the table of the configuration: by date, each day once.

mod layer;
mod wall;
mod view;

use jiff::tz::TimeZone;

use crate::model::alerting::people::{Override, Team};
use crate::model::id::PersonId;
use crate::model::span::Span;
use crate::model::terms::Holiday;
use crate::model::time::Millis;

pub use view::{
    Hole, OnCallContact, OnCallPerson, OnCallShift, PlannedShift, TeamOnCall, ahead, kind, masked,
    planned, view,
};

/// How far [`who`] looks for the next change: 400 days, more than any turn that people agree on.
pub const LOOK_AHEAD_MS: i64 = 400 * 86_400_000;

/// Who is on call at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// Whom to call; one person, or the fallback list. Empty: the fallback list is.
    pub people: Vec<PersonId>,
    /// Why they are.
    pub via: Via,
    /// The first instant at which that changes; [`LOOK_AHEAD_MS`] from now if it does not until
    /// then.
    pub until: Millis,
}

/// Why somebody is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// It is their turn in this layer, from 0.
    Layer(usize),
    /// This override says so, from 0.
    Override(usize),
    /// Nobody is: a hole.
    Fallback,
}

/// A time in which the same people are on call for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// When.
    pub span: Span,
    /// Who.
    pub people: Vec<PersonId>,
    /// Why they are.
    pub via: Via,
}

/// Who is on call at `at`, and until when.
#[must_use]
pub fn who(team: &Team, holidays: &[Holiday], zone: &TimeZone, at: Millis) -> OnCall {
    let rota = Rota { team, holidays, zone };
    let first = rota.piece(at);
    let horizon = at.plus_ms(LOOK_AHEAD_MS);
    let mut until = first.until;
    while until < horizon {
        let next = rota.piece(until);
        if next.is_other(&first) {
            break;
        }
        until = next.until;
    }
    OnCall { people: rota.people(&first), via: first.via, until: until.min(horizon) }
}

/// Whom to call at `at`: [`who`] without the question until when.
#[must_use]
pub fn people(team: &Team, holidays: &[Holiday], zone: &TimeZone, at: Millis) -> Vec<PersonId> {
    let rota = Rota { team, holidays, zone };
    rota.people(&rota.piece(at))
}

/// Who of the team has the turn at `at`: nobody in a hole, where [`people`] names the fallback.
#[must_use]
pub fn on_duty(team: &Team, holidays: &[Holiday], zone: &TimeZone, at: Millis) -> Vec<PersonId> {
    let rota = Rota { team, holidays, zone };
    let piece = rota.piece(at);
    if piece.via == Via::Fallback { Vec::new() } else { rota.people(&piece) }
}

/// The shifts of `span`, in order, without gap or overlap, cut at its ends. Neighbours differ in
/// people or reason.
#[must_use]
pub fn changes(team: &Team, holidays: &[Holiday], zone: &TimeZone, span: Span) -> Vec<Shift> {
    let rota = Rota { team, holidays, zone };
    let mut shifts = Vec::new();
    let (mut start, mut first) = (span.start(), rota.piece(span.start()));
    let mut until = first.until;
    let mut close = |from, to: Millis, piece: &Piece<'_>| {
        let whole = Span::new(from, to.min(span.end()));
        shifts.extend(whole.map(|span| Shift { span, people: rota.people(piece), via: piece.via }));
    };
    while until < span.end() {
        let next = rota.piece(until);
        let end = next.until;
        if next.is_other(&first) {
            close(start, until, &first);
            (start, first) = (until, next);
        }
        until = end;
    }
    close(start, until, &first);
    shifts
}

/// The parts of `span` in which nobody is on call, so that the fallback list is called.
#[must_use]
pub fn holes(team: &Team, holidays: &[Holiday], zone: &TimeZone, span: Span) -> Vec<Span> {
    let shifts = changes(team, holidays, zone, span);
    shifts.into_iter().filter(|it| it.via == Via::Fallback).map(|it| it.span).collect()
}

/// Everybody who takes turns in the team, each once, in the order written.
#[must_use]
pub fn everyone(team: &Team) -> Vec<PersonId> {
    let mut all: Vec<PersonId> = Vec::new();
    for person in team.layers.iter().flat_map(|it| &it.people) {
        if !all.contains(person) {
            all.push(person.clone());
        }
    }
    all
}

struct Rota<'a> {
    team: &'a Team,
    holidays: &'a [Holiday],
    zone: &'a TimeZone,
}

/// What holds at an instant, at least until another.
struct Piece<'a> {
    person: Option<&'a PersonId>,
    via: Via,
    until: Millis,
}

impl<'a> Rota<'a> {
    fn piece(&self, at: Millis) -> Piece<'a> {
        let (named, until) = self.layers(at);
        let (person, via) = self.overridden(named, at);
        let edges = self.team.overrides.iter().flat_map(|it| [it.from, it.to]);
        let until = edges.filter(|it| *it > at).fold(until, Millis::min);
        // Time goes on, whatever the zone says of its clock.
        Piece { person, via, until: until.max(at.plus_ms(1)) }
    }

    /// What the layers say; the lower ones do not matter until the upper one changes.
    fn layers(&self, at: Millis) -> (Option<(&'a PersonId, Via)>, Millis) {
        let Some(wall) = wall::shown(at, self.zone) else { return (None, Millis(i64::MAX)) };
        let (mut found, mut until) = (None, i64::MAX);
        for (place, layer) in self.team.layers.iter().enumerate().rev() {
            let (person, end) = layer::named(layer, self.holidays, wall);
            until = until.min(end);
            if let Some(person) = person {
                found = Some((person, Via::Layer(place)));
                break;
            }
        }
        (found, wall::first_at(until, self.zone).unwrap_or(Millis(i64::MAX)))
    }

    fn overridden(
        &self,
        named: Option<(&'a PersonId, Via)>,
        at: Millis,
    ) -> (Option<&'a PersonId>, Via) {
        let (mut person, mut via) =
            named.map_or((None, Via::Fallback), |(person, via)| (Some(person), via));
        let mut from = 0;
        while let Some((place, it)) = self.last_for(person, at, from) {
            (person, via) = (Some(&it.person), Via::Override(place));
            from = place + 1;
        }
        (person, via)
    }

    /// The override written last, from the place `from` on, that stands in for `person` at `at`.
    fn last_for(
        &self,
        person: Option<&PersonId>,
        at: Millis,
        from: usize,
    ) -> Option<(usize, &'a Override)> {
        let fits = |it: &Override| {
            let instead = it.instead_of.as_ref().is_none_or(|one| Some(one) == person);
            instead && it.from <= at && at < it.to
        };
        self.team.overrides.iter().enumerate().skip(from).rev().find(|(_, it)| fits(it))
    }

    fn people(&self, piece: &Piece<'_>) -> Vec<PersonId> {
        piece.person.map_or_else(|| self.team.fallback.clone(), |it| vec![it.clone()])
    }
}

impl Piece<'_> {
    fn is_other(&self, than: &Self) -> bool {
        (self.person, self.via) != (than.person, than.via)
    }
}

#[cfg(test)]
mod tests;
