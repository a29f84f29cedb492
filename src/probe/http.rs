//! One HTTP request on a connection of its own, with its redirects.
//!
//! Read on in [`request`] (what is sent), [`exchange`] and [`exchange2`] (HTTP/1 and 2 over one
//! connection, timed by [`wire`]), [`exchange3`] (HTTP/3 over QUIC), [`body`] (decoding within limits), [`redirect`].

mod request;
mod wire;
mod exchange;
mod exchange2;
mod exchange3;
mod frames3;
mod body;
mod redirect;
mod cookies;
mod proxy;
mod token;
mod discreet;
mod upgrade;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use url::{Host, Url};

use crate::model::check::Check;
use crate::model::expect::HttpVersion;
use crate::model::how::How;
use crate::model::kept::{HttpKept, Kept, Lease};
use crate::model::observation::{Detail, Hop, Observation};
use crate::model::phases::{Phase, Phases};
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::{HttpOffer, HttpSpec, TlsClient};
use crate::model::time::{Micros, Millis};

use super::expect::{self, Answer};
use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::tls::{self, Alpn, Terms};
use super::{conclude, dial, or_slow, resolve};
use body::{Cap, Gathered};
use cookies::Jar;

pub(super) use token::Tokens;
pub(super) use upgrade::Opening;

const ALPN_AUTO: Alpn = &[b"h2", b"http/1.1"];
pub(super) const ALPN_1: Alpn = &[b"http/1.1"];
const ALPN_2: Alpn = &[b"h2"];

/// Most headers of an answer.
const HEADERS_MAX: usize = 128;

/// Most bytes of a kept body that are decoded on the spot: a few milliseconds.
const INLINE_BYTES_MAX: usize = 32 * 1024;

/// Most bytes of an answer's status line and headers.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What every hop of a run shares.
#[derive(Clone, Copy, Debug)]
struct Trip<'a> {
    spec: &'a HttpSpec,
    /// The bearer token, if one was fetched.
    token: Option<&'a Secret>,
    /// Addresses of the proxy, if there is one.
    proxy: Option<&'a [IpAddr]>,
    how: How,
    net: &'a Net,
    now: Millis,
}

impl Trip<'_> {
    /// How large a body may get.
    fn cap(&self) -> Cap {
        Cap::new(self.spec.body_bytes_cap, self.how.keep)
    }
}

/// What one hop asks for.
#[derive(Clone, Debug)]
struct Asked {
    method: http::Method,
    url: Url,
    body: Bytes,
    /// Whether secrets meant for the first host may be sent.
    home: bool,
}

impl Asked {
    /// What the first hop asks for.
    fn first(spec: &HttpSpec) -> Result<Self, Fault> {
        Ok(Self {
            method: request::method(&spec.method)?,
            url: spec.url.clone(),
            body: spec.body.clone().map(Bytes::from).unwrap_or_default(),
            home: true,
        })
    }
}

/// What one hop got, with its body still encoded.
#[derive(Debug)]
struct Got {
    version: HttpVersion,
    status: u16,
    headers: HeaderMap,
    body: Gathered,
}

/// The answer that the redirects end at, decoded.
#[derive(Debug)]
struct Arrival {
    version: HttpVersion,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The room that the body takes.
    lease: Option<Lease>,
    /// Whether its hop was over TLS.
    tls: bool,
}

/// The head of an answer, kept as soon as it came, whatever becomes of the rest.
#[derive(Clone, Debug)]
struct Head {
    version: HttpVersion,
    status: u16,
    headers: HeaderMap,
}

impl Head {
    fn of(version: HttpVersion, status: http::StatusCode, headers: &HeaderMap) -> Self {
        Self { version, status: status.as_u16(), headers: headers.clone() }
    }

    /// What is kept of the answer that this begins.
    fn kept(&self, detail: &Detail, body: Option<(Vec<u8>, Option<Lease>)>) -> HttpKept {
        let one = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        let tls = detail.hops.last().is_some_and(|hop| hop.url.starts_with("https:"));
        let (body, lease) = body.unzip();
        let (headers, lease) = (self.headers.iter().map(one).collect(), lease.flatten());
        HttpKept { headers, tls, body, lease: lease.map(Arc::new) }
    }

    /// The fault of a firewall or a rate limit that this head alone tells of, unless the check
    /// takes such an answer like any other.
    fn refusal(&self, trip: &Trip<'_>) -> Option<Fault> {
        let signatures = &trip.net.settings.block_signatures;
        trip.spec
            .expect
            .blocked
            .then(|| expect::refused_by_head(self.status, &self.headers, signatures))
            .flatten()
    }
}

