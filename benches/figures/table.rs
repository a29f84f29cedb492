//! The table, as `docs/performance.md` has it.

use std::fmt;

use crate::daemon;
use crate::delay::Errors;
use crate::disk::Kept;
use crate::month::Reported;
use crate::rival;

/// What the target of reports is of.
const DAYS_OF_TARGET: i64 = 30;
const CHECKS_OF_TARGET: i64 = 1_000;

/// Rows, and what is to be said below them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 5]>,
    notes: Vec<String>,
}

impl Table {
    /// Says something below the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// One row; a target of `-` is none.
    pub(crate) fn row(
        &mut self,
        figure: &str,
        reached: &str,
        target: &str,
        theirs: &str,
        ratio: Option<f64>,
    ) {
        let ratio = ratio.map_or_else(|| "-".to_owned(), |it| format!("{it:.1} times less"));
        self.rows.push([figure, reached, target, theirs, &ratio].map(str::to_owned));
    }

    /// Plain HTTP: ours, the exporter alone, and with Prometheus.
    pub(crate) fn plain(
        &mut self,
        ours: &daemon::Measured,
        theirs: &rival::Measured,
        both: &rival::Measured,
    ) {
        let (cpu, alone, all) = (ours.cpu_us.0, theirs.cpu_us.0, both.cpu_us.0);
        let reached = format!("{cpu:.0} us");
        let against = format!("{alone:.0} us alone");
        self.row("CPU, a plain HTTP run, all in", &reached, "150 us", &against, Some(alone / cpu));
        let against = format!("{all:.0} us with Prometheus");
        self.row("the same", &reached, "150 us", &against, Some(all / cpu));
        let memory = ours.memory_mb.0;
        self.row(
            "resident memory, 10,000 checks at 30 s",
            &format!("{memory:.0} MB"),
            "200 MB",
            &format!("{:.0} MB with Prometheus, 2,000 checks", both.memory_mb),
            Some(both.memory_mb / memory),
        );
        let late = format!("{:.1} ms", ours.lateness_ms(0.999));
        self.row("lateness p99.9, 10,000 checks at 30 s", &late, "10 ms", "-", None);
        let (ten, _, started) = ours.on_time;
        self.note(format!(
            "Plain HTTP: {:.0} runs a second. Least of the slices: {:.0} us ours, {:.0} us \
             blackbox_exporter, {:.0} us with Prometheus. Lateness p50 {:.2} ms, p99 {:.2} ms; \
             the daemon's own histogram: {ten:.0} of {started:.0} starts within 10 ms. Memory at \
             most {:.0} MB, a scrape included; a scrape of 10,000 checks costs {:.0} ms of CPU.",
            ours.runs_a_second(),
            ours.cpu_us.1,
            theirs.cpu_us.1,
            both.cpu_us.1,
            ours.lateness_ms(0.5),
            ours.lateness_ms(0.99),
            ours.memory_mb.1,
            ours.scrape_ms,
        ));
    }

    /// HTTPS: ours and the exporter.
    pub(crate) fn tls(&mut self, ours: &daemon::Measured, theirs: &rival::Measured) {
        let (cpu, alone) = (ours.cpu_us.0, theirs.cpu_us.0);
        self.row(
            "CPU, an HTTPS run, full handshake and verification",
            &format!("{cpu:.0} us"),
            "550 us",
            &format!("{alone:.0} us alone"),
            Some(alone / cpu),
        );
        self.note(format!(
            "HTTPS: {:.0} runs a second, HTTP/1.1, TLS 1.3, ECDSA P-256. Least of the slices: \
             {:.0} us ours, {:.0} us blackbox_exporter.",
            ours.runs_a_second(),
            ours.cpu_us.1,
            theirs.cpu_us.1,
        ));
    }

    /// `/probe`, ours and theirs: in clear, then over TLS.
    pub(crate) fn probe(
        &mut self,
        plain: &(rival::Measured, rival::Measured),
        tls: &(rival::Measured, rival::Measured),
    ) {
        for (what, (ours, theirs)) in [("plain HTTP", plain), ("HTTPS", tls)] {
            let (cpu, alone) = (ours.cpu_us.0, theirs.cpu_us.0);
            self.row(
                &format!("CPU, a probe of /probe, {what}"),
                &format!("{cpu:.0} us"),
                &format!("{:.0} us (1/5)", alone / 5.0),
                &format!("{alone:.0} us"),
                Some(alone / cpu),
            );
        }
        self.note(format!(
            "/probe: memory {:.0} and {:.0} MB ours, {:.0} and {:.0} MB blackbox_exporter.",
            plain.0.memory_mb, tls.0.memory_mb, plain.1.memory_mb, tls.1.memory_mb,
        ));
    }

