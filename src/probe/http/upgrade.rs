//! The opening request of a WebSocket (RFC 6455, section 4.1): HTTP/1.1 up to the switch.

use std::future::poll_fn;

use http::header::{CONNECTION, HeaderName, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::model::expect::{CodeSet, HttpExpect, HttpVersion};
use crate::model::how::How;
use crate::model::observation::{Detail, Hop, Observation};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::{HttpOffer, HttpSpec, RedirectTo, Redirects, WebsocketSpec};
use crate::model::time::{Micros, Millis};
use crate::probe::beside::beside;
use crate::probe::expect::{self, Answer, excerpt};
use crate::probe::net::Net;
use crate::probe::stopwatch::{Fault, Stopwatch};

use super::cookies::Jar;
use super::wire::{Tap, Wire};
use super::{Asked, Head, Trip, discreet, exchange, request, shown, token};

/// Most bytes of a page that comes instead of the switch: enough to tell whose it is.
const PAGE_BYTES_MAX: usize = 64 * 1024;

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");
const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

/// The opening request of one run.
#[derive(Debug)]
pub(in crate::probe) struct Opening<'a> {
    spec: &'a WebsocketSpec,
    /// The request, as an HTTP check would describe it.
    twin: HttpSpec,
    token: Option<Secret>,
    /// Of the answer, once it came.
    head: Option<Head>,
    how: How,
    net: &'a Net,
    now: Millis,
}

impl<'a> Opening<'a> {
    /// The one that `spec` asks for.
    pub(in crate::probe) fn of(
        spec: &'a WebsocketSpec,
        how: How,
        net: &'a Net,
        now: Millis,
    ) -> Self {
        Self { spec, twin: twin(spec), token: None, head: None, how, net, now }
    }

    /// Fetches a token, if one is needed: within `timeout`, and timed apart from the run.
    ///
    /// # Errors
    ///
    /// `auth_refused`, or a void reason if our side fails.
    pub(in crate::probe) async fn prepare(
        &mut self,
        timeout: Micros,
        detail: &mut Detail,
    ) -> Result<(), Fault> {
        let begun = Instant::now();
        let fetched = token::fetch(&self.twin, None, timeout, self.how, self.net, self.now).await;
        if !matches!(fetched, Ok(None)) {
            detail.aside = Micros::of(begun.elapsed());
        }
        self.token = fetched?;
        Ok(())
    }

    /// Asks over `stream` to switch. What comes back is the stream, and what of the WebSocket was
    /// read already.
    ///
    /// # Errors
    ///
    /// `http_status`, `waf_block` or `rate_limited` if another answer came; `http_protocol` if it
    /// breaks the rules, `header_mismatch` if it is not the subprotocol asked for; a timeout.
    pub(in crate::probe) async fn ask<S>(
        &mut self,
        stream: S,
        watch: &mut Stopwatch,
    ) -> Result<(Tap<S>, Bytes), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let key = generate_key();
        let request = self.request(&key)?;
        watch.enter(Phase::Send);
        let (tap, wire) = Wire::watch(stream, false, exchange::BEFORE_HEAD_BYTES_MAX);
        let asked = converse(TokioIo::new(tap), request, &mut self.head, &wire);
        let asked = timeout_at(watch.deadline(), asked).await;
        wire.settle(watch);
        let answered = match asked {
            Ok(answered) => answered,
            Err(_elapsed) => Err(watch.timed_out()),
        };
        match answered {
            Ok(Answered::Switched { tap, read, headers, version }) => {
                self.agrees(&headers, version, &key)?;
                Ok((tap, read))
            }
            Ok(Answered::Page(page)) => Err(self.refusal(page, watch)),
            // The head said no already, whatever became of the page.
            Err(_broken) if self.said_no() => Err(self.refusal(Vec::new(), watch)),
            Err(fault) => Err(fault),
        }
    }

    fn request(&self, key: &str) -> Result<Request<Full<Bytes>>, Fault> {
        let Self { twin, how, net, now, .. } = self;
        let token = self.token.as_ref();
        let trip = Trip { spec: twin, token, proxy: None, how: *how, net, now: *now };
        let asked = Asked::first(twin)?;
        let mut request = request::build(&trip, &asked, &Jar::default(), false)?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(VERSION, HeaderValue::from_static("13"));
        let unsendable = |_| Fault::new(Reason::Internal, "a header of our own can't be sent");
        headers.insert(KEY, HeaderValue::try_from(key).map_err(unsendable)?);
        if let Some(name) = &self.spec.subprotocol {
            headers.insert(PROTOCOL, HeaderValue::try_from(name).map_err(unsendable)?);
        }
        Ok(request)
    }

    fn said_no(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.status != StatusCode::SWITCHING_PROTOCOLS)
    }

    /// Whether the switch is what was asked for (RFC 6455, section 4.1, "client requirements").
    fn agrees(&self, headers: &HeaderMap, version: Version, key: &str) -> Result<(), Fault> {
        let says = |name: &HeaderName, word: &str| {
            let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            texts.flat_map(|text| text.split(',')).any(|it| it.trim().eq_ignore_ascii_case(word))
        };
        let one = |name: &HeaderName| headers.get(name).map(|value| value.as_bytes().trim_ascii());
        let broken = |why: &str| Err(Fault::new(Reason::HttpProtocol, why));
        if version != Version::HTTP_11 {
            return broken("the server switches to WebSocket in another version than HTTP/1.1");
        }
        if !says(&UPGRADE, "websocket") || !says(&CONNECTION, "upgrade") {
            return broken("the server switches, and does not say that it is to WebSocket");
        }
        if one(&ACCEPT) != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return broken("the server's `sec-websocket-accept` does not belong to our key");
        }
        if headers.contains_key(EXTENSIONS) {
            return broken("the server uses an extension that was not offered");
        }
        match (&self.spec.subprotocol, one(&PROTOCOL)) {
            (None, None) => Ok(()),
            (Some(asked), Some(got)) if got == asked.as_bytes() => Ok(()),
            (None, Some(got)) => broken(&format!(
                "the server chose a subprotocol that was not offered: `{}`",
                excerpt(got)
            )),
            (Some(asked), got) => {
                let got = got.map_or("none".to_owned(), |got| format!("`{}`", excerpt(got)));
                let why = format!("expected the subprotocol `{asked}`, got {got}");
                Err(Fault::new(Reason::HeaderMismatch, why))
            }
        }
    }

    /// The fault of an answer that is no switch.
    fn refusal(&self, body: Vec<u8>, watch: &mut Stopwatch) -> Fault {
        let (status, headers) = match &self.head {
            Some(head) => (head.status, head.headers.clone()),
            None => (0, HeaderMap::new()),
        };
        if status == 401 && self.token.is_some() {
            self.net.tokens.forget(&self.twin.auth);
        }
        let tls = super::is_secure(&self.twin.url);
        let (version, total) = (HttpVersion::Http11, watch.read().total());
        let answer = Answer { tls, version, status, headers, body, total };
        let signatures = &self.net.settings.block_signatures;
        match expect::judge(&self.twin.expect, &answer, signatures) {
            Err(fault) => fault,
            Ok(()) => Fault::new(Reason::HttpStatus, format!("not a switch: status {status}")),
        }
    }

    /// Adds what the answer told to what the run ends with, and hides what may not be told.
    pub(in crate::probe) fn tell(&self, seen: &mut Observation) {
        let status = self.head.as_ref().map(|head| head.status);
        let url = shown(&self.spec.url);
        seen.detail.hops.push(Hop { url, remote: seen.detail.remote, status, phases: seen.phases });
        seen.status = status;
        if let Some(head) = &self.head {
            seen.detail.http_version = Some(HttpVersion::Http11.as_str());
            seen.retry_after = expect::retry_after(head.status, &head.headers, self.now);
        }
        let secrets = discreet::secrets(&self.twin, self.token.as_ref());
        discreet::hide(&secrets, &mut seen.detail);
    }
}

