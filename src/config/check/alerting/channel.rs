//! Channels: how messages leave.

use std::sync::Arc;
use std::time::Duration;

use super::{Ground, TIMEOUT, in_clear};
use crate::config::check::http::is_here;
use crate::config::check::read::{self, length, needs};
use crate::config::check::roster::known;
use crate::config::element::{self, template};
use crate::config::keys::alerting::channel::KINDS;
use crate::config::mistake::What;
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::{Node, Value};
use crate::model::alerting::channel::{
    Channel, ChannelKind, Email, HttpChannel, MailSecurity, Success, TokenExchange,
};
use crate::model::alerting::presets::{
    ACCESS_TOKEN, Address, FIELDS, Preset, Settings, ZALO_OAUTH_URL, find, preset,
};
use crate::model::id::ChannelId;
use crate::model::secret::Secret;

/// Longest text of a channel by templates, if nothing is written.
const TEXT_CHARS_MAX: usize = 4_000;

/// Least time between two messages to one address of a channel by templates.
const HTTP_GAP: Duration = Duration::from_secs(1);

/// Keys of presets that are values of their templates, with what holds if one is not written.
const VALUES: &[(&str, Option<&str>)] = &[
    ("token", None),
    ("user", None),
    ("password", None),
    ("brand", None),
    ("cp_code", None),
    ("account", None),
    ("agent", None),
    ("contract", None),
    ("contract_type", Some("1")),
    ("template", None),
];

/// Every channel, in the order written.
pub(super) fn channels(desk: &mut Desk<'_>, ground: &Ground<'_>) -> Vec<Arc<Channel>> {
    known(desk, "channel", ground.all("channel"));
    ground.all("channel").filter_map(|node| channel(desk, node)).map(Arc::new).collect()
}

/// What addresses are on the channel at `node`; `None`: mailboxes.
pub(super) fn address(node: &Node) -> Option<Address> {
    match node.text("kind")? {
        "email" => None,
        "http" => Some(match node.text("address") {
            Some("phone") => Address::Phone,
            Some("none") => Address::Optional,
            _ => Address::Needed,
        }),
        kind => find(kind).map(|it| it.address),
    }
}

fn channel(desk: &mut Desk<'_>, node: &Node) -> Option<Channel> {
    let kind = node.text("kind").filter(|kind| KINDS.contains(kind))?;
    let (made, gap) = match kind {
        "email" => (email(desk, node).map(|it| ChannelKind::Email(Box::new(it))), Duration::ZERO),
        "http" => (http(desk, node).map(|it| ChannelKind::Http(Box::new(it))), HTTP_GAP),
        kind => {
            let known = find(kind)?;
            let made = of_preset(desk, node, known);
            (made.map(|it| ChannelKind::Http(Box::new(it))), known.min_gap)
        }
    };
    if kind == "telegram" {
        desk.note(node.get("kind").map_or(node.at, |it| it.at), NoteWhat::TelegramBlocked);
    }
    Some(Channel {
        id: ChannelId::new(node.text("id")?).ok()?,
        min_gap: length(node, "min_gap", Some(gap))?,
        timeout: length(node, "timeout", Some(TIMEOUT))?,
        kind: made?,
    })
}

fn email(desk: &mut Desk<'_>, node: &Node) -> Option<Email> {
    let security = match node.text("security").unwrap_or("starttls") {
        "opportunistic" => MailSecurity::Opportunistic,
        "tls" => MailSecurity::Implicit,
        "none" => MailSecurity::None,
        _ => MailSecurity::StartTls,
    };
    let password = node.get("password").map(|at| (at.at, desk.secret_at(at)));
    let roots = node.get("roots").map(|path| desk.certificates(path));
    let server = node.text("server").and_then(|text| element::address::peer(text, None).ok());
    let login = match (node.get("user"), password) {
        (Some(user), Some((at, Some(password)))) => {
            let host = server.as_ref().map(|it| it.host.to_string()).unwrap_or_default();
            if security == MailSecurity::None
                && !matches!(&*host, "localhost" | "127.0.0.1" | "[::1]")
            {
                desk.note(at, NoteWhat::CredentialsInClear { host });
            }
            user.as_text().map(|user| (user.to_owned(), password))
        }
        (Some(user), None) => {
            desk.wrong(user.at, needs("user", "`password`"));
            None
        }
        (None, Some((at, _))) => {
            desk.wrong(at, needs("password", "`user`"));
            None
        }
        _ => None,
    };
    let server = server?;
    let host = server.host.to_string();
    Some(Email {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: server.port,
        security,
        login,
        from: element::nfc(node.text("from")?.trim()),
        extra_roots_pem: roots.flatten().into_iter().collect(),
    })
}

