//! Owners, systems, directive tasks, and the roster that holds a whole configuration of them.

use std::{fmt, sync::Arc};

use super::alerting::rules::AlertRules;
use super::check::Check;
use super::id::{OwnerId, SystemId, TeamId};
use super::terms::{Holiday, Terms};

/// An agency that answers for systems (cơ quan chủ quản).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub id: OwnerId,
    /// Its official name.
    pub name: String,
}

/// A system that the public or officials use.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Its id.
    pub id: SystemId,
    /// Who answers for it.
    pub owner: OwnerId,
    /// Its official name.
    pub name: String,
    /// The availability it is held to; `None`: only measured.
    pub objective: Option<Objective>,
    /// What else is agreed of it.
    pub terms: Terms,
    /// Systems it can't work without.
    pub depends_on: Vec<SystemId>,
    /// What is told of it, and to whom.
    pub alert: AlertTerms,
    /// Its checks, in the order written, disabled ones too.
    pub checks: Vec<Arc<Check>>,
}

/// What is told of a system, and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertTerms {
    /// What is worth telling.
    pub rules: AlertRules,
    /// Who answers for it; `None`: the first team.
    pub team: Option<TeamId>,
    /// What to do when it fails: a link, or a few words.
    pub runbook: Option<String>,
}

/// A task that a directive sets, with its deadline as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its id.
    pub id: String,
    /// Number and date of the directive, as cited.
    pub document: String,
    /// The task, in the directive's own words.
    pub task: String,
    /// The deadline in the directive's own words; `None`: none is set.
    pub deadline: Option<String>,
    /// The systems it is about.
    pub systems: Vec<SystemId>,
}

/// All that is watched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roster {
    /// Agencies, in the order written.
    pub owners: Vec<Owner>,
    /// Systems, in the order written.
    pub systems: Vec<System>,
    /// Directive tasks, in the order written.
    pub directives: Vec<Directive>,
    /// Days that are not as their weekday, by date, each once.
    pub holidays: Vec<Holiday>,
}

impl Roster {
    /// Every check of every system, disabled ones too.
    pub fn checks(&self) -> impl Iterator<Item = &Arc<Check>> {
        self.systems.iter().flat_map(|system| &system.checks)
    }
}

/// An availability to be reached, kept as the share that may be down, in parts per million:
/// `99.9%` is 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Objective {
    down_ppm: u32,
}

impl Objective {
    /// Reads `99.9%`, `99,95 %` or `100%`: more than 0, at most 100, at most four decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim().strip_suffix('%')?.trim_end().replace(',', ".");
        let (whole, decimals) = number.split_once('.').unwrap_or((&number, ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 4 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let parts: u32 = format!("{whole}{decimals:0<4}").parse().ok()?;
        (1..=1_000_000).contains(&parts).then(|| Self { down_ppm: 1_000_000 - parts })
    }

    /// From the share that may be down, in parts per million; `None` if all of it may.
    #[must_use]
    pub fn from_down_ppm(down_ppm: u32) -> Option<Self> {
        (down_ppm < 1_000_000).then_some(Self { down_ppm })
    }

    /// Share that may be down, in parts per million.
    #[must_use]
    pub const fn down_ppm(self) -> u32 {
        self.down_ppm
    }

    /// Milliseconds that may be down in `judged_ms`, cut down.
    #[must_use]
    pub fn budget_ms(self, judged_ms: i64) -> i64 {
        let budget = i128::from(judged_ms) * i128::from(self.down_ppm) / 1_000_000;
        i64::try_from(budget).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = 1_000_000 - self.down_ppm;
        let decimals = format!("{:04}", parts % 10_000);
        let decimals = decimals.trim_end_matches('0');
        let dot = if decimals.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{decimals}%", parts / 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_read_exactly_and_printed_as_written() {
        for (text, ppm) in [("99.9%", 1_000), ("99,95 %", 500), ("100%", 0), ("99.9999%", 1)] {
            let objective = Objective::parse(text).unwrap();
            assert_eq!(objective.down_ppm(), ppm, "{text}");
            let plain = text.replace(',', ".").replace(' ', "");
            assert_eq!(objective.to_string(), plain);
        }
        for bad in ["99.9", "0%", "100.1%", "99.99999%", "%", ".5%", "-1%", "1e1%"] {
            assert_eq!(Objective::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_budget_is_exact_in_milliseconds() {
        let month = 31 * 86_400_000;
        assert_eq!(Objective::parse("99.9%").unwrap().budget_ms(month), 2_678_400);
        assert_eq!(Objective::parse("100%").unwrap().budget_ms(month), 0);
    }
}
