//! A report for a terminal: 80 columns, in Vietnamese or English, never by colour alone.

mod system;
mod words;

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::{METHOD, Report};
use crate::availability::calendar::Calendar;
use crate::model::bytes::hex;
pub use words::Language;
use words::Words;

/// Columns of a line.
const COLUMNS: usize = 80;

/// Columns of what a line is about.
const LABEL: usize = 18;

/// The whole report.
#[must_use]
pub fn text(report: &Report, language: Language) -> String {
    let mut page =
        Page { out: String::new(), words: Words { language, zone: report.zone.1.clone() } };
    page.head(report);
    let mut owners: Vec<&str> = Vec::new();
    for system in &report.systems {
        if !owners.contains(&system.owner.as_str()) {
            owners.push(system.owner.as_str());
        }
    }
    for owner in owners {
        let own = report.systems.iter().filter(|it| it.owner.as_str() == owner);
        for (place, system) in own.enumerate() {
            if place == 0 {
                let _ = writeln!(page.out, "\n{}", system.owner_name.to_uppercase());
            }
            page.system(system);
        }
    }
    page.foot(report);
    page.out.replace('\u{a0}', " ")
}

struct Page {
    out: String,
    words: Words,
}

impl Page {
    fn head(&mut self, report: &Report) {
        let words = &self.words;
        let kind = match report.period.calendar {
            Some(Calendar::Nd09) => words.pick(" (NĐ 09/2019/NĐ-CP)", " (NĐ 09/2019/NĐ-CP)"),
            Some(Calendar::Civil) => words.pick(" (dương lịch)", " (civil calendar)"),
            None => "",
        };
        let title = words.pick("BÁO CÁO MỨC ĐỘ SẴN SÀNG", "AVAILABILITY REPORT");
        let span = report.period.span;
        let mut text = format!("{title} · {}{kind}\n", report.period.name);
        if report.period.name.is_empty() {
            text = format!("{title}\n");
        }
        let (from, to) = (words.instant(span.start()), words.instant(span.end()));
        let _ = writeln!(text, "{from} – {to} ({})", report.zone.0);
        if let Some(until) = report.until {
            let unfinished =
                words.pick("KỲ CHƯA KẾT THÚC: số liệu tính đến", "NOT FINISHED: judged until");
            let _ = writeln!(text, "{unfinished} {}", words.instant(until));
        }
        let it = &report.rollup;
        let count =
            |count: usize, vi, en| (count > 0).then(|| format!("{count} {}", words.pick(vi, en)));
        let counts: Vec<String> = [
            count(it.met, "đạt", "met"),
            count(it.missed, "không đạt", "missed"),
            count(it.within_error, "trong sai số đo", "within the error of measurement"),
            count(it.not_enough_data, "không đủ dữ liệu", "not enough data"),
            count(it.measured_only, "không có mục tiêu", "without an objective"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let systems = i64::try_from(report.systems.len()).unwrap_or(i64::MAX);
        let systems = words.count(systems, "hệ thống", "system", "systems");
        let _ = writeln!(text, "{systems}: {}", counts.join(" · "));
        if let Some((median, worst)) = it.median.zip(it.worst).filter(|_| report.systems.len() > 1)
        {
            let (median, worst) = (words.percent(median), words.percent(worst));
            let _ = writeln!(
                text,
                "{} {median} · {} {worst}",
                words.pick("trung vị", "median"),
                words.pick("thấp nhất", "worst")
            );
        }
        self.out.push_str(&text);
    }

    fn foot(&mut self, report: &Report) {
        let words = self.words.clone();
        let slowest =
            report.systems.iter().flat_map(|it| &it.checks).map(|it| it.interval_ms).max();
        if let Some(interval) = slowest {
            let text = words.pick(
                "Độ phân giải của phép đo: gián đoạn ngắn hơn thời gian xác nhận bị bỏ sót hoặc thành chớp; bước đo dài nhất",
                "Resolution: outages shorter than their confirmation are missed or become blips; longest interval",
            );
            self.out.push('\n');
            self.wrapped(&format!("{text} {}.", words.duration(interval)), 0);
        }
        let mut told: Vec<&str> = Vec::new();
        for (_, fingerprint, event) in &report.contracts {
            if !told.contains(&fingerprint.as_str()) {
                told.push(fingerprint);
                let what = words.pick("cấu hình", "configuration");
                let assumed = if event.is_none() {
                    words.pick(
                        " (từ tệp, không có trong nhật ký)",
                        " (from a file, not in the journal)",
                    )
                } else {
                    ""
                };
                let _ = writeln!(self.out, "{what} {fingerprint}{assumed}");
            }
        }
        let blocks: usize =
            report.systems.iter().flat_map(|it| &it.checks).map(|it| it.blocks.len()).sum();
        let _ = writeln!(
            self.out,
            "{blocks} {} {}",
            words.pick("khối", "blocks"),
            hex(&report.manifest)
        );
        if let Some((seq, hash)) = &report.head {
            let _ = writeln!(self.out, "{} {seq} {}", words.pick("nhật ký", "journal"), hex(hash));
        }
        let _ = writeln!(self.out, "{METHOD} · thongsuot {}", report.software);
    }

    /// A label and a text, broken into lines.
    fn line(&mut self, label: &str, text: &str) {
        let pad = " ".repeat(LABEL.saturating_sub(label.width()));
        let _ = write!(self.out, "  {label}{pad}");
        if text.is_empty() {
            while self.out.ends_with(' ') {
                self.out.pop();
            }
            self.out.push('\n');
            return;
        }
        self.wrapped(text, LABEL + 2);
    }

    /// A line of a list; `depth` is how deep it is in it.
    fn item(&mut self, depth: usize, text: &str) {
        let indent = 4 + 2 * depth;
        self.out.push_str(&" ".repeat(indent));
        self.wrapped(text, indent + 4);
    }

    /// Breaks `text` at its spaces, not at those that do not break; lines after the first begin `indent` columns in, where the
    /// first already is.
    fn wrapped(&mut self, text: &str, indent: usize) {
        let mut column = self
            .out
            .lines()
            .last()
            .filter(|_| !self.out.ends_with('\n'))
            .map_or(0, UnicodeWidthStr::width);
        let mut first = true;
        for word in text.split(' ') {
            let width = word.width();
            if !first && column + 1 + width > COLUMNS {
                let _ = write!(self.out, "\n{}", " ".repeat(indent));
                column = indent;
            } else if !first {
                self.out.push(' ');
                column += 1;
            }
            self.out.push_str(word);
            column += width;
            first = false;
        }
        self.out.push('\n');
    }
}
