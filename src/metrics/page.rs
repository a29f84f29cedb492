//! A page of metrics, written piece by piece: whoever sends it decides the pace, and no more
//! than a piece is in memory. The samples of a family stay together.

use std::sync::Arc;

use super::family::{self, Family};
use super::series::{CheckCell, SystemCell, SystemTold, Table};
use super::write::{Format, Value, Writer};
use crate::model::phases::Phase;
use crate::model::state::State;

/// Bytes after which a piece is handed over: large enough for a good write to a socket, small
/// enough that a hundred pages under way cost little.
pub const PIECE_BYTES: usize = 64 * 1024;

/// Families by check or system, in the order of the page.
const SECTIONS: [Family; 18] = [
    family::RESULTS,
    family::DURATION,
    family::PHASES,
    family::CHECK_STATE,
    family::TLS_NOT_AFTER,
    family::VANTAGE,
    family::SYSTEM_INFO,
    family::SYSTEM_OBJECTIVE,
    family::SYSTEM_DEPENDENCY,
    family::SYSTEM_STATE,
    family::SYSTEM_SINCE,
    family::MAINTENANCE_ACTIVE,
    family::INCIDENTS,
    family::INCIDENT_OPEN,
    family::SYSTEM_AVAILABILITY,
    family::SYSTEM_COVERAGE,
    family::SYSTEM_BUDGET,
    family::SYSTEM_BURN,
];

/// A page under way.
#[derive(Debug)]
pub struct Page {
    format: Format,
    table: Arc<Table>,
    bounds: Arc<[String]>,
    /// Already written families of the daemon, until handed over.
    head: Vec<u8>,
    section: usize,
    row: usize,
    done: bool,
}

impl Page {
    pub(super) fn new(
        format: Format,
        table: Arc<Table>,
        bounds: Arc<[String]>,
        head: Vec<u8>,
    ) -> Self {
        Self { format, table, bounds, head, section: 0, row: 0, done: false }
    }

    /// The format it is written in.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Appends the next piece, [`PIECE_BYTES`] and a little; false once all is written.
    pub fn fill(&mut self, out: &mut Vec<u8>) -> bool {
        if self.done {
            return false;
        }
        let end = out.len() + PIECE_BYTES;
        out.append(&mut self.head);
        let mut writer = Writer { format: self.format, out };
        while let Some(family) = SECTIONS.get(self.section) {
            if writer.out.len() >= end {
                return true;
            }
            if self.row == 0 {
                writer.head(family);
            }
            if row(&mut writer, &self.table, &self.bounds, family, self.row) {
                self.row += 1;
            } else {
                (self.section, self.row) = (self.section + 1, 0);
            }
        }
        writer.end();
        self.done = true;
        true
    }
}

/// Writes the samples of one check, system or vantage; false if there is no such row.
fn row(
    writer: &mut Writer<'_>,
    table: &Table,
    bounds: &[String],
    family: &Family,
    row: usize,
) -> bool {
    if *family == family::VANTAGE {
        let Some(vantage) = table.vantage.as_ref().filter(|_| row == 0) else { return false };
        let labels = [("vantage", vantage.as_str()), ("carrier", table.carrier.as_str())];
        writer.sample(family, &labels, Value::Count(1));
        return true;
    }
    if [family::SYSTEM_INFO, family::SYSTEM_OBJECTIVE, family::SYSTEM_DEPENDENCY].contains(family) {
        let Some(told) = table.told.get(row) else { return false };
        told_row(writer, family, told);
        return true;
    }
    if family.labels.first() == Some(&"system") && family.labels.get(1) != Some(&"check") {
        let Some(cell) = table.systems.get(row) else { return false };
        system_row(writer, family, cell);
        return true;
    }
    let Some(cell) = table.checks.get(row) else { return false };
    let check = ("check", cell.check.as_str());
    let counts = cell.counts();
    if *family == family::RESULTS {
        for (told, count) in &counts.results {
            let labels = result_labels(table, cell, told.labels());
            writer.sample(family, &labels, Value::Count(*count));
        }
    } else if *family == family::DURATION {
        let labels = [("system", cell.system.as_str()), check];
        writer.histogram(family, &labels, bounds, &counts.buckets, Value::Micros(counts.sum_us));
    } else if *family == family::PHASES {
        for (phase, sum) in Phase::ALL.iter().zip(counts.phases_us) {
            if sum > 0 {
                writer.sample(family, &[check, ("phase", phase.as_str())], Value::Micros(sum));
            }
        }
    } else if *family == family::CHECK_STATE {
        one_hot(writer, family, check, counts.state);
    } else if let Some(not_after) = counts.tls_not_after {
        writer.sample(family, &[check], Value::Millis(not_after.0));
    }
    true
}

