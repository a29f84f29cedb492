//! A system in a table: its figures, maintenance, incidents and checks.

use std::fmt::Write as _;

use super::Page;
use super::words::{Language, Words};
use crate::availability::figures::Verdict;
use crate::availability::track::Edge;
use crate::model::outcome::{Outcome, Testimony};
use crate::model::time::{Micros, Millis};
use crate::report::alerts::Told;
use crate::report::{CheckFigures, Episode, Measured, Shown, SystemFigures};

/// Incidents told of one system; the rest are counted.
const EPISODES_MAX: usize = 20;

impl Page {
    pub(super) fn system(&mut self, system: &SystemFigures) {
        let _ = writeln!(self.out, "\n{} [{}]", system.name, system.id);
        let words = self.words.clone();
        let Some(measured) = &system.measured else {
            let none = words.pick(
                "không giám sát: không có phép đo trọng yếu",
                "not watched: no critical check",
            );
            self.line("", none);
            return;
        };
        self.verdict(measured, system);
        self.figures(measured);
        if !system.maintenance.is_empty() {
            self.line(words.pick("Bảo trì", "Maintenance"), "");
            for (shown, down_ms) in &system.maintenance {
                self.maintenance(shown, *down_ms);
            }
        }
        if !system.episodes.is_empty() {
            self.line(words.pick("Sự cố", "Incidents"), "");
        }
        for it in system.episodes.iter().take(EPISODES_MAX) {
            self.episode(it, system.checks.len() > 1);
        }
        if system.episodes.len() > EPISODES_MAX {
            let more = system.episodes.len() - EPISODES_MAX;
            let text = words.pick("sự cố khác: xem --format json", "more: see --format json");
            self.item(0, &format!("… {more} {text}"));
        }
        if let [_, _, ..] = system.pieces.as_slice() {
            self.line(words.pick("Cam kết thay đổi", "Promise changed"), "");
            for (piece, figures) in &system.pieces {
                let objective = piece.objective.map_or_else(
                    || words.pick("không có mục tiêu", "no objective").to_owned(),
                    |it| words.objective(it),
                );
                let share = figures.availability().map_or("–".to_owned(), |it| words.percent(it));
                let down = words.duration(figures.times.down_ms);
                let from = words.instant(piece.span.start());
                self.item(
                    0,
                    &format!("{} {from}: {objective} · {share} · {down}", words.pick("từ", "from")),
                );
            }
        }
        self.line(words.pick("Phép đo", "Checks"), "");
        for check in &system.checks {
            self.check(check);
        }
    }

    fn verdict(&mut self, measured: &Measured, system: &SystemFigures) {
        let (promised, enough) = (system.promised, system.has_enough_data());
        let words = self.words.clone();
        let figures = &measured.figures;
        let share = match figures.availability() {
            None => words.pick("không có dữ liệu", "no data").to_owned(),
            Some(it) if enough => words.percent(it),
            Some(_) => {
                let range =
                    figures.hard_range().map(|it| (words.percent(it.0), words.percent(it.1)));
                let (least, most) = range.unwrap_or_default();
                format!("{} ({least} – {most})", words.pick("không đủ dữ liệu", "not enough data"))
            }
        };
        let objective = match system.pieces.as_slice() {
            [(only, _)] => only.objective.map(|it| format!(" ({})", words.objective(it))),
            _ => None,
        };
        let objective = objective.unwrap_or_default();
        let text = match promised {
            None => share,
            Some(it) => format!("{share}{objective} → {}", words.verdict(it.verdict)),
        };
        self.line(words.pick("Sẵn sàng", "Availability"), &text);
        if let Some(it) = promised {
            let used = it.used_thousandths.map(|it| words.thousandths(it));
            let used = used
                .map(|it| format!(", {} {it}", words.pick("đã dùng", "used")))
                .unwrap_or_default();
            let (down, budget) = (words.duration(it.down_ms), words.duration(it.budget_ms));
            let text = format!("{down} / {budget}{used}");
            self.line(words.pick("Hạn mức gián đoạn", "Error budget"), &text);
            if it.verdict == Verdict::WithinError {
                let text = words.pick(
                    "hạn mức nằm trong sai số của phép đo: không kết luận",
                    "the budget lies within the error of measurement: no conclusion",
                );
                self.line("", text);
            }
        }
    }