/// A channel whose request is known.
fn of_preset(desk: &mut Desk<'_>, node: &Node, known: &'static Preset) -> Option<HttpChannel> {
    let url = match node.get("url") {
        Some(url) => Some(match url.as_text() {
            Some(text) => Secret::new(element::url::http(text).ok()?.to_string()),
            None => desk.url_secret(url)?,
        }),
        None => None,
    };
    let mut values = Vec::new();
    for (key, default) in VALUES {
        let value = match node.get(key) {
            Some(written) => match written.as_text() {
                Some(text) => Some(Secret::new(text.to_owned())),
                None => desk.secret_at(written),
            },
            // The table of keys says which a kind has: what it has not, its templates don't name.
            None => {
                default.filter(|_| known.kind == "sms-vnpt").map(|it| Secret::new(it.to_owned()))
            }
        };
        values.extend(value.map(|value| ((*key).to_owned(), value)));
    }
    // What is sent in a URL or in XML may have any letters, but not several lines.
    let headers = read::headers(desk, node, "headers", element::header::settable_name);
    let signing_key = node.get("secret").and_then(|secret| desk.secret_at(secret));
    let token = exchange(desk, node);
    let data = data(desk, node);
    if known.kind.starts_with("sms-") {
        let url = url.as_ref().and_then(|it| element::url::http(it.reveal()).ok());
        if let Some(url) = url.filter(|it| it.scheme() == "http" && !is_here(it)) {
            let at = node.get("url").map_or(node.at, |it| it.at);
            desk.note(at, NoteWhat::SmsInClear { host: url.host_str()?.to_owned() });
        }
    } else if let Some(url) = url.as_ref().and_then(|it| element::url::http(it.reveal()).ok()) {
        let secret = ["token", "secret", "secret_key"].iter().find_map(|key| node.get(key));
        in_clear(desk, secret.filter(|_| known.kind != "webhook"), &url);
    }
    preset(known.kind, Settings { url, values, headers, signing_key, token, data })
}

fn exchange(desk: &mut Desk<'_>, node: &Node) -> Option<TokenExchange> {
    let secret_key = node.get("secret_key").map(|it| desk.header_secret(it));
    let refresh_token = node.get("refresh_token").map(|it| desk.secret_at(it));
    Some(TokenExchange {
        url: element::url::http(node.text("oauth_url").unwrap_or(ZALO_OAUTH_URL)).ok()?,
        app_id: node.text("app_id")?.to_owned(),
        secret_key: secret_key??,
        refresh_token: refresh_token??,
    })
}

fn data(desk: &mut Desk<'_>, node: &Node) -> Vec<(String, String)> {
    let mut data = Vec::new();
    for entry in node.get("data").map_or(&[][..], Node::entries) {
        let Some(text) = entry.node.as_text() else { continue };
        names(desk, &entry.node, text, &[]);
        data.push((entry.key.clone(), text.to_owned()));
    }
    data
}

/// Reports what `text`, written at `node`, takes from messages that they don't have.
fn names(desk: &mut Desk<'_>, node: &Node, text: &str, values: &[&str]) {
    if let Some(name) = template::unknown_name(text, values) {
        let all = FIELDS.iter().copied().chain(values.iter().copied());
        let nearest = element::nearest_of(&name, all).map(str::to_owned);
        desk.wrong(node.at, What::NoSuchName { name, nearest });
    } else if template::syntax(text).is_ok()
        && let Err(not) = template::trial(text, values)
    {
        desk.wrong(node.at, What::Element(not));
    }
}

