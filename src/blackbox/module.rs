//! What the modules of a `blackbox.yml` say, as data: one type a prober.
//!
//! Defaults are filled in; files that modules name are read; patterns are compiled.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::cel::Cel;
use super::fault::Fault;
use super::no_proxy::NoProxy;
use crate::model::secret::Secret;
use crate::model::spec::{Auth, Proxy, TlsClient};
use crate::model::text::Pattern;

/// The modules of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Modules {
    /// By name.
    pub(super) by_name: BTreeMap<String, Arc<Module>>,
    /// The file itself, then every file that a module names, in the order read; a change of any
    /// of them may change what modules mean.
    pub files: Vec<PathBuf>,
    /// What is worth knowing though nothing is wrong, by place.
    pub notes: Vec<Fault>,
}

impl Modules {
    /// The module of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Module>> {
        self.by_name.get(name)
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// One module.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// The longest run; `None`: only what the asker says, or the default.
    pub timeout: Option<Duration>,
    /// What it does.
    pub prober: Prober,
    /// The module as YAML, with `<secret>` in place of each secret.
    pub shown: String,
}

impl Module {
    /// Whether judging an answer may take long however small it is.
    #[must_use]
    pub const fn is_heavy(&self) -> bool {
        match &self.prober {
            Prober::Http(it) => {
                it.fail_if_json_matches.is_some() || it.fail_if_json_not_matches.is_some()
            }
            _ => false,
        }
    }
}

/// What a module does, with the settings of exactly that.
#[derive(Clone, Debug, PartialEq)]
pub enum Prober {
    /// `http`.
    Http(Box<Http>),
    /// `tcp`.
    Tcp(Box<Dialogue>),
    /// `unix`: as `tcp`, over a Unix socket; its family and source mean nothing.
    Unix(Box<Dialogue>),
    /// `websocket`.
    Websocket(Box<Websocket>),
    /// `dns`.
    Dns(Box<Dns>),
    /// `icmp`.
    Icmp(Icmp),
    /// `grpc`.
    Grpc(Box<Grpc>),
}

impl Prober {
    /// As written after `prober:`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Unix(_) => "unix",
            Self::Websocket(_) => "websocket",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Grpc(_) => "grpc",
        }
    }
}

/// `preferred_ip_protocol` and `ip_protocol_fallback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// Whether IPv6 is preferred to IPv4.
    pub prefer_v6: bool,
    /// Whether the other family will do if the target has no address of the preferred one.
    pub fallback: bool,
}

impl Default for Family {
    /// IPv6, else IPv4.
    fn default() -> Self {
        Self { prefer_v6: true, fallback: true }
    }
}

/// Prober `http`.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Which address.
    pub family: Family,
    /// Accepted status codes; empty: 200 to 299.
    pub valid_status: Vec<u16>,
    /// Accepted versions as Go writes them; empty: any.
    pub valid_versions: Vec<Version>,
    /// Method, in upper case.
    pub method: String,
    /// Headers to send in order, names as written; `headers` first, then `http_headers`. A `Host`
    /// replaces the target's.
    pub headers: Vec<(String, Secret)>,
    /// Body to send.
    pub body: Option<Vec<u8>>,
    /// Most bytes of the body that are read; `None`: no limit is set.
    pub body_limit: Option<u64>,
    /// How the answer is compressed; `None`: what the answer says is left as it is.
    pub compression: Option<Compression>,
    /// Whether redirects are followed (at most ten).
    pub follow_redirects: bool,
    /// Whether TLS at the last hop fails the probe.
    pub fail_if_ssl: bool,
    /// Whether the lack of TLS at the last hop fails the probe.
    pub fail_if_not_ssl: bool,
    /// Patterns of which none may match the body.
    pub fail_if_body_matches: Vec<Pattern>,
    /// Patterns that must each match the body.
    pub fail_if_body_not_matches: Vec<Pattern>,
    /// The body, as JSON, must not make it true.
    pub fail_if_json_matches: Option<Cel>,
    /// The body, as JSON, must make it true.
    pub fail_if_json_not_matches: Option<Cel>,
    /// Rules that fail the probe if a value of the header matches.
    pub fail_if_header_matches: Vec<HeaderMatch>,
    /// Rules that fail the probe if no value of the header matches.
    pub fail_if_header_not_matches: Vec<HeaderMatch>,
    /// TLS.
    pub tls: TlsClient,
    /// How the probe proves who it is. A scheme of `authorization` that [`Auth`] does not have
    /// is a header `Authorization` in [`Http::headers`].
    pub auth: Auth,
    /// Proxies to go through.
    pub proxies: Option<Proxies>,
    /// Whether the proxy finds the address of the target.
    pub skip_resolve_with_proxy: bool,
    /// Whether HTTP/2 is offered over TLS.
    pub http2: bool,
    /// Whether HTTP/3 is spoken, and nothing else.
    pub http3: bool,
}

/// A version of HTTP, named as Go names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `HTTP/1.0`.
    Http10,
    /// `HTTP/1.1`.
    Http11,
    /// `HTTP/2.0`.
    Http2,
    /// `HTTP/3.0`.
    Http3,
}

impl Version {
    /// Each, with its name.
    pub const NAMES: &[(&str, Self)] = &[
        ("HTTP/1.0", Self::Http10),
        ("HTTP/1.1", Self::Http11),
        ("HTTP/2.0", Self::Http2),
        ("HTTP/3.0", Self::Http3),
    ];
}