/// What the configuration says of a system.
fn told_row(writer: &mut Writer<'_>, family: &Family, told: &SystemTold) {
    let system = ("system", told.system.as_str());
    if *family == family::SYSTEM_INFO {
        let owner = [
            ("owner", told.owner.as_str()),
            ("name", told.name.as_str()),
            ("owner_name", told.owner_name.as_str()),
        ];
        writer.sample(family, &[system, owner[0], owner[1], owner[2]], Value::Count(1));
    } else if *family == family::SYSTEM_OBJECTIVE {
        if let Some(objective) = told.objective {
            let good = f64::from(1_000_000 - objective.down_ppm()) / 1e6;
            writer.sample(family, &[system], Value::Float(good));
        }
    } else {
        for on in &told.depends_on {
            writer.sample(family, &[system, ("on", on.as_str())], Value::Count(1));
        }
    }
}

fn system_row(writer: &mut Writer<'_>, family: &Family, cell: &SystemCell) {
    let system = ("system", cell.system.as_str());
    if *family == family::SYSTEM_STATE {
        let state = *cell.state();
        return one_hot(writer, family, system, state);
    }
    let facts = cell.facts();
    let figures = &facts.figures;
    let by_window = if *family == family::SYSTEM_AVAILABILITY {
        &figures.availability
    } else if *family == family::SYSTEM_COVERAGE {
        &figures.coverage
    } else if *family == family::SYSTEM_BURN {
        &figures.burn_rate
    } else {
        let value = if *family == family::MAINTENANCE_ACTIVE {
            Some(Value::Count(u64::from(facts.maintenance)))
        } else if *family == family::INCIDENTS {
            Some(Value::Count(facts.incidents))
        } else if *family == family::SYSTEM_SINCE {
            facts.since.map(|it| Value::Millis(it.0))
        } else if *family == family::INCIDENT_OPEN {
            Some(Value::Count(u64::from(facts.incident_open)))
        } else {
            figures.budget_remaining.map(Value::Float)
        };
        if let Some(value) = value {
            writer.sample(family, &[system], value);
        }
        return;
    };
    for (window, share) in by_window {
        writer.sample(family, &[system, ("window", window)], Value::Float(*share));
    }
}

fn result_labels<'a>(
    table: &'a Table,
    cell: &'a CheckCell,
    (outcome, reason): (&'static str, &'static str),
) -> [(&'a str, &'a str); 7] {
    [
        ("owner", cell.owner.as_str()),
        ("system", cell.system.as_str()),
        ("check", cell.check.as_str()),
        ("kind", cell.kind),
        ("vantage", table.vantage.as_ref().map_or("", |it| it.as_str())),
        ("outcome", outcome),
        ("reason", reason),
    ]
}

fn one_hot(writer: &mut Writer<'_>, family: &Family, whose: (&str, &str), now: State) {
    for state in State::ALL {
        let value = Value::Count(u64::from(state == now));
        writer.sample(family, &[whose, ("state", state.as_str())], value);
    }
}
