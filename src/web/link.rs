//! The page behind an acknowledge link: what happened, and one button. Opening it does nothing,
//! since mail programs and chat servers open links by themselves; the button sends a form.
//!
//! It is read at three in the morning on a telephone: the button comes first, then what, since
//! when, where, and who has been called.

mod words;

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::Id;
use super::duty::{Act, ActError, AlertSeen, By, LinkSeen};
use super::html::{self, escaped};
use super::page::{capital, push};
use super::source::Source;
use super::story::Story;
use super::words::Language;
use super::{Shared, Web, control, incidents};

const STYLE: &str = include_str!("link/style.css");

/// Only the one style, and forms to ourselves.
static POLICY: LazyLock<String> = LazyLock::new(|| html::policy(STYLE, "'self'"));

/// What the form sends.
const ACKNOWLEDGE: &[u8] = b"act=acknowledge";
const CLOSE: &[u8] = b"act=close";

/// Newest lines of what happened that are shown.
const LINES_SHOWN_MAX: usize = 8;

// Anybody can ask for these two, so the token is looked at first, and a refusal costs nothing:
// no lock, no look at what is watched, no reading of a body.

pub(super) async fn show<S: Source>(State(web): Shared<S>, Id(token): Id) -> Response {
    let language = web.source.language().into();
    match web.source.link(&token) {
        Ok(link) => told(&web, StatusCode::OK, language, &link, None),
        Err(error) => page(status(&error), language, &refusal(language, &error)),
    }
}

pub(super) async fn act<S: Source>(State(web): Shared<S>, Id(token): Id, body: Body) -> Response {
    let language = web.source.language().into();
    if let Err(error) = web.source.link(&token) {
        return page(status(&error), language, &refusal(language, &error));
    }
    let act = match control::read(body).await {
        Ok(body) if body == ACKNOWLEDGE => Act::Acknowledge,
        Ok(body) if body == CLOSE => Act::Close,
        Ok(_) => {
            let wrong = ActError::Wrong(String::new(), String::new());
            return page(StatusCode::BAD_REQUEST, language, &refusal(language, &wrong));
        }
        Err(error) => return error.into_response(),
    };
    let done = web.source.act(By::Link(token.clone()), act).await;
    match (web.source.link(&token), done) {
        (Ok(link), Ok(_)) => told(&web, StatusCode::OK, language, &link, Some(Ok(act))),
        (Ok(link), Err(error)) => told(&web, status(&error), language, &link, Some(Err(&error))),
        (Err(error), _) => page(status(&error), language, &refusal(language, &error)),
    }
}

/// The page of a link that was made here.
fn told<S: Source>(
    web: &Web<S>,
    status: StatusCode,
    language: Language,
    link: &LinkSeen,
    done: Option<Result<Act, &ActError>>,
) -> Response {
    let (at, roster, zone) = (web.source.now(), web.source.roster(), &web.settings.zone);
    let story = Story { at, roster: &roster, duty: &web.source, language, zone };
    page(status, language, &about(&story, link, done))
}

fn status(error: &ActError) -> StatusCode {
    match error {
        ActError::Unknown(_) => StatusCode::NOT_FOUND,
        ActError::Forged => StatusCode::FORBIDDEN,
        ActError::Wrong(..) => StatusCode::BAD_REQUEST,
        ActError::Used | ActError::Taken { .. } | ActError::Closed | ActError::StillTrue => {
            StatusCode::CONFLICT
        }
    }
}

fn page(status: StatusCode, language: Language, main: &str) -> Response {
    let title = language.pick("Tiếp nhận sự cố", "Acknowledge an incident");
    let page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{main}</main>\n</body>\n</html>\n",
        language.words().tag,
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        // With `no-referrer` a browser sends `Origin: null` with the form (Fetch, 3.2), which is
        // refused. To other sites this one sends nothing either.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, page).into_response()
}