    /// Every target hangs.
    pub(crate) fn hanging(&mut self, ours: &daemon::Measured) {
        let late = format!("{:.1} ms", ours.lateness_ms(0.999));
        self.row("lateness p99.9, every target hangs", &late, "50 ms", "-", None);
        let (_, fifty, started) = ours.on_time;
        self.note(format!(
            "Every target hangs: {:.0} runs a second with those that confirm, timeout 5 s; the \
             daemon's own histogram: {fifty:.0} of {started:.0} starts within 50 ms; {:.0} us of \
             CPU a run; {:.0} MB.",
            ours.runs_a_second(),
            ours.cpu_us.0,
            ours.memory_mb.0,
        ));
    }

    /// Errors of measured latencies.
    pub(crate) fn delay(&mut self, ours: &Errors, theirs: &Errors) {
        self.row(
            "latency against a known delay, p99 of the error, 300 runs/s",
            &format!("{:.2} ms", ours.total_p99),
            "1 ms",
            &format!("{:.2} ms", theirs.total_p99),
            Some(theirs.total_p99 / ours.total_p99),
        );
        self.note(format!(
            "Known delay: middle of the error {:.2} ms ours, {:.2} ms blackbox_exporter; of the \
             wait for the first byte alone, p99 {:.2} ms and {:.2} ms.",
            ours.total_p50, theirs.total_p50, ours.wait_p99, theirs.wait_p99,
        ));
    }

    /// Bytes a result.
    pub(crate) fn disk(&mut self, kept: &Kept) {
        let bytes = format!("{:.2}", kept.block_bytes);
        self.row("bytes a result on disk, sealed", &bytes, "9", "-", None);
        self.note(format!(
            "Bytes: {} results of 20 checks in 30 days; the whole file, tables and free pages \
             included, {:.2} a result; {:.1} us of wall time to store and seal one.",
            kept.results, kept.file_bytes, kept.stored_us,
        ));
    }
}

impl Table {
    /// A month's report.
    pub(crate) fn month(&mut self, it: &Reported) {
        let (all, few, one) = (&it.all, &it.few, &it.one);
        let whole = all.results * DAYS_OF_TARGET * CHECKS_OF_TARGET / it.days / it.checks as i64;
        let scale = whole as f64 / all.results as f64;
        let figure = format!(
            "report of everything, {} million results read here, by 268 million",
            all.results / 1_000_000
        );
        let reached = format!("{:.1} s, {:.0} s of them all", all.wall_s, all.wall_s * scale);
        self.row(&figure, &reached, "60 s", "-", None);
        self.row("memory of it", &format!("{:.0} MB", all.memory_mb), "1,000 MB", "-", None);
        let month_s = one.wall_s * DAYS_OF_TARGET as f64 / it.days as f64;
        self.row("a month of one system", &format!("{month_s:.2} s"), "1 s", "-", None);
        self.row("the live state, a result", &format!("{:.2} us", it.live_us), "2 us", "-", None);
        self.note(format!(
            "Report: {} days of {} checks from 3 vantages, made and sealed in {:.1} us a result; \
             {:.1} s of CPU for everything, {:.2} us a result; of 10 checks ({} results) {:.2} s, \
             {:.2} s of CPU, {:.2} us a result, {:.0} MB; of one system ({} results) {:.2} s, {:.2} s \
             of CPU, {:.0} MB.",
            it.days,
            it.checks,
            it.made_us,
            all.cpu_s,
            all.cpu_us(),
            few.results,
            few.wall_s,
            few.cpu_s,
            few.cpu_us(),
            few.memory_mb,
            one.results,
            one.wall_s,
            one.cpu_s,
            one.memory_mb,
        ));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | reached | target | blackbox_exporter in the same run | ratio |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for [figure, reached, target, theirs, ratio] in &self.rows {
            let most = if target == "-" { "" } else { "<= " };
            writeln!(f, "| {figure} | {reached} | {most}{target} | {theirs} | {ratio} |")?;
        }
        writeln!(f)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}
