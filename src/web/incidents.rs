//! Open incidents and who is on call, on the status page.

use super::duty::{AlertSeen, TeamSeen};
use super::html::escape;
use super::page::{capital, push};
use super::story::{Story, millis};
use super::words::Language;

/// Most incidents that are listed; the rest are counted.
const LISTED_MAX: usize = 20;

/// The incidents that people should care about, those that wait for somebody first; parts of
/// others are told there.
pub(super) fn list(out: &mut String, story: &Story<'_>, alerts: &[AlertSeen]) {
    let known = |id: &str| alerts.iter().any(|it| it.id == id && it.state != "closed");
    let is_root = |it: &&AlertSeen| !it.cause.as_deref().is_some_and(known);
    let mut open: Vec<_> =
        alerts.iter().filter(|it| it.state != "closed").filter(is_root).collect();
    if open.is_empty() {
        return;
    }
    open.sort_by_key(|it| (!Story::waits(it), loudness(it.severity)));
    let language = story.language;
    let title = language.pick("Sự cố đang mở", "Open incidents");
    push(out, &["<section class=\"incidents\">\n<h2>", title, "</h2>\n<ul>\n"]);
    for alert in open.iter().take(LISTED_MAX) {
        row(out, story, alert);
    }
    if open.len() > LISTED_MAX {
        let count = (open.len() - LISTED_MAX).to_string();
        let words = language.pick(" sự cố khác, xem /api/v1/alerts", " more, see /api/v1/alerts");
        push(out, &["<li class=\"dim\">+ ", &count, words, "</li>\n"]);
    }
    out.push_str("</ul>\n</section>\n");
}

fn row(out: &mut String, story: &Story<'_>, alert: &AlertSeen) {
    let language = story.language;
    push(out, &["<li class=\"", class(alert), "\"><a href=\"", &href(language, &alert.id), "\">"]);
    escape(out, &format!("{}: {}", capital(&story.kind(alert)), Story::title(alert)));
    push(out, &["</a> <span class=\"dim\">", &story.since(alert), "</span>\n<div class=\""]);
    out.push_str(if Story::waits(alert) { "waits" } else { "dim" });
    out.push_str("\">");
    escape(out, &capital(&story.holder(alert)));
    if alert.state == "calm" {
        push(out, &[" · ", story.state(alert)]);
    }
    if !alert.parts.is_empty() {
        let words = language.pick(" · kéo theo {} sự cố khác", " · {} more with it");
        out.push_str(&words.replace("{}", &alert.parts.len().to_string()));
    }
    out.push_str("</div></li>\n");
}

/// Where one is told, from a page at the root.
fn href(language: Language, id: &str) -> String {
    let query = language.pick("?lang=vi", "?lang=en");
    let mut out = "incidents/".to_owned();
    escape(&mut out, id);
    out + query
}

/// The colour of an incident, as that of a state.
pub(super) fn class(alert: &AlertSeen) -> &'static str {
    match (alert.state, alert.severity, alert.kind.as_str()) {
        ("closed" | "calm", ..) => "up",
        (_, "page", "drill") => "unknown",
        (_, "page", _) => "down",
        (_, _, "partial" | "burn_slow" | "burn_fast" | "objective_broken") => "partial",
        (_, "info", _) | (_, _, "coverage") => "unknown",
        _ => "slow",
    }
}

fn loudness(severity: &str) -> u8 {
    match severity {
        "page" => 0,
        "ticket" => 1,
        _ => 2,
    }
}

/// Who is on call, a line a team.
pub(super) fn on_call(out: &mut String, story: &Story<'_>, teams: &[TeamSeen]) {
    let language = story.language;
    for team in teams {
        push(out, &["<p>", language.pick("Đang trực", "On call"), " – "]);
        escape(out, &team.name);
        out.push_str(": ");
        if team.on_call.is_empty() {
            let words = language
                .pick("không có ai, gọi danh sách dự phòng", "nobody, the fallback list is called");
            push(out, &["<strong>", words, "</strong></p>\n"]);
            continue;
        }
        let names: Vec<&str> = team.on_call.iter().map(|it| it.name.as_str()).collect();
        push(out, &["<strong>"]);
        escape(out, &names.join(", "));
        let until = language.time(millis(&team.until), story.zone, false);
        push(out, &["</strong> ", language.pick("đến", "until"), " ", &until, "</p>\n"]);
    }
}