/// The opening request as an HTTP check would describe it.
fn twin(spec: &WebsocketSpec) -> HttpSpec {
    let mut url = spec.url.clone();
    // All four are schemes of the same sort, between which this can't fail.
    let _ = url.set_scheme(if spec.url.scheme() == "wss" { "https" } else { "http" });
    let mut expect = HttpExpect { cert: spec.cert, ..HttpExpect::default() };
    expect.status = CodeSet::new(vec![(101, 101)]).unwrap_or(expect.status);
    HttpSpec {
        url,
        method: "GET".to_owned(),
        headers: spec.headers.clone(),
        body: None,
        auth: spec.auth.clone(),
        tls: spec.tls.clone(),
        proxy: None,
        redirects: Redirects { hops_max: 0, to: RedirectTo::SameHost, downgrade: false },
        offer: HttpOffer::Http1,
        compressed: false,
        body_bytes_cap: PAGE_BYTES_MAX as u64,
        expect,
    }
}

/// What came back.
enum Answered<S> {
    /// The switch.
    Switched { tap: Tap<S>, read: Bytes, headers: HeaderMap, version: Version },
    /// Another answer, with the beginning of its body.
    Page(Vec<u8>),
}

async fn converse<S>(
    io: TokioIo<Tap<S>>,
    mut request: Request<Full<Bytes>>,
    seen: &mut Option<Head>,
    wire: &Wire,
) -> Result<Answered<S>, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let fault = |error: hyper::Error| exchange::broken(&error, wire);
    let (mut sender, mut connection) = exchange::open(io, &mut request, wire).await?;
    let mut ended = false;
    let mut driven = poll_fn(|cx| {
        let polled = connection.poll_without_shutdown(cx);
        ended |= polled.is_ready();
        polled
    });
    let answer = beside(&mut driven, sender.send_request(request)).await;
    let (head, incoming) = answer.map_err(fault)?.into_parts();
    *seen = Some(Head::of(HttpVersion::Http11, head.status, &head.headers));
    // Nothing of a WebSocket is limited here; its messages are counted by whoever reads them.
    wire.head_came(u64::MAX);
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Answered::Page(beside(driven, page(incoming)).await));
    }
    drop(incoming);
    if !ended {
        poll_fn(|cx| connection.poll_without_shutdown(cx)).await.map_err(fault)?;
    }
    let parts = connection.into_parts();
    let (tap, read) = (parts.io.into_inner(), parts.read_buf);
    Ok(Answered::Switched { tap, read, headers: head.headers, version: head.version })
}

/// The beginning of a body, as far as it comes.
async fn page(mut incoming: Incoming) -> Vec<u8> {
    let mut page = Vec::new();
    while let Some(Ok(frame)) = incoming.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let room = PAGE_BYTES_MAX - page.len();
        page.extend(data.iter().take(room));
        if page.len() == PAGE_BYTES_MAX {
            break;
        }
    }
    page
}
