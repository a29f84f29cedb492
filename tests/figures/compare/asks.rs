//! Random questions: periods, service hours, maintenance, objectives.

use thongsuot::availability::figures::Terms;
use thongsuot::availability::maintenance::{Window, excluded};
use thongsuot::availability::span_set::SpanSet;
use thongsuot::model::span::Span;
use thongsuot::model::system::Objective;
use thongsuot::model::time::Millis;

use crate::reference::{Ask, Maintenance, end, span, start};
use crate::simulate::{Dice, Scenario};

const DAY_MS: i64 = 86_400_000;

/// What is asked, in the words of the reference, and the objective.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) objective: Objective,
}

/// The sets that the fast code is asked with.
pub(super) struct Given {
    period: Span,
    service: Option<SpanSet>,
    maintenance: SpanSet,
    watched: Option<SpanSet>,
}

impl Given {
    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            period: self.period,
            service: self.service.as_ref(),
            maintenance: &self.maintenance,
            watched: self.watched.as_ref(),
        }
    }
}

impl Question {
    /// Some question about the time of `scenario`, or a bit more or less.
    pub(super) fn of(scenario: &Scenario, dice: &mut Dice) -> Self {
        let (from, to) = (start(scenario.span), end(scenario.span));
        let long = to - from;
        let early = from + dice.within(-long / 8, long / 4);
        let mut ask = Ask::plain(span(early, to + dice.within(-long / 4, long / 8)).unwrap());
        if dice.chance(500) {
            ask.period = scenario.span;
        }
        let somewhen = |dice: &mut Dice| {
            let at = from + dice.within(-long / 8, long);
            span(at, at + dice.within(1, long / 3)).unwrap()
        };
        for _ in 0..dice.pick(&[0, 0, 1, 3]) {
            let announced = somewhen(dice);
            let recorded = start(announced) - dice.pick(&[0, DAY_MS - 1, DAY_MS, 2 * DAY_MS]);
            ask.maintenance.push(Maintenance { recorded, announced });
        }
        if dice.chance(300) {
            ask.hours = Some((0..dice.within(0, 4)).map(|_| somewhen(dice)).collect());
        }
        ask.begin = dice.chance(200).then(|| from + dice.within(-long / 8, long / 2));
        ask.weights = (0..scenario.vantages).map(|_| dice.within(1, 3)).collect();
        ask.coverage_bp = dice.pick(&[9_900, 9_900, 5_000, 0]);
        let objective = Objective::parse(dice.pick(&["100%", "99.9%", "99%", "95%", "80%"]));
        Self { ask, objective: objective.unwrap() }
    }

    /// The same, for the fast code.
    pub(super) fn given(&self) -> Given {
        let windows: Vec<Window> = self
            .ask
            .maintenance
            .iter()
            .map(|it| Window {
                recorded: Millis(it.recorded),
                announced: it.announced,
                done: None,
                withdrawn: None,
            })
            .collect();
        let since = |it: i64| span(it, 1_000_000_000_000_000).map(SpanSet::from);
        Given {
            period: self.ask.period,
            service: self.ask.hours.as_ref().map(|it| it.iter().copied().collect()),
            maintenance: excluded(&windows, self.ask.notice_ms),
            watched: self.ask.begin.and_then(since),
        }
    }

    pub(super) fn judged(&self) -> SpanSet {
        self.given().terms().judged()
    }
}

/// A month of 30 s, three vantages and 20 outages, with a few losses and an absence.
pub(super) fn month(seed: u64) -> Scenario {
    let mut it = Scenario::isolated(seed ^ 0x30_DA75, 3, 20, (20_000, 3_600_000));
    let mut dice = Dice::new(seed);
    let begin = start(it.span);
    let month = 30 * DAY_MS;
    for fault in &mut it.faults {
        let from = begin + dice.within(0, month - 4_000_000);
        fault.span = span(from, from + fault.span.length_ms()).unwrap();
    }
    it.faults.sort_by_key(|it| it.span);
    it.span = span(begin, begin + month).unwrap();
    it.lost_permille = 2;
    let away = begin + dice.within(0, month / 2);
    it.absences.push((Some(1), span(away, away + 7_200_000).unwrap()));
    it.absences.push((None, span(away + DAY_MS, away + DAY_MS + 600_000).unwrap()));
    it
}
