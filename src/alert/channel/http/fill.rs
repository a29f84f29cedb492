//! The request: templates filled from a message.

use std::collections::BTreeMap;
use std::fmt::Write;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use super::sign::signature;
use crate::alert::channel::SenderError;
use crate::alert::channel::hide::Secrets;
use crate::alert::message::{self, Message};
use crate::model::alerting::channel::HttpChannel;
use crate::model::secret::Secret;
use crate::model::time::Millis;

/// Most bytes of a request's body: APIs take less, and a template in a loop makes more.
const BODY_BYTES_MAX: usize = 1_048_576;

/// What the templates are called in the engine.
const URL: &str = "the address";
const BODY: &str = "the body";

/// A channel's templates, parsed and tried.
pub(super) struct Templates {
    engine: Environment<'static>,
    method: Method,
    headers: Vec<HeaderName>,
    content_type: HeaderValue,
    values: Vec<(String, Secret)>,
    signing_key: Option<Secret>,
    text_chars_max: usize,
}

/// A request, and what of it must not be repeated.
pub(super) struct Filled {
    pub(super) request: Request,
    pub(super) secrets: Secrets,
}

impl Templates {
    pub(super) fn new(http: &HttpChannel) -> Result<Self, SenderError> {
        let mut engine = message::engine();
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        let mut add = |part: String, text: &Secret| {
            let added = engine.add_template_owned(part.clone(), text.reveal().to_owned());
            added.map_err(|error| broken(&part, &error))
        };
        add(URL.to_owned(), &http.url)?;
        add(BODY.to_owned(), &http.body)?;
        let mut headers = Vec::new();
        for (name, text) in &http.headers {
            let invalid = |_| SenderError::Invalid { what: "header name", text: name.clone() };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(invalid)?;
            add(header_part(&name), text)?;
            headers.push(name);
        }
        let method = Method::from_bytes(http.method.as_bytes())
            .map_err(|_| SenderError::Invalid { what: "method", text: http.method.clone() })?;
        let content_type = HeaderValue::from_str(&http.content_type).map_err(|_| {
            SenderError::Invalid { what: "content type", text: http.content_type.clone() }
        })?;
        let templates = Self {
            engine,
            method,
            headers,
            content_type,
            values: http.values.clone(),
            signing_key: http.signing_key.clone(),
            text_chars_max: http.text_chars_max,
        };
        templates.tried()?;
        Ok(templates)
    }

    /// A name that does not exist is found now, and not at night.
    fn tried(&self) -> Result<(), SenderError> {
        let context = self.context("-", &sample(), "");
        let headers = self.headers.iter().map(header_part);
        for part in [URL.to_owned(), BODY.to_owned()].into_iter().chain(headers) {
            self.filled(&part, &context).map_err(|error| broken(&part, &error))?;
        }
        Ok(())
    }

    /// What templates know: the values of the channel, and before them the message.
    fn context(&self, to: &str, message: &Message, access: &str) -> Value {
        let mut known = BTreeMap::new();
        for (name, value) in &self.values {
            known.insert(name.clone(), Value::from(value.reveal()));
        }
        let fields = Value::from(Serde(message));
        for name in fields.try_iter().into_iter().flatten() {
            let value = fields.get_item(&name).unwrap_or_default();
            known.insert(name.to_string(), value);
        }
        let text = message::cut(&message.text, self.text_chars_max);
        let subject = message::cut(&message.subject, self.text_chars_max);
        for (name, value) in [
            ("text", Value::from(text)),
            ("subject", Value::from(subject)),
            ("to", Value::from(to)),
            ("access_token", Value::from(access)),
            (message::LINKS, Value::from(message.links.clone())),
        ] {
            known.insert(name.to_owned(), value);
        }
        Value::from(known)
    }

    fn filled(&self, part: &str, context: &Value) -> Result<String, minijinja::Error> {
        self.engine.get_template(part)?.render(context)
    }

    /// The request for one message. An error says which template, and nothing of what is in it.
    pub(super) fn fill(
        &self,
        to: &str,
        message: &Message,
        now: Millis,
        access: &str,
    ) -> Result<Filled, String> {
        let context = self.context(to, message, access);
        let fill = |part: &str| {
            self.filled(part, &context).map_err(|error| broken(part, &error).to_string())
        };
        let address = fill(URL)?;
        let url = Url::parse(&address).ok().filter(|it| it.has_host() && is_http(it));
        let url = url.ok_or("the template of the address makes no HTTP address")?;
        let body = fill(BODY)?;
        if body.len() > BODY_BYTES_MAX {
            return Err(format!("the body is larger than {BODY_BYTES_MAX} bytes"));
        }
        let mut secrets = Secrets::default();
        secrets.add(&address);
        secrets.add_url(&url);
        secrets.add(access);
        secrets.add_recipient(to);
        secrets.add_links(message);
        let mut headers = self.fixed_headers(&message.key, now, body.as_bytes());
        for name in &self.headers {
            let text = fill(&header_part(name))?;
            let value = HeaderValue::from_str(text.trim());
            let mut value =
                value.map_err(|_| format!("{} has no valid value", header_part(name)))?;
            value.set_sensitive(true);
            headers.insert(name, value);
            secrets.add(&text);
        }
        self.values.iter().for_each(|(_, it)| secrets.add(it.reveal()));
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        Ok(Filled { request, secrets })
    }

    fn fixed_headers(&self, key: &str, now: Millis, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, self.content_type.clone());
        let mut set = |name: &'static str, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("idempotency-key", &ascii(key));
        if let Some(signing_key) = &self.signing_key {
            let seconds = now.0.div_euclid(1_000);
            set("x-thongsuot-timestamp", &seconds.to_string());
            let signed = signature(signing_key.reveal().as_bytes(), seconds, body);
            set("x-thongsuot-signature", &signed);
        }
        headers
    }
}

/// As a header can carry it, different for different texts.
fn ascii(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_graphic() {
            out.push(c);
        } else {
            write!(out, "%{:x}", u32::from(c)).ok();
        }
        out
    })
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn header_part(name: &HeaderName) -> String {
    format!("header `{name}`")
}

fn broken(part: &str, error: &minijinja::Error) -> SenderError {
    let what = error.detail().map_or_else(String::new, |it| format!(": {it}"));
    SenderError::Template {
        part: part.to_owned(),
        line: error.line(),
        problem: message::tamed(&format!("{}{what}", error.kind())),
    }
}

fn sample() -> Message {
    let text = str::to_owned;
    Message {
        key: text("SC-2026-0012/page/0/0/0/-/mail/-"),
        incident: text("SC-2026-0012"),
        purpose: text("page"),
        severity: text("page"),
        subject: text("[GIÁN ĐOẠN] VNeID: từ 08:14 ngày 23/11"),
        text: text("Gián đoạn\ntừ 08:14"),
        html: text("<p>Gián đoạn</p>"),
        short: text("GIAN DOAN VNeID"),
        ack_url: text("https://giamsat.example.gov.vn/ack/x"),
        incident_url: text("https://giamsat.example.gov.vn/incidents/SC-2026-0012"),
        system: text("VNeID"),
        links: Vec::new(),
    }
}
