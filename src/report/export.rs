//! Raw results for an auditor, with all that is needed to work out the same integers
//! (`docs/export.md`).

use std::io::Write;

use serde_json::{Value, json};

use super::build::{Progress, Request, chosen, chosen_check};
use super::gather::{Reading, range, streams};
use super::journal::Journal;
use super::period::written;
use super::terms::{Ruled, RuledCheck};
use super::{METHOD, ReportError, canonical, zone_of};
use crate::availability::span_set::SpanSet;
use crate::history::{Filter, Reader};
use crate::model::id::CheckId;
use crate::model::phases::Phase;
use crate::model::result::{RunResult, VoidSpan};
use crate::model::span::Span;
use crate::model::time::Millis;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180, after lines that begin with `#` and hold all that is no result.
    Csv,
}

/// The columns of a result, in both forms.
const COLUMNS: [&str; 20] = [
    "check",
    "lane",
    "vantage",
    "due_ms",
    "kind",
    "run",
    "started_ms",
    "lateness_us",
    "outcome",
    "reason",
    "counts_as",
    "dns_us",
    "connect_us",
    "tls_us",
    "send_us",
    "wait_us",
    "receive_us",
    "status",
    "bytes",
    "reused",
];

/// Writes the results of a check, or of all checks of the systems asked for, with margins.
/// Gives how many results were written.
///
/// # Errors
///
/// [`ReportError`] as for a report; then what was written is not whole.
pub fn export(
    reader: &Reader,
    journal: &Journal,
    request: &Request,
    check: Option<&CheckId>,
    form: Form,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, ReportError> {
    let (name, zone) = zone_of(journal)?;
    let period = request.period.span;
    if period.start() >= request.now {
        return Err(ReportError::Future { from: written(period.start(), &zone) });
    }
    let systems = match check {
        Some(id) => vec![chosen_check(reader, journal, id, period, request.now)?],
        None => chosen(reader, journal, request)?,
    };
    let total = systems.iter().map(|it| it.checks.len()).sum();
    let top = json!({
        "type": "export",
        "version": 1,
        "method": METHOD,
        "software": request.software,
        "zone": name,
        "from_ms": period.start().0,
        "to_ms": period.end().0,
        "judged_until_ms": period.end().min(request.now).0,
        "finished": request.now >= period.end(),
        "columns": COLUMNS,
    });
    let mut exporter = Exporter { reader, period, until: request.now, form, out, results: 0 };
    exporter.told(&top)?;
    // In CSV all that is no result stands before the columns.
    for check in systems.iter().flat_map(|it| it.checks.iter().map(move |check| (it, check))) {
        exporter.about(check.0, check.1)?;
    }
    if form == Form::Csv {
        write!(exporter.out, "{}\r\n", COLUMNS.join(","))?;
    }
    for (place, check) in systems.iter().flat_map(|it| &it.checks).enumerate() {
        exporter.results(check)?;
        progress(Progress { checks: place + 1, checks_total: total });
    }
    exporter.out.flush()?;
    Ok(exporter.results)
}

struct Exporter<'a> {
    reader: &'a Reader,
    period: Span,
    until: Millis,
    form: Form,
    out: &'a mut dyn Write,
    results: u64,
}

impl Exporter<'_> {
    /// A line that is no result.
    fn told(&mut self, value: &Value) -> Result<(), ReportError> {
        let text = canonical::text(value);
        match self.form {
            Form::Jsonl => write!(self.out, "{text}")?,
            Form::Csv => write!(self.out, "# {}\r\n", text.trim_end())?,
        }
        Ok(())
    }

    /// What must be known of a check to judge it, and its void spans.
    fn about(&mut self, system: &Ruled, check: &RuledCheck) -> Result<(), ReportError> {
        let range = self.range(check)?;
        self.told(&head(system, check, range, self.period))?;
        for void in self.reader.void_spans(&check.id, range.unwrap_or(self.period), usize::MAX)? {
            self.told(&void_span(&void))?;
        }
        Ok(())
    }

    fn results(&mut self, check: &RuledCheck) -> Result<(), ReportError> {
        let Some(range) = self.range(check)? else { return Ok(()) };
        let (lanes, vantages) = streams(check);
        let mut written = Ok(());
        let (form, out, count) = (self.form, &mut self.out, &mut self.results);
        self.reader.scan(&check.id, range, &Filter::default(), |it| {
            if written.is_ok() && lanes.contains(&it.lane) && vantages.contains(&it.vantage) {
                written = result(form, *out, &it);
                *count += 1;
            }
        })?;
        Ok(written?)
    }

    fn range(&self, check: &RuledCheck) -> Result<Option<Span>, ReportError> {
        range(Reading::whole(self.reader, self.until), check, self.period)
    }
}