/// A channel by templates.
fn http(desk: &mut Desk<'_>, node: &Node) -> Option<HttpChannel> {
    let mut values = Vec::new();
    for entry in node.get("values").map_or(&[][..], Node::entries) {
        if FIELDS.contains(&entry.key.as_str()) || entry.key == ACCESS_TOKEN {
            desk.wrong(entry.key_at, What::NameTaken { name: entry.key.clone() });
        }
        let value = match entry.node.as_text() {
            Some(text) => Some(Secret::new(text.to_owned())),
            None => desk.secret_at(&entry.node),
        };
        values.extend(value.map(|value| (entry.key.clone(), value)));
    }
    // Also those whose secret was not found: that is told already.
    let named = node.get("values").map_or(&[][..], Node::entries);
    let named: Vec<&str> = named.iter().map(|entry| entry.key.as_str()).collect();
    let url = template_at(desk, node, "url", &named);
    let body = template_at(desk, node, "body", &named);
    let headers = read::headers(desk, node, "headers", element::header::settable_name);
    for entry in node.get("headers").map_or(&[][..], Node::entries) {
        if let Some(text) = entry.node.as_text() {
            if let Err(not) = template::syntax(text) {
                desk.wrong(entry.node.at, What::Element(not));
            } else {
                names(desk, &entry.node, text, &named);
            }
        }
    }
    let success = node.get("success").map_or(Some(Success::Status), |it| success(desk, it));
    let url = url?;
    if element::url::http(url.reveal()).is_err() {
        desk.wrong(node.get("url")?.at, What::TemplateNotUrl);
        return None;
    }
    let text_max = node.integer("text_max").and_then(|it| usize::try_from(it).ok());
    Some(HttpChannel {
        preset: "http",
        url,
        method: node.text("method").unwrap_or("POST").to_owned(),
        headers,
        body: body.unwrap_or_else(|| Secret::new(String::new())),
        content_type: node
            .text("content_type")
            .unwrap_or("application/json; charset=utf-8")
            .to_owned(),
        signing_key: None,
        success: success?,
        values,
        token: None,
        text_chars_max: text_max.unwrap_or(TEXT_CHARS_MAX),
    })
}

/// The template at `key`: a text, a secret, or (of a body) a file.
fn template_at(
    desk: &mut Desk<'_>,
    table: &Node,
    key: &'static str,
    values: &[&str],
) -> Option<Secret> {
    let node = table.get(key)?;
    let text = match (node.as_text(), key) {
        (Some(text), _) => text.to_owned(),
        (None, "body") => {
            let file = node.get("file")?;
            let bytes = desk.body(file)?;
            let Ok(text) = String::from_utf8(bytes) else {
                let name = file.as_text().unwrap_or_default().to_owned();
                desk.wrong(file.at, What::NotUtf8 { path: name, byte: 0 });
                return None;
            };
            text
        }
        (None, _) => desk.secret_at(node)?.reveal().to_owned(),
    };
    if node.as_text().is_none()
        && let Err(not) = template::syntax(&text)
    {
        desk.wrong(node.at, What::Element(not));
        return None;
    }
    names(desk, node, &text, values);
    Some(Secret::new(text))
}

fn success(desk: &mut Desk<'_>, node: &Node) -> Option<Success> {
    if let Some(at) = node.get("equals").filter(|_| node.get("json").is_none()) {
        desk.wrong(at.at, needs("equals", "`json`"));
    }
    if node.get("matches").is_some() {
        return read::pattern(desk, node, "matches").map(Success::Matches);
    }
    let equals = match node.get("equals") {
        Some(list) if matches!(list.value, Value::List(_)) => {
            list.items().iter().map(|it| it.to_json().to_string()).collect()
        }
        Some(one) => vec![one.to_json().to_string()],
        None => vec!["true".to_owned()],
    };
    Some(Success::Json { path: node.text("json")?.to_owned(), equals })
}
