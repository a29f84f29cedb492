//! The page behind an acknowledge link: what happened, and one button. Opening it does nothing,
//! since mail programs and chat servers open links by themselves; the button sends a form.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::answer::Id;
use super::duty::{Act, ActError, AlertSeen, By, LinkSeen};
use super::html::{self, escaped};
use super::source::Source;
use super::{Shared, control};

const STYLE: &str = include_str!("link/style.css");

/// Only the one style, and forms to ourselves.
static POLICY: LazyLock<String> = LazyLock::new(|| html::policy(STYLE, "'self'"));

/// What the form sends.
const ACKNOWLEDGE: &[u8] = b"act=acknowledge";
const CLOSE: &[u8] = b"act=close";

pub(super) async fn show<S: Source>(State(web): Shared<S>, Id(token): Id) -> Response {
    let zone = &web.settings.zone;
    match web.source.link(&token) {
        Ok(link) => page(StatusCode::OK, &about(&link, None, zone)),
        Err(error) => page(status(&error), &refusal(&error)),
    }
}

pub(super) async fn act<S: Source>(State(web): Shared<S>, Id(token): Id, body: Body) -> Response {
    let zone = &web.settings.zone;
    let act = match control::read(body).await {
        Ok(body) if body == ACKNOWLEDGE => Act::Acknowledge,
        Ok(body) if body == CLOSE => Act::Close,
        Ok(_) => {
            let wrong = ActError::Wrong(String::new(), String::new());
            return page(StatusCode::BAD_REQUEST, &refusal(&wrong));
        }
        Err(error) => return error.into_response(),
    };
    let done = web.source.act(By::Link(token.clone()), act).await;
    match (web.source.link(&token), done) {
        (Ok(link), Ok(_)) => page(StatusCode::OK, &about(&link, Some(Ok(act)), zone)),
        (Ok(link), Err(error)) => page(status(&error), &about(&link, Some(Err(&error)), zone)),
        (Err(error), _) => page(status(&error), &refusal(&error)),
    }
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

fn page(status: StatusCode, main: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>Tiếp nhận sự cố</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{main}</main>\n</body>\n</html>\n"
    );
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    let headers = [kind, (header::CONTENT_SECURITY_POLICY, POLICY.as_str())];
    (status, headers, page).into_response()
}

/// The incident, what came of the button, and the buttons that are of use.
fn about(link: &LinkSeen, done: Option<Result<Act, &ActError>>, zone: &TimeZone) -> String {
    let LinkSeen { alert, who, good } = link;
    let mut out = String::new();
    match done {
        Some(Ok(Act::Acknowledge)) => {
            let _ = writeln!(
                out,
                "<p class=\"done\" role=\"status\">✔ {} đã tiếp nhận. Không ai khác bị gọi thêm.</p>",
                escaped(who)
            );
        }
        Some(Ok(Act::Close)) => {
            out.push_str("<p class=\"done\" role=\"status\">✔ Đã đóng sự cố.</p>\n");
        }
        Some(Err(error)) => {
            let _ = writeln!(out, "<p class=\"no\" role=\"alert\">✖ {}</p>", words(error));
        }
        None => {}
    }
    let _ = writeln!(out, "<h1>{}</h1>", escaped(&alert.title));
    facts(&mut out, alert, zone);
    match &alert.acknowledged {
        Some(ack) if done.is_none() => {
            let _ = writeln!(
                out,
                "<p class=\"done\">{} đã tiếp nhận lúc {}.</p>",
                escaped(&ack.by),
                local(&ack.at, zone)
            );
        }
        Some(_) => {}
        None if alert.closed.is_some() => {}
        None if *good => {
            let _ = writeln!(
                out,
                "<form method=\"post\"><button name=\"act\" value=\"acknowledge\">Tôi tiếp nhận\
                 <small>{}</small></button></form>",
                escaped(who)
            );
        }
        None => {
            out.push_str("<p class=\"no\">Đường dẫn này đã dùng, hoặc đã có tin mới hơn.</p>\n");
        }
    }
    if alert.state == "calm" && alert.acknowledged.is_some() {
        out.push_str(
            "<form method=\"post\"><button name=\"act\" value=\"close\">Đóng sự cố</button></form>\n",
        );
    }
    out
}

fn facts(out: &mut String, alert: &AlertSeen, zone: &TimeZone) {
    out.push_str("<dl>\n");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    };
    row("Mã", &alert.id);
    row("Từ", &local(&alert.since, zone));
    if let Some(closed) = &alert.closed {
        row("Đã đóng", &local(closed, zone));
    }
    if !alert.checks.is_empty() {
        row("Phép đo", &alert.checks.join(", "));
    }
    if !alert.parts.is_empty() {
        row("Kéo theo", &format!("{} sự cố khác", alert.parts.len()));
    }
    out.push_str("</dl>\n");
}

fn refusal(error: &ActError) -> String {
    format!("<h1>Không dùng được</h1>\n<p class=\"no\" role=\"alert\">✖ {}</p>\n", words(error))
}

/// What went wrong, for whoever pressed the button.
fn words(error: &ActError) -> String {
    match error {
        ActError::Unknown(_) => "Không còn sự cố này: đã đóng từ lâu.".to_owned(),
        ActError::Forged => {
            "Đường dẫn không đúng hoặc bị cắt. Hãy mở lại từ tin nhắn mới nhất.".to_owned()
        }
        ActError::Used => "Đường dẫn này đã dùng, hoặc đã có tin mới hơn.".to_owned(),
        ActError::Taken { by } => format!("{} đã tiếp nhận trước.", escaped(by)),
        ActError::Closed => "Sự cố đã được đóng.".to_owned(),
        ActError::StillTrue => "Dịch vụ vẫn đang gián đoạn nên chưa đóng được.".to_owned(),
        ActError::Wrong(..) => "Yêu cầu không hiểu được. Hãy bấm nút trên trang.".to_owned(),
    }
}

/// An RFC 3339 instant by the clock on the wall.
fn local(at: &str, zone: &TimeZone) -> String {
    let zoned = at.parse::<Timestamp>().map(|it| it.to_zoned_datetime(zone.clone()));
    zoned.map_or_else(|_| at.to_owned(), |it| it.strftime("%H:%M:%S ngày %d/%m/%Y").to_string())
}