/// Sends the request, follows its redirects and judges the last answer.
pub(super) async fn run(
    spec: &HttpSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let mut detail = Box::<Detail>::default();
    let aside = Instant::now();
    let prepared = prepare(spec, check.timeout, how, net, now).await;
    if prepared.as_ref().map_or(true, Prepared::took_time) {
        detail.aside = Micros::of(aside.elapsed());
    }
    // A body to send is copied before the time begins.
    let first = Asked::first(spec);
    let mut last = None;
    let mut watch = Stopwatch::start(check.timeout);
    let journey = match (&prepared, first) {
        (Ok(Prepared { token, proxy }), Ok(first)) => {
            let (token, proxy) = (token.as_ref(), proxy.as_deref());
            let trip = Trip { spec, token, proxy, how, net, now };
            travel(&trip, first, &mut last, &mut watch, &mut detail).await
        }
        (Err(fault), _) => Err(fault.clone()),
        (_, Err(fault)) => Err(fault),
    };
    // What comes after the last byte is our own time.
    let mut phases = Phases::default();
    detail.hops.iter().for_each(|hop| phases.add(hop.phases));
    let mut bytes = 0;
    let mut body = None;
    let status = last.as_ref().map(|head: &Head| head.status);
    if status == Some(401) && prepared.as_ref().is_ok_and(|it| it.token.is_some()) {
        net.tokens.forget(&spec.auth);
    }
    let end = journey.and_then(|arrival| {
        bytes = u32::try_from(arrival.body.len()).unwrap_or(u32::MAX);
        let (judged, came) = judge(spec, arrival, phases.total(), net);
        body = how.keep.then_some(came);
        judged
    });
    detail.http_version = last.as_ref().map(|head| head.version.as_str());
    if how.keep {
        detail.kept = last.as_ref().map(|head| Box::new(Kept::Http(head.kept(&detail, body))));
    }
    let mut observation = conclude(end, phases, detail);
    let token = prepared.as_ref().ok().and_then(|it| it.token.as_ref());
    discreet::hide(&discreet::secrets(spec, token), &mut observation.detail);
    observation.status = status.or(observation.detail.hops.last().and_then(|it| it.status));
    observation.bytes = bytes;
    observation.retry_after =
        last.and_then(|head| expect::retry_after(head.status, &head.headers, now));
    or_slow(&mut observation, check);
    observation
}

/// Judges the answer, and gives its body back.
fn judge(
    spec: &HttpSpec,
    arrival: Arrival,
    total: Micros,
    net: &Net,
) -> (Result<(), Fault>, (Vec<u8>, Option<Lease>)) {
    let Arrival { version, status, headers, body, lease, tls } = arrival;
    let answer = Answer { tls, version, status, headers, body, total };
    let judged = expect::judge(&spec.expect, &answer, &net.settings.block_signatures);
    (judged, (answer.body, lease))
}

/// What a run needs before it starts, timed apart from it.
#[derive(Debug)]
struct Prepared {
    token: Option<Secret>,
    proxy: Option<Vec<IpAddr>>,
}

impl Prepared {
    const fn took_time(&self) -> bool {
        self.token.is_some() || self.proxy.is_some()
    }
}

async fn prepare(
    spec: &HttpSpec,
    timeout: Micros,
    how: How,
    net: &Net,
    now: Millis,
) -> Result<Prepared, Fault> {
    let proxy = match &spec.proxy {
        None => None,
        Some(proxy) => Some(proxy::find(proxy, timeout, net).await?),
    };
    let token = token::fetch(spec, proxy.as_deref(), timeout, how, net, now).await?;
    Ok(Prepared { token, proxy })
}