    fn figures(&mut self, measured: &Measured) {
        let words = self.words.clone();
        let (figures, times) = (&measured.figures, &measured.figures.times);
        let summary = &measured.summary;
        let down = words.duration(times.down_ms);
        let plus_minus = words.duration(figures.uncertainty_ms());
        let mut text = format!(
            "{down} (±{plus_minus}); {}",
            words.count(summary.count, "sự cố", "incident", "incidents")
        );
        if let Some(mean) = summary.mean_down_ms {
            let _ = write!(text, "; MTTR {}", words.duration(mean));
        }
        if let Some(mean) = summary.mean_to_detect_ms {
            let _ = write!(text, "; MTTD {}", words.duration(mean));
        }
        if let Some(mean) = measured.mean_to_acknowledge_ms {
            let _ = write!(text, "; MTTA {}", words.duration(mean));
        }
        self.line(words.pick("Gián đoạn", "Down"), &text);
        if let Some((least, most)) = figures.hard_range().filter(|_| times.known_ms() > 0) {
            let text = format!("{} – {}", words.percent(least), words.percent(most));
            self.line(words.pick("Khoảng chắc chắn", "Hard range"), &text);
        }
        let coverage = figures.coverage().map_or("–".to_owned(), |it| words.percent(it));
        let unknown = words.duration(times.unknown_ms);
        let text = format!("{coverage}; {} {unknown}", words.pick("không có dữ liệu", "unknown"));
        self.line(words.pick("Độ phủ", "Coverage"), &text);
        let mut parts = Vec::new();
        for (ms, vi, en) in [
            (times.slow_ms, "chậm", "slow"),
            (times.partial_ms, "một phần", "partial"),
            (times.excluded_ms, "ngoài phạm vi tính", "not judged"),
            (times.maintenance_down_ms, "gián đoạn khi bảo trì", "down in maintenance"),
        ] {
            if ms > 0 {
                parts.push(format!("{} {}", words.pick(vi, en), words.duration(ms)));
            }
        }
        if figures.blips > 0 {
            let blip = words.pick("chớp (vẫn tính là hoạt động)", "blips (counted as up)");
            parts.push(format!("{} {blip} {}", figures.blips, words.duration(times.blip_ms)));
        }
        if !parts.is_empty() {
            self.line(words.pick("Trong đó", "Of it"), &parts.join("; "));
        }
        if let Some(share) = figures.reachability() {
            self.line(words.pick("Lượt đo tốt", "Reachability"), &words.percent(share));
        }
        let names = words.windows();
        let worst = names.iter().zip(figures.worst);
        let worst: Vec<String> =
            worst.filter_map(|(name, it)| Some(format!("{name} {}", words.percent(it?)))).collect();
        if times.down_ms > 0 && !worst.is_empty() {
            self.line(words.pick("Lúc tệ nhất", "Worst window"), &worst.join(" · "));
        }
        if let Some(it) = measured.latency.from_started {
            let ms = |it: Micros| words.millis(it);
            let text = format!("p50 {} · p95 {} · p99 {}", ms(it.p50), ms(it.p95), ms(it.p99));
            self.line(words.pick("Thời gian trả lời", "Latency"), &text);
        }
        self.outcomes(measured);
    }

    /// What runs came to, and why nothing was measured.
    fn outcomes(&mut self, measured: &Measured) {
        let words = self.words.clone();
        let mut parts = Vec::new();
        for outcome in Outcome::ALL {
            let same = measured.runs.iter().filter(|it| it.0.outcome() == outcome);
            let count: i64 = same.map(|it| it.1).sum();
            if count > 0 {
                parts.push(format!("{} {}", words.outcome(outcome), words.number(count)));
            }
        }
        let label = words.pick("Lượt đo", "Runs");
        if !parts.is_empty() {
            self.line(label, &parts.join(" · "));
        }
        let bad =
            measured.runs.iter().filter(|it| it.0.outcome().testimony() != Some(Testimony::Good));
        let mut bad: Vec<_> = bad.collect();
        bad.sort_by_key(|it| (-it.1, it.0.code()));
        let told: Vec<String> = bad
            .iter()
            .take(4)
            .map(|it| format!("{} {}", words.reason(*it.0), words.number(*it.1)))
            .collect();
        if !told.is_empty() {
            self.line(words.pick("Nguyên nhân", "Reasons"), &told.join(" · "));
        }
        let void: Vec<String> = measured
            .void_ms
            .iter()
            .filter(|it| *it.1 > 0)
            .map(|(reason, ms)| format!("{} {}", words.reason(*reason), words.duration(*ms)))
            .collect();
        if !void.is_empty() {
            self.line(words.pick("Không đo được", "Not measured"), &void.join(" · "));
        }
    }

