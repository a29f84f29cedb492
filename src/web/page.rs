//! The status page ("Toàn cảnh"): open incidents, then every system, the worst first. One document without scripts or
//! anything to load, readable on a phone, and never by colour alone.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;

use super::duty::{AlertSeen, TeamSeen};
use super::html::{self, escape};
use super::source::{Snapshot, Source};
use super::story::Story;
use super::words::{Language, mark};
use super::{REFRESH_S, Shared, incidents, view};
use crate::model::check::Check;
use crate::model::state::State as Standing;
use crate::model::system::System;
use crate::model::time::Millis;

/// Most checks that are listed of one system, the worst first: a page must stay a page.
const CHECKS_LISTED_MAX: usize = 50;

/// Most checks that are listed in all, those of the worst systems first: half a megabyte.
const CHECKS_ON_PAGE_MAX: usize = 1_000;

pub(super) const STYLE: &str = include_str!("page/style.css");

/// Nothing may be loaded or run but the one style.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| html::policy(STYLE, "'none'"));

pub(super) async fn overview<S: Source>(
    State(web): Shared<S>,
    RawQuery(query): RawQuery,
) -> Response {
    let language = Language::asked(query.as_deref(), web.source.language());
    let (alerts, teams) = (web.source.alerts(), web.source.on_call());
    let snapshot = web.source.snapshot();
    let zone = &web.settings.zone;
    let (at, roster) = (snapshot.at, &*snapshot.roster);
    let story = Story { at, roster, duty: &web.source, language, zone };
    let page = render(&story, &snapshot, &alerts, &teams);
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    ([kind, (header::CONTENT_SECURITY_POLICY, POLICY.as_str())], page).into_response()
}

/// The whole page.
fn render(
    story: &Story<'_>,
    snapshot: &Snapshot,
    alerts: &[AlertSeen],
    teams: &[TeamSeen],
) -> String {
    let Story { at, language, zone, .. } = *story;
    let page = Page { snapshot, language, zone, at };
    let mut out = page.head();
    let mut systems: Vec<_> =
        snapshot.roster.systems.iter().map(|it| (page.state(it), it)).collect();
    systems.sort_by_key(|(state, _)| urgency(*state));
    let states: Vec<_> = systems.iter().map(|(state, _)| *state).collect();
    page.tally(&mut out, &states);
    out.push_str("</header>\n<main>\n");
    incidents::list(&mut out, story, alerts);
    let mut room = CHECKS_ON_PAGE_MAX;
    for (state, system) in &systems {
        let listed = system.checks.len().min(CHECKS_LISTED_MAX).min(room);
        page.system(&mut out, *state, system, listed);
        room -= listed;
    }
    let words = language.words();
    if systems.is_empty() {
        push(&mut out, &["<p>", words.no_systems, "</p>\n"]);
    }
    out.push_str("</main>\n<footer class=\"dim\">\n");
    incidents::on_call(&mut out, story, teams);
    push(&mut out, &["<p>", words.legend, "</p>\n</footer>\n</body>\n</html>\n"]);
    out
}

struct Page<'a> {
    snapshot: &'a Snapshot,
    language: Language,
    zone: &'a TimeZone,
    at: Millis,
}