/// How an answer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// `gzip` (RFC 1952).
    Gzip,
    /// `br` (RFC 7932).
    Brotli,
    /// `deflate`: bare deflate (RFC 1951), as blackbox_exporter reads it.
    Deflate,
    /// `identity`: not at all.
    Identity,
}

impl Compression {
    /// Each, with its name in `Accept-Encoding`.
    pub const NAMES: &[(&str, Self)] = &[
        ("gzip", Self::Gzip),
        ("br", Self::Brotli),
        ("deflate", Self::Deflate),
        ("identity", Self::Identity),
    ];

    /// As in `Accept-Encoding`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Deflate => "deflate",
            Self::Identity => "identity",
        }
    }
}

/// A rule on one header of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Name, in lower case.
    pub header: String,
    /// What its values are matched with.
    pub pattern: Pattern,
    /// Whether a missing header passes.
    pub allow_missing: bool,
}

/// Proxies to go through, by the scheme of the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxies {
    /// For `http`.
    pub http: Option<Proxy>,
    /// For `https`.
    pub https: Option<Proxy>,
    /// Which targets are reached without; `None`: none.
    pub none_for: Option<NoProxy>,
}

impl Proxies {
    /// The proxy to `target`, if it is reached through one.
    #[must_use]
    pub fn to(&self, target: &Url) -> Option<&Proxy> {
        let proxy = if target.scheme() == "https" { &self.https } else { &self.http };
        let host: Host<String> = target.host()?.to_owned();
        let port = target.port_or_known_default()?;
        let without = self.none_for.as_ref().is_some_and(|none| none.holds(&host, port));
        proxy.as_ref().filter(|_| !without)
    }
}

/// Probers `tcp` and `unix`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// Which address.
    pub family: Family,
    /// The address that connections come from.
    pub source: Option<IpAddr>,
    /// What is said, in order.
    pub exchanges: Vec<Exchange>,
    /// Whether TLS is spoken from the first byte.
    pub tls: bool,
    /// How TLS is spoken, then and after `starttls`.
    pub tls_config: TlsClient,
}

/// One step of a dialogue: expect, then send, then start TLS; each if asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// What is waited for.
    pub expect: Option<Expect>,
    /// Labels of `probe_expect_info`, from what matched.
    pub labels: Vec<Label>,
    /// What is sent, with a line feed after it over TCP; may be empty, which sends nothing.
    pub send: String,
    /// Whether TLS is started then.
    pub starttls: bool,
}

/// What a step of a dialogue waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A line (of a WebSocket: the next message) that matches. What matched replaces `$1` and
    /// `${1}` in what is sent and in labels, as Go's `Regexp.Expand` does.
    Line(Pattern),
    /// Exactly these bytes.
    Bytes(Vec<u8>),
}

/// A label whose value may hold `${1}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value as written.
    pub value: String,
}

/// Prober `websocket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Websocket {
    /// Which address; blackbox_exporter has no setting for it.
    pub family: Family,
    /// Headers of the request that asks for the upgrade, in order.
    pub headers: Vec<(String, Secret)>,
    /// How the probe proves who it is: [`Auth::None`], `Basic` or `Bearer`.
    pub auth: Auth,
    /// TLS, for `wss`.
    pub tls: TlsClient,
    /// What is said once upgraded, in order; `starttls` is never set.
    pub exchanges: Vec<Exchange>,
}

/// Prober `dns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Which address of the server.
    pub family: Family,
    /// The address that questions come from.
    pub source: Option<IpAddr>,
    /// Over what.
    pub over: DnsOver,
    /// The name asked for, as written.
    pub name: String,
    /// The record type, by number.
    pub record_type: u16,
    /// The class, by number; 1 is IN.
    pub class: u16,
    /// Whether to ask for recursion.
    pub recursion: bool,
    /// Accepted response codes; empty: NOERROR.
    pub valid_rcodes: Vec<u16>,
    /// Rules on the answer section.
    pub answer: Records,
    /// Rules on the authority section.
    pub authority: Records,
    /// Rules on the additional section.
    pub additional: Records,
}

/// Over what DNS is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsOver {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS (RFC 7858).
    Tls(TlsClient),
}

/// Rules on one section of a DNS answer. A record is matched as its line in a zone file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// A pattern here fails the probe if any record matches it.
    pub fail_if_matches: Vec<Pattern>,
    /// A pattern here fails the probe if every record matches it.
    pub fail_if_all_match: Vec<Pattern>,
    /// A pattern here fails the probe if any record does not match it.
    pub fail_if_not_matches: Vec<Pattern>,
    /// A pattern here fails the probe if no record matches it.
    pub fail_if_none_matches: Vec<Pattern>,
}

/// Prober `icmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Which address.
    pub family: Family,
    /// The address that the echo comes from.
    pub source: Option<IpAddr>,
    /// Bytes of payload; `None`: blackbox_exporter's own 28.
    pub payload_bytes: Option<u16>,
    /// Whether the packet may not be fragmented (IPv4 only).
    pub dont_fragment: bool,
    /// The hop limit that the echo leaves with; 0: the system's own.
    pub ttl: u8,
}

/// Prober `grpc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grpc {
    /// Which address.
    pub family: Family,
    /// The service asked for; empty: the server as a whole.
    pub service: String,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// How TLS is spoken.
    pub tls_config: TlsClient,
    /// Metadata sent with the call, in order.
    pub metadata: Vec<(String, Secret)>,
}