/// Goes from hop to hop until an answer is not a redirect to follow. `last` is the head of the
/// last hop, if one came.
async fn travel(
    trip: &Trip<'_>,
    mut asked: Asked,
    last: &mut Option<Head>,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Arrival, Fault> {
    let mut jar = Jar::default();
    let mut before = Phases::default();
    loop {
        watch.enter(Phase::Dns);
        *last = None;
        let earlier = detail.remote.take();
        let got = hop(trip, &asked, &mut jar, last, watch, detail).await;
        let after = watch.read();
        let phases = spent(before, after);
        before = after;
        let url = shown(&asked.url);
        let status = last.as_ref().map(|it| it.status);
        let remote = detail.remote;
        detail.remote = remote.or(earlier);
        detail.hops.push(Hop { url, remote, status, phases });
        // What the head says of a firewall goes before whatever is wrong with the rest.
        let refusal = || last.as_ref().and_then(|head| head.refusal(trip));
        let got = got.map_err(|fault| refusal().unwrap_or(fault))?;
        if redirect::is_followed(trip.spec, got.status) {
            refusal().map_or(Ok(()), Err)?;
            // Its body is of no interest, and decoding it would be charged to the next hop.
            asked = redirect::next(trip.spec, &asked, &got, detail.hops.len())?;
            continue;
        }
        // Decoding is our own time, not the service's.
        let arrival = decoded(trip, got, is_secure(&asked.url)).await;
        return arrival.map_err(|fault| refusal().unwrap_or(fault));
    }
}

/// `got` with its body decoded. A large one takes long enough to keep other tasks waiting.
async fn decoded(trip: &Trip<'_>, got: Got, tls: bool) -> Result<Arrival, Fault> {
    let cap = trip.spec.body_bytes_cap;
    let Got { version, status, headers, body } = got;
    let (body, mut lease) = body.into_parts();
    let large = trip.how.keep && body.len() > INLINE_BYTES_MAX;
    let work = move || {
        let body = body::decode(&headers, body, cap, lease.as_mut())?;
        Ok(Arrival { version, status, headers, body, lease, tls })
    };
    // Only a kept answer can be large.
    if !large {
        return work();
    }
    let died = |panic: tokio::task::JoinError| {
        Err(Fault::new(Reason::Internal, format!("a bug of ours: {panic}")))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(died)
}

/// One request and its answer, whose body is still encoded. `head` is filled as soon as it
/// came, whatever becomes of the rest.
async fn hop(
    trip: &Trip<'_>,
    asked: &Asked,
    jar: &mut Jar,
    head: &mut Option<Head>,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Got, Fault> {
    let host = host_of(&asked.url)?;
    may_reach(&host, trip.net)?;
    let port = asked.url.port_or_known_default().unwrap_or(80);
    if trip.spec.offer == HttpOffer::Http3 {
        let got = exchange3::hop(trip, asked, (&host, port), jar, head, watch, detail).await?;
        jar.keep(&asked.url, &got.headers);
        return Ok(got);
    }
    let secure = is_secure(&asked.url);
    let stream = if let (Some(proxy), Some(addresses)) = (&trip.spec.proxy, trip.proxy) {
        let to = secure.then_some((&host, port));
        proxy::connect(proxy, addresses, to, trip.how, trip.net, watch, detail).await?
    } else {
        let addresses = resolve::resolve(&host, trip.how, trip.net, watch, detail).await?;
        dial::connect(&addresses, port, trip.how, trip.net, watch, detail).await?
    };
    let got = if secure {
        let client = client_for(trip.spec, asked);
        let terms = Terms {
            host: &host,
            client: &client,
            alpn: alpn(trip.spec.offer),
            expect: trip.spec.expect.cert,
            now: trip.now,
        };
        let stream = tls::handshake(stream, terms, trip.net, watch, detail).await?;
        let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if trip.spec.offer == HttpOffer::Http2 && !two {
            let why = "expected HTTP/2, the server does not offer it by ALPN";
            return Err(Fault::new(Reason::HttpVersion, why));
        }
        exchange_over(stream, two, trip, asked, jar, head, watch).await?
    } else {
        let two = trip.spec.offer == HttpOffer::Http2;
        exchange_over(stream, two, trip, asked, jar, head, watch).await?
    };
    jar.keep(&asked.url, &got.headers);
    Ok(got)
}

async fn exchange_over<S>(
    stream: S,
    two: bool,
    trip: &Trip<'_>,
    asked: &Asked,
    jar: &Jar,
    head: &mut Option<Head>,
    watch: &mut Stopwatch,
) -> Result<Got, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let request = request::build(trip, asked, jar, two)?;
    let cap = trip.cap();
    if two {
        exchange2::exchange(stream, request, cap, head, watch).await
    } else {
        exchange::exchange(stream, request, cap, head, watch).await
    }
}

/// The TLS settings for a hop. Our certificate and the name to verify are for the first host.
fn client_for<'a>(spec: &'a HttpSpec, asked: &Asked) -> Cow<'a, TlsClient> {
    if asked.home {
        return Cow::Borrowed(&spec.tls);
    }
    Cow::Owned(TlsClient { identity_pem: None, server_name: None, ..spec.tls.clone() })
}

const fn alpn(offer: HttpOffer) -> Alpn {
    match offer {
        HttpOffer::Auto => ALPN_AUTO,
        HttpOffer::Http1 => ALPN_1,
        HttpOffer::Http2 => ALPN_2,
        // Never over TCP: see `exchange3`.
        HttpOffer::Http3 => tls::ALPN_NONE,
    }
}

/// Whether a hop to `url` goes over TLS.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https"
}

/// Whether the kill switch lets anything be sent to `host`.
fn may_reach(host: &Host<String>, net: &Net) -> Result<(), Fault> {
    let name = host.to_string();
    let bare = name.strip_suffix('.').unwrap_or(&name);
    if net.is_killed(bare) {
        return Err(Fault::new(Reason::Paused, format!("`{bare}` is in the kill switch")));
    }
    Ok(())
}

pub(super) fn host_of(url: &Url) -> Result<Host<String>, Fault> {
    url.host()
        .map(|host| host.to_owned())
        .ok_or_else(|| Fault::new(Reason::Internal, format!("`{}` names no host", shown(url))))
}

/// A URL without user, password, query or fragment: those may be secret.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Both fail only for URLs that can't have them.
    let _no_user = shown.set_username("");
    let _no_password = shown.set_password(None);
    shown.into()
}

fn spent(before: Phases, after: Phases) -> Phases {
    let (before, after) = (before.to_array(), after.to_array());
    Phases::from_array(std::array::from_fn(|i| Micros(after[i].0.saturating_sub(before[i].0))))
}