impl Page<'_> {
    fn head(&self) -> String {
        let words = self.language.words();
        let (href, tag, name) = words.other;
        let at = self.language.time(self.at, self.zone, true);
        format!(
            "<!doctype html>\n<html lang=\"{tag_now}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <meta http-equiv=\"refresh\" content=\"{REFRESH_S}\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
             <p class=\"dim\">{updated} <time datetime=\"{iso}\">{at}</time> · <span>{vantage} {place}</span> · \
             <a href=\"{href}\" hreflang=\"{tag}\" lang=\"{tag}\">{name}</a></p>\n",
            tag_now = words.tag,
            title = words.title,
            updated = words.updated,
            iso = view::time(self.at),
            vantage = words.vantage,
            place = self.snapshot.vantage,
        )
    }

    /// How many systems are in each state.
    fn tally(&self, out: &mut String, states: &[Option<Standing>]) {
        out.push_str("<ul class=\"tally\">\n");
        let mut kinds: Vec<_> = Standing::ALL.into_iter().map(Some).chain([None]).collect();
        kinds.sort_by_key(|state| urgency(*state));
        for kind in kinds {
            let count = states.iter().filter(|state| **state == kind).count();
            if count > 0 {
                let (class, sign, word) = (class(kind), mark(kind), self.language.state(kind));
                let _ = writeln!(
                    out,
                    "<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\">{sign}</span>\
                     {count} {word}</li>"
                );
            }
        }
        out.push_str("</ul>\n");
    }

    /// A system, with so many of its checks.
    fn system(&self, out: &mut String, state: Option<Standing>, system: &System, listed: usize) {
        let words = self.language.words();
        let standing = self.snapshot.standing(system);
        push(out, &["<section class=\"system ", class(state), "\">\n<h2>"]);
        push(out, &["<span class=\"mark\" aria-hidden=\"true\">", mark(state), "</span>"]);
        escape(out, &system.name);
        out.push_str("</h2>\n<p class=\"word\">");
        out.push_str(&capital(self.language.state(state)));
        if let Some(since) = standing.and_then(|it| it.since) {
            push(out, &[" ", &self.language.since(since, self.at, self.zone)]);
        }
        out.push_str("</p>\n");
        if self.snapshot.maintained.contains(&system.id) {
            push(out, &["<p class=\"why\">", &capital(words.maintenance), "</p>\n"]);
        }
        if let Some(reason) = standing.and_then(|it| it.reason) {
            push(out, &["<p class=\"why\">", &capital(&self.language.reason(reason)), "</p>\n"]);
        }
        out.push_str("<p class=\"dim\">");
        escape(out, self.snapshot.owner(system).map_or(system.owner.as_str(), |it| &it.name));
        if let Some(objective) = system.objective {
            let percent = self.language.percent(&objective.to_string());
            push(out, &[" · ", words.objective, " ", &percent]);
        }
        out.push_str("</p>\n");
        self.checks(out, state, system, listed);
        out.push_str("</section>\n");
    }

    fn checks(&self, out: &mut String, state: Option<Standing>, system: &System, listed: usize) {
        let mut checks: Vec<_> =
            system.checks.iter().map(|check| (self.check_state(check), check)).collect();
        checks.sort_by_key(|(state, _)| urgency(*state));
        let open = if matches!(state, Some(Standing::Up) | None) { "" } else { " open" };
        let count = self.language.checks(checks.len());
        push(out, &["<details", open, "><summary>", &count, "</summary>\n<ul class=\"checks\">\n"]);
        for (state, check) in checks.iter().take(listed) {
            self.check(out, *state, check);
        }
        if checks.len() > listed {
            let rest = self.language.more(checks.len() - listed);
            push(out, &["<li class=\"dim\">", &rest, "</li>\n"]);
        }
        out.push_str("</ul>\n</details>\n");
    }

    fn check(&self, out: &mut String, state: Option<Standing>, check: &Check) {
        let words = self.language.words();
        let now = self.snapshot.check(check);
        push(out, &["<li class=\"", class(state), "\"><span class=\"mark\" aria-hidden=\"true\">"]);
        push(out, &[mark(state), "</span>"]);
        escape(out, &check.name);
        push(out, &[" <span class=\"kind\">", check.spec.kind(), "</span>"]);
        if !check.critical {
            push(out, &[" <span class=\"kind\">", words.not_critical, "</span>"]);
        }
        if let Some(why) = &check.disabled {
            push(out, &["<div class=\"dim\">", &capital(words.disabled), ": "]);
            escape(out, why);
            out.push_str("</div></li>\n");
            return;
        }
        out.push_str("<div class=\"dim\">");
        out.push_str(&capital(self.language.state(state)));
        if let Some(since) = now.and_then(|it| it.standing.since) {
            push(out, &[" ", &self.language.since(since, self.at, self.zone)]);
        }
        if let Some(last) = now.and_then(|it| it.last.as_ref()) {
            let length = self.language.seconds(last.phases.total().0);
            let reason = self.language.reason(last.reason);
            push(out, &[" · ", words.last, ": ", &reason, " (", &length, ")"]);
        }
        out.push_str("</div>");
        if let Some(why) = now.and_then(|it| it.why.as_ref()) {
            out.push_str("<div class=\"dim\">");
            escape(out, why);
            out.push_str("</div>");
        }
        out.push_str("</li>\n");
    }

    fn state(&self, system: &System) -> Option<Standing> {
        self.snapshot.standing(system).map(|it| it.state)
    }

    fn check_state(&self, check: &Check) -> Option<Standing> {
        view::standing_of(check, self.snapshot.check(check)).map(|it| it.state)
    }
}

/// The order of the page: what needs a person comes first.
const fn urgency(state: Option<Standing>) -> u8 {
    match state {
        Some(Standing::Down) => 0,
        Some(Standing::Partial) => 1,
        Some(Standing::Unknown) => 2,
        Some(Standing::Slow) => 3,
        Some(Standing::Up) => 4,
        None => 5,
    }
}

const fn class(state: Option<Standing>) -> &'static str {
    match state {
        Some(state) => state.as_str(),
        None => "none",
    }
}

pub(super) fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

/// `text` with its first letter as a capital, so that a line begins like a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