fn head(system: &Ruled, check: &RuledCheck, range: Option<Span>, period: Span) -> Value {
    let pair = |it: Span| json!([it.start().0, it.end().0]);
    let set =
        |it: &SpanSet| it.within(period).spans().iter().map(|it| pair(*it)).collect::<Vec<_>>();
    let step = |(from, interval_ms, step): &(Millis, i64, crate::model::step::Step)| {
        json!({
            "from_ms": from.0,
            "interval_ms": interval_ms,
            "step_us": step.step_us,
            "phase_us": step.phase_us,
            "reach_ms": step.reach_ms(),
        })
    };
    let rule = |it: &super::terms::InForce| {
        json!({
            "confirm": it.rule.confirm.needed(),
            "critical": it.critical,
            "lanes": it.rule.lanes.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            "vantages": it.rule.vantages.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(),
            "quorum_bad": it.rule.quorum.bad,
            "quorum_known": it.rule.quorum.known,
            "watched_ms": set(&it.watched),
        })
    };
    json!({
        "type": "check",
        "check": check.id.as_str(),
        "system": system.id.as_str(),
        "schedule": check.steps.iter().map(step).collect::<Vec<_>>(),
        "rules": check.rules.iter().map(rule).collect::<Vec<_>>(),
        "service_ms": set(&system.service),
        "maintenance_ms": set(&system.windows.excluded.union(&check.windows.excluded)),
        "read_ms": range.map(pair),
    })
}

fn void_span(it: &VoidSpan) -> Value {
    json!({
        "type": "void",
        "check": it.check.as_str(),
        "vantage": it.vantage.as_str(),
        "from_ms": it.from.0,
        "to_ms": it.to.0,
        "reason": it.reason.as_str(),
    })
}

fn result(form: Form, out: &mut dyn Write, it: &RunResult) -> std::io::Result<()> {
    let counts = match it.testimony() {
        Some(crate::model::outcome::Testimony::Good) => "good",
        Some(crate::model::outcome::Testimony::Bad) => "bad",
        None => "nothing",
    };
    let phase = |it: &RunResult, phase| it.phases.get(phase).0;
    let (lane, kind) = (it.lane.as_str(), it.kind.as_str());
    let (outcome, reason) = (it.outcome().as_str(), it.reason.as_str());
    // Ids and words hold nothing that either form would have to escape.
    match form {
        Form::Csv => {
            write!(out, "{},{lane},{},{},{kind},{},", it.check, it.vantage, it.due.0, it.run)?;
            write!(out, "{},{},{outcome},{reason},{counts},", it.started.0, it.lateness.0)?;
            for one in Phase::ALL {
                write!(out, "{},", phase(it, one))?;
            }
            let status = it.status.map_or(String::new(), |it| it.to_string());
            write!(out, "{status},{},{}\r\n", it.bytes, it.reused)
        }
        Form::Jsonl => {
            write!(out, r#"{{"type":"result","check":"{}","lane":"{lane}","#, it.check)?;
            write!(out, r#""vantage":"{}","due_ms":{},"#, it.vantage, it.due.0)?;
            write!(out, r#""kind":"{kind}","run":{},"started_ms":{},"#, it.run, it.started.0)?;
            write!(out, r#""lateness_us":{},"outcome":"{outcome}","#, it.lateness.0)?;
            write!(out, r#""reason":"{reason}","counts_as":"{counts}","#)?;
            for one in Phase::ALL {
                write!(out, r#""{}_us":{},"#, one.as_str(), phase(it, one))?;
            }
            let status = it.status.map_or("null".to_owned(), |it| it.to_string());
            writeln!(out, r#""status":{status},"bytes":{},"reused":{}}}"#, it.bytes, it.reused)
        }
    }
}