/// The incident, what came of the button, and the buttons that are of use.
fn about(story: &Story<'_>, link: &LinkSeen, done: Option<Result<Act, &ActError>>) -> String {
    let LinkSeen { alert, who, good } = link;
    let language = story.language;
    let mut out = String::new();
    outcome(&mut out, story, link, done);
    push(&mut out, &["<p class=\"kind ", incidents::class(alert), "\">"]);
    push(&mut out, &[&escaped(&story.kind(alert).to_uppercase()), "</p>\n<h1>"]);
    push(&mut out, &[&escaped(Story::title(alert)), "</h1>\n<p class=\"since\">"]);
    push(&mut out, &[&capital(&story.since(alert)), "</p>\n"]);
    if alert.about == "drill" {
        push(&mut out, &["<p class=\"why\">", words::drill(language), "</p>\n"]);
    }
    if let Some(reason) = story.reason(alert) {
        push(&mut out, &["<p class=\"why\">", &escaped(&capital(&reason)), "</p>\n"]);
    }
    let holder = escaped(&capital(&story.holder(alert)));
    match &alert.acknowledged {
        // The outcome says it, in larger letters.
        Some(ack) if done.is_some() && ack.by == *who => {}
        Some(_) => push(&mut out, &["<p class=\"done\">✔ ", &holder, "</p>\n"]),
        None if alert.closed.is_some() => {}
        None => {
            push(&mut out, &["<p class=\"waits\">", &holder, "</p>\n"]);
            if *good {
                button(&mut out, "acknowledge", words::take(language), who);
                push(&mut out, &["<p class=\"dim\">", words::effect(language), "</p>\n"]);
            } else if done.is_none() {
                let said = words::refusal(language, &ActError::Used);
                push(&mut out, &["<p class=\"no\">", &said, "</p>\n"]);
            }
        }
    }
    if alert.state == "calm" && alert.acknowledged.is_some() {
        button(&mut out, "close", words::close(language), who);
    }
    facts(&mut out, story, alert);
    out
}

/// What came of the button.
fn outcome(
    out: &mut String,
    story: &Story<'_>,
    link: &LinkSeen,
    done: Option<Result<Act, &ActError>>,
) {
    let language = story.language;
    match done {
        Some(Ok(Act::Acknowledge)) => good(out, story, link, words::taken(language)),
        Some(Ok(Act::Close)) => good(out, story, link, words::closed(language)),
        // Pressed twice: nothing to worry about.
        Some(Err(ActError::Taken { by })) if *by == link.who => {
            good(out, story, link, words::taken(language));
        }
        Some(Err(error)) => {
            push(out, &["<div class=\"result bad\" role=\"alert\">\n<p class=\"big\">✖ "]);
            push(out, &[words::nothing_done(language, error), "</p>\n<p>"]);
            push(out, &[&words::refusal(language, error), "</p>\n</div>\n"]);
        }
        None => {}
    }
}

/// It was done: by whom, and since when they have it.
fn good(out: &mut String, story: &Story<'_>, link: &LinkSeen, title: &str) {
    push(out, &["<div class=\"result good\" role=\"status\">\n<p class=\"big\">✔ ", title]);
    push(out, &["</p>\n<p>", &escaped(&link.who)]);
    if let Some(ack) = link.alert.acknowledged.as_ref().filter(|_| link.alert.closed.is_none()) {
        push(out, &[" · ", &story.time(&ack.at), "</p>\n<p>", words::quiet(story.language)]);
    }
    out.push_str("</p>\n</div>\n");
}

fn button(out: &mut String, act: &str, title: &str, who: &str) {
    push(out, &["<form method=\"post\"><button name=\"act\" value=\"", act, "\">", title]);
    push(out, &["<small>", &escaped(who), "</small></button></form>\n"]);
}

fn facts(out: &mut String, story: &Story<'_>, alert: &AlertSeen) {
    let language = story.language;
    out.push_str("<dl>\n");
    let mut row = |name: &str, value: &str| {
        push(out, &["<dt>", name, "</dt><dd>", &escaped(value), "</dd>\n"]);
    };
    if let Some(place) = story.place(alert) {
        row(language.pick("Hệ thống", "System"), &place);
    }
    let checks = story.checks(alert);
    if !checks.is_empty() {
        row(language.pick("Phép đo", "Checks"), &checks.join("; "));
    }
    if !alert.parts.is_empty() {
        let parts = alert.parts.len();
        let words = language.pick("sự cố khác", "other incidents");
        row(language.pick("Kéo theo", "With it"), &format!("{parts} {words}"));
    }
    if let Some(closed) = &alert.closed {
        row(language.pick("Đóng lúc", "Closed"), &story.time(closed));
    }
    row(language.pick("Mã", "Number"), &alert.id);
    out.push_str("</dl>\n");
    if alert.log.is_empty() {
        return;
    }
    let title = language.pick("Diễn biến", "What happened");
    push(out, &["<h2>", title, "</h2>\n<ol>\n"]);
    for line in alert.log.iter().rev().take(LINES_SHOWN_MAX) {
        let text = escaped(&capital(&story.line(line)));
        push(
            out,
            &["<li><span class=\"dim\">", &story.time(&line.at), "</span> ", &text, "</li>\n"],
        );
    }
    out.push_str("</ol>\n");
}

/// A page that tells only why there is nothing to press.
fn refusal(language: Language, error: &ActError) -> String {
    let (title, why) = (words::useless(language), words::refusal(language, error));
    format!("<h1>{title}</h1>\n<p class=\"no\" role=\"alert\">✖ {why}</p>\n")
}