    fn maintenance(&mut self, shown: &Shown, down_ms: i64) {
        let words = self.words.clone();
        let span = shown.named.window.announced;
        let (excluded, kept) = (shown.excluded.length_ms(), shown.kept.length_ms());
        let mut text = words.between(span.start(), span.end());
        if excluded > 0 {
            let word = words.pick("được trừ", "excluded");
            let _ = write!(text, " · {word} {}", words.duration(excluded));
        }
        if kept > 0 {
            let word = words.pick("KHÔNG được trừ (báo muộn)", "NOT excluded (late)");
            let _ = write!(text, " · {word} {}", words.duration(kept));
        }
        if shown.named.window.withdrawn.is_some() && excluded + kept == 0 {
            let _ = write!(text, " · {}", words.pick("đã hủy", "cancelled"));
        }
        if down_ms > 0 {
            let _ =
                write!(text, " · {} {}", words.pick("gián đoạn", "down"), words.duration(down_ms));
        }
        self.item(0, &text);
        if let Some(it) = &shown.named.announced {
            let parts: Vec<&str> =
                [it.notice.as_deref().unwrap_or_default(), it.who.as_str(), it.why.as_str()]
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect();
            if !parts.is_empty() {
                self.item(1, &parts.join(" · "));
            }
        }
    }

    fn episode(&mut self, it: &Episode, several: bool) {
        let words = self.words.clone();
        let mut text = words.between(it.start.at, it.end.at);
        let _ = write!(text, " · {}", words.duration(it.down_ms));
        if it.goes_on {
            let _ = write!(text, " · {}", words.pick("chưa dứt trong kỳ", "goes on"));
        }
        if it.maintenance_ms > 0 {
            let in_it = words.pick("trong bảo trì", "in maintenance");
            let _ = write!(text, " · {in_it} {}", words.duration(it.maintenance_ms));
        }
        self.item(0, &text);
        let width = |edge: Edge| words.duration(edge.latest.since(edge.earliest));
        let mut detail = it
            .fault
            .map(|it| format!("{}: {}", words.outcome(it.outcome()), words.reason(it)))
            .unwrap_or_default();
        let between = words.pick("khoảng đầu/cuối", "brackets");
        let _ = write!(detail, " · {between} {} / {}", width(it.start), width(it.end));
        if several {
            let checks: Vec<&str> =
                it.checks.iter().map(crate::model::id::CheckId::as_str).collect();
            let _ = write!(detail, " · {}", checks.join(", "));
        }
        self.item(1, &detail);
        if let Some(told) = &it.told {
            self.item(1, &words.told(told));
        }
    }

    fn check(&mut self, check: &CheckFigures) {
        let words = self.words.clone();
        let figures = &check.measured.figures;
        let share = figures.availability();
        let share = share.map_or_else(
            || words.pick("không có dữ liệu", "no data").to_owned(),
            |it| words.percent(it),
        );
        let mut text = format!("{share} · {}", words.duration(figures.times.down_ms));
        let _ = write!(
            text,
            " · {}",
            words.count(check.measured.summary.count, "sự cố", "incident", "incidents")
        );
        if let Some(it) = check.measured.latency.from_started {
            let _ = write!(text, " · p95 {}", words.millis(it.p95));
        }
        if !check.critical {
            let _ = write!(text, " · {}", words.pick("không trọng yếu", "not critical"));
        }
        self.item(0, &format!("{}: {text}", check.id));
        if let [_, _, ..] = check.vantages.as_slice() {
            for vantage in &check.vantages {
                let figures = &vantage.measured.figures;
                let share = figures.availability().map_or("–".to_owned(), |it| words.percent(it));
                let good = figures.reachability().map_or("–".to_owned(), |it| words.percent(it));
                let word = words.pick("lượt tốt", "reachability");
                self.item(1, &format!("{}: {share} · {word} {good}", vantage.id));
            }
        }
    }
}

impl Words {
    /// When people were called, and who took it on how soon.
    fn told(&self, it: &Told) -> String {
        let mut text = it.number.clone();
        if let Some(first) = it.first {
            let _ = write!(text, " · {} {}", self.pick("báo động", "alert"), self.second(first));
        }
        let Some((at, by)) = &it.acknowledged else {
            let nobody = self.pick("không ai tiếp nhận", "nobody acknowledged it");
            let _ = write!(text, " · {nobody}");
            return text;
        };
        let _ = match self.language {
            Language::Vietnamese => write!(text, " · {by} tiếp nhận"),
            Language::English => write!(text, " · acknowledged by {by}"),
        };
        if let Some(first) = it.first {
            let after = self.duration(at.since(first).max(0));
            let _ = write!(text, " {} {after}", self.pick("sau", "after"));
        }
        text
    }

    /// From an instant to another; of the second only the time if it is the same day.
    fn between(&self, from: Millis, to: Millis) -> String {
        let (from, to) = (self.second(from), self.second(to));
        let day = from.split(' ').next().unwrap_or_default();
        let to = to.strip_prefix(day).map_or(to.as_str(), str::trim_start);
        format!("{from} – {to}")
    }
}
