//! The page of one incident, which messages link to: where it stands, who has it, what happened,
//! who was told, and what it belongs to.

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::Id;
use super::duty::AlertSeen;
use super::html::{escape, escaped};
use super::page::{POLICY, STYLE, capital, push};
use super::source::Source;
use super::story::Story;
use super::words::Language;
use super::{REFRESH_S, Shared, incidents};

pub(super) async fn incident<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Response {
    let language = Language::asked(query.as_deref(), web.source.language());
    let (at, roster, zone) = (web.source.now(), web.source.roster(), &web.settings.zone);
    let story = Story { at, roster: &roster, duty: &web.source, language, zone };
    let (status, page) = match web.source.alert(&id) {
        Some(alert) => (StatusCode::OK, render(&story, &alert)),
        None => (StatusCode::NOT_FOUND, nothing(language, &id)),
    };
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    (status, [kind, (header::CONTENT_SECURITY_POLICY, POLICY.as_str())], page).into_response()
}

/// The page; loads itself anew while there is something to come.
fn render(story: &Story<'_>, alert: &AlertSeen) -> String {
    let language = story.language;
    let mut out = head(language, &alert.id, alert.state != "closed");
    push(&mut out, &["<section class=\"system ", incidents::class(alert), "\">\n<h1>"]);
    escape(&mut out, Story::title(alert));
    push(&mut out, &["</h1>\n<p class=\"word\">"]);
    escape(&mut out, &format!("{} {}", capital(&story.kind(alert)), story.since(alert)));
    out.push_str("</p>\n");
    if let Some(reason) = story.reason(alert) {
        push(&mut out, &["<p class=\"why\">", &escaped(&capital(&reason)), "</p>\n"]);
    }
    let waits = if Story::waits(alert) { "waits" } else { "holder" };
    push(&mut out, &["<p class=\"", waits, "\">", &escaped(&capital(&story.holder(alert)))]);
    out.push_str("</p>\n");
    facts(&mut out, story, alert);
    out.push_str("</section>\n");
    section(&mut out, language.pick("Diễn biến", "What happened"), &timeline(story, alert));
    section(&mut out, language.pick("Tin đã gửi", "Messages"), &messages(story, alert));
    let updated = language.words().updated;
    let at = language.time(story.at, story.zone, true);
    push(&mut out, &["</main>\n<footer class=\"dim\"><p>", updated, " ", &at, "</p></footer>\n"]);
    out.push_str("</body>\n</html>\n");
    out
}

/// A page for a number that nobody knows.
fn nothing(language: Language, id: &str) -> String {
    let mut out = head(language, id, false);
    let words = language.pick(
        "Không có sự cố này, hoặc đã đóng từ lâu. Các sự cố cũ nằm trong báo cáo.",
        "There is no such incident, or it was closed long ago. Old ones are in the reports.",
    );
    push(&mut out, &["<section class=\"system none\">\n<h1>", &escaped(id), "</h1>\n<p>", words]);
    out.push_str("</p>\n</section>\n</main>\n</body>\n</html>\n");
    out
}

fn head(language: Language, id: &str, goes_on: bool) -> String {
    let words = language.words();
    let (href, tag, name) = words.other;
    let id = escaped(id);
    let query = language.pick("?lang=vi", "?lang=en");
    let refresh = if goes_on {
        format!("<meta http-equiv=\"refresh\" content=\"{REFRESH_S}\">\n")
    } else {
        String::new()
    };
    format!(
        "<!doctype html>\n<html lang=\"{tag_now}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n{refresh}\
         <title>{id}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <p class=\"dim\"><a href=\"../{query}\">{overview}</a> · <span>{id}</span> · \
         <a href=\"{href}\" hreflang=\"{tag}\" lang=\"{tag}\">{name}</a></p>\n</header>\n<main>\n",
        tag_now = words.tag,
        overview = words.title,
    )
}

fn facts(out: &mut String, story: &Story<'_>, alert: &AlertSeen) {
    let language = story.language;
    out.push_str("<dl>\n");
    // `value` is HTML.
    let mut row =
        |name: &str, value: &str| push(out, &["<dt>", name, "</dt><dd>", value, "</dd>\n"]);
    row(language.pick("Trạng thái", "State"), &capital(story.state(alert)));
    if let Some(place) = story.place(alert) {
        row(language.pick("Hệ thống", "System"), &escaped(&place));
    }
    if let Some(team) = &alert.team {
        row(language.pick("Đội", "Team"), &escaped(team));
    }
    row(language.pick("Báo lúc", "First told"), &story.time(&alert.opened));
    if let Some(closed) = &alert.closed {
        row(language.pick("Đóng lúc", "Closed"), &story.time(closed));
    }
    if alert.flapping {
        row(language.pick("Chập chờn", "Flapping"), language.pick("có", "yes"));
    }
    let checks = story.checks(alert);
    if !checks.is_empty() {
        row(language.pick("Phép đo", "Checks"), &escaped(&checks.join("; ")));
    }
    if let Some(cause) = &alert.cause {
        row(language.pick("Nguyên nhân", "Cause"), &link(language, cause));
    }
    if !alert.parts.is_empty() {
        let links: Vec<_> = alert.parts.iter().map(|it| link(language, it)).collect();
        row(language.pick("Kéo theo", "With it"), &links.join(", "));
    }
    out.push_str("</dl>\n");
}

/// A link to another incident, from the page of one.
fn link(language: Language, id: &str) -> String {
    let (id, query) = (escaped(id), language.pick("?lang=vi", "?lang=en"));
    format!("<a href=\"{id}{query}\">{id}</a>")
}

fn timeline(story: &Story<'_>, alert: &AlertSeen) -> Vec<(String, String)> {
    let line = |it: &super::duty::LogSeen| (story.time(&it.at), capital(&story.line(it)));
    alert.log.iter().map(line).collect()
}

fn messages(story: &Story<'_>, alert: &AlertSeen) -> Vec<(String, String)> {
    let when = |it: &super::duty::MessageSeen| it.ended.clone().unwrap_or(it.decided.clone());
    let mut all: Vec<_> = alert.messages.iter().map(|it| (when(it), it)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().map(|(at, it)| (story.time(&at), capital(&story.message(it)))).collect()
}

/// A list of instants and what was then; nothing without any.
fn section(out: &mut String, title: &str, lines: &[(String, String)]) {
    if lines.is_empty() {
        return;
    }
    push(out, &["<section class=\"system none\">\n<h2>", title, "</h2>\n<ol class=\"log\">\n"]);
    for (at, text) in lines {
        push(out, &["<li><span class=\"dim\">", at, "</span> ", &escaped(text), "</li>\n"]);
    }
    out.push_str("</ol>\n</section>\n");
}
