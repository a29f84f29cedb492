//! What each kind of check does: a closed set, each with exactly its own settings.

use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

use super::expect::{CertExpect, DnsExpect, HttpExpect};
use super::secret::Secret;
use super::text::Pattern;

/// The kind of a check and its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// One HTTP request, with its redirects.
    Http(Box<HttpSpec>),
    /// A TCP connection and a dialogue.
    Tcp(Box<TcpSpec>),
    /// A socket in this machine's file system and a dialogue.
    Unix(Box<UnixSpec>),
    /// A WebSocket and a dialogue of messages.
    Websocket(Box<WebsocketSpec>),
    /// A TLS handshake and its certificate.
    Tls(Box<TlsSpec>),
    /// One DNS question.
    Dns(Box<DnsSpec>),
    /// One ICMP echo.
    Icmp(IcmpSpec),
    /// The gRPC health service.
    Grpc(Box<GrpcSpec>),
    /// A beat that the owner pushes to us.
    Heartbeat(HeartbeatSpec),
}

impl Spec {
    /// The name of the kind in configuration and metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Unix(_) => "unix",
            Self::Websocket(_) => "websocket",
            Self::Tls(_) => "tls",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Grpc(_) => "grpc",
            Self::Heartbeat(_) => "heartbeat",
        }
    }

    /// The host that the check puts load on, for caps and kill switches; `None` if it sends
    /// nothing over the network. Without the final dot of a name: `a.vn.` is `a.vn`.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let mut host = self.written_host()?;
        if host.ends_with('.') {
            host.pop();
        }
        Some(host)
    }

    fn written_host(&self) -> Option<String> {
        match self {
            Self::Http(spec) => spec.url.host_str().map(str::to_owned),
            Self::Websocket(spec) => spec.url.host_str().map(str::to_owned),
            Self::Tcp(spec) => Some(spec.peer.host.to_string()),
            Self::Tls(spec) => Some(spec.peer.host.to_string()),
            Self::Dns(spec) => spec.server.as_ref().map(|peer| peer.host.to_string()),
            Self::Icmp(spec) => Some(spec.host.to_string()),
            Self::Grpc(spec) => Some(spec.peer.host.to_string()),
            Self::Unix(_) | Self::Heartbeat(_) => None,
        }
    }
}

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Name or address.
    pub host: Host<String>,
    /// Port, 1 to 65535.
    pub port: u16,
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpSpec {
    /// `http` or `https`; without user, password or fragment.
    pub url: Url,
    /// Method, upper case.
    pub method: String,
    /// Headers besides our own; a `host` here replaces the URL's.
    pub headers: Vec<(String, Secret)>,
    /// Body to send.
    pub body: Option<Vec<u8>>,
    /// How the run proves who it is.
    pub auth: Auth,
    /// TLS settings; used by `https` and by redirects to it.
    pub tls: TlsClient,
    /// A proxy to go through.
    pub proxy: Option<Proxy>,
    /// What to do with redirects.
    pub redirects: Redirects,
    /// HTTP versions to offer.
    pub offer: HttpOffer,
    /// Whether to ask for a compressed body.
    pub compressed: bool,
    /// Most bytes of the decoded body; a larger one is `body_too_large`.
    pub body_bytes_cap: u64,
    /// What the answer must be.
    pub expect: HttpExpect,
}

/// How a run proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    None,
    /// Basic (RFC 7617).
    Basic {
        /// User name.
        user: String,
        /// Password.
        password: Secret,
    },
    /// A bearer token (RFC 6750).
    Bearer(Secret),
    /// A token fetched with the client's credentials (RFC 6749, section 4.4); kept until it
    /// expires, and its fetch is timed apart from the run.
    OAuth2(Box<OAuth2>),
}

/// How a token is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: Secret,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Further parameters of the request. Not offered in `targets.toml`: blackbox_exporter's
    /// `endpoint_params`.
    pub params: Vec<(String, Secret)>,
    /// TLS to the endpoint; `None`: as to the service, but for its name and our certificate.
    pub tls: Option<TlsClient>,
}

/// How to speak TLS to a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsClient {
    /// Whether a certificate that does not verify fails the run. Its facts are kept either way.
    pub verify: bool,
    /// Trusted roots besides the system's, as PEM.
    pub roots_pem: Option<Vec<u8>>,
    /// Whether those alone are trusted. Not offered in `targets.toml`: it is how
    /// blackbox_exporter reads `ca_file`.
    pub roots_only: bool,
    /// Our own certificate and key, as PEM.
    pub identity_pem: Option<(Vec<u8>, Secret)>,
    /// The name to ask for and verify, if not the host.
    pub server_name: Option<String>,
    /// Lowest TLS version accepted.
    pub version_min: TlsVersion,
    /// Highest TLS version offered; `None`: the highest there is.
    pub version_max: Option<TlsVersion>,
}

impl Default for TlsClient {
    fn default() -> Self {
        Self {
            verify: true,
            roots_pem: None,
            roots_only: false,
            identity_pem: None,
            server_name: None,
            version_min: TlsVersion::Tls12,
            version_max: None,
        }
    }
}

/// A TLS version that can be asked for; a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// A proxy for HTTP (RFC 9110, section 9.3.6 for `CONNECT`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Where it listens, in clear.
    pub peer: Peer,
    /// User and password.
    pub auth: Option<(String, Secret)>,
    /// Headers sent with `CONNECT` besides our own; names in lower case. Plain `http` goes
    /// without them.
    pub connect_headers: Vec<(String, Secret)>,
}

/// What to do with redirects, decided anew at each hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirects {
    /// Most hops; 0 means that a redirect is an answer like any other.
    pub hops_max: u8,
    /// Where a redirect may lead.
    pub to: RedirectTo,
    /// Whether one from `https` to `http` is followed. No check of a configuration does.
    pub downgrade: bool,
}

/// Where a redirect may lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectTo {
    /// The same host, any port and scheme.
    SameHost,
    /// The same host and these.
    Hosts(Vec<String>),
    /// Anywhere.
    Anywhere,
}

/// HTTP versions to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpOffer {
    /// 2 and 1.1 by ALPN over TLS, 1.1 in clear.
    Auto,
    /// Only 1.1.
    Http1,
    /// Only 2; in clear with prior knowledge (RFC 9113, section 3.3).
    Http2,
    /// Only 3, over QUIC (RFC 9114): for `https` only, and through no proxy.
    Http3,
}

/// A TCP connection and a dialogue.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpSpec {
    /// Where to.
    pub peer: Peer,
    /// TLS from the first byte.
    pub tls: Option<TlsClient>,
    /// What is said, in order; empty: connecting is enough.
    pub dialogue: Vec<Line>,
    /// What the certificate must be, where TLS is spoken.
    pub cert: CertExpect,
}

/// One line of a dialogue. Over a WebSocket, what is sent and what is heard are whole messages
/// instead of bytes and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Send these bytes. `$1` to `$9` stand for groups of the last match.
    Send(Vec<u8>),
    /// Send these bytes, in which `$name`, `${name}`, `$1` and `${1}` stand for groups of the last
    /// match and `$$` for a dollar, as `regex::bytes::Captures::expand` has it. Not offered in
    /// `targets.toml`: it is how blackbox_exporter writes what it sends.
    SendExpanded(Vec<u8>),
    /// Read lines until one matches; other lines are passed over. What is left without an
    /// end when the peer closes is a line too.
    Expect(Pattern),
    /// Read as many bytes as these, which must be these; over a WebSocket, the next message must
    /// be these. The last match stays what it was. Not offered in `targets.toml`: it is
    /// blackbox_exporter's `expect_bytes`.
    ExpectBytes(Vec<u8>),
    /// Keep a text under a name ([`super::kept::DialogueKept::labels`]); `value` is a template like
    /// that of [`Line::SendExpanded`]. Not offered in `targets.toml`: it is for the labels of
    /// blackbox_exporter's `probe_expect_info`.
    Label {
        /// The name.
        name: String,
        /// The template of the text.
        value: Vec<u8>,
    },
    /// Start TLS on the connection; not over a WebSocket.
    StartTls(TlsClient),
}

/// A stream socket in the file system, and a dialogue.
#[derive(Clone, Debug, PartialEq)]
pub struct UnixSpec {
    /// Where the socket is, at most [`UNIX_PATH_BYTES_MAX`] bytes. One that begins with `@` is a
    /// name in Linux' abstract namespace, not a file.
    pub path: PathBuf,
    /// TLS from the first byte. There is no host, so a certificate that is to be verified needs
    /// [`TlsClient::server_name`]; without it, it would have to be for 127.0.0.1.
    pub tls: Option<TlsClient>,
    /// What is said, in order; empty: connecting is enough.
    pub dialogue: Vec<Line>,
    /// What the certificate must be, where TLS is spoken.
    pub cert: CertExpect,
}

/// Most bytes of the path of a socket, or of an abstract name with its `@`: `sun_path` of Linux
/// has 108, the last of which is NUL.
pub const UNIX_PATH_BYTES_MAX: usize = 107;

/// A WebSocket (RFC 6455) and a dialogue of messages.
#[derive(Clone, Debug, PartialEq)]
pub struct WebsocketSpec {
    /// `ws` or `wss`; without user, password or fragment.
    pub url: Url,
    /// Headers of the opening request besides our own; a `host` here replaces the URL's.
    pub headers: Vec<(String, Secret)>,
    /// How the opening request proves who it is.
    pub auth: Auth,
    /// TLS settings; used by `wss`.
    pub tls: TlsClient,
    /// The subprotocol to ask for, which the server must agree to (RFC 6455, section 1.9).
    pub subprotocol: Option<String>,
    /// What is said, in order; empty: the switch to WebSocket is enough.
    pub dialogue: Vec<Line>,
    /// What the certificate must be, where TLS is spoken.
    pub cert: CertExpect,
}

/// A TLS handshake and its certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsSpec {
    /// Where to.
    pub peer: Peer,
    /// How.
    pub tls: TlsClient,
    /// The protocol that asks for TLS first.
    pub starttls: Option<StartTls>,
    /// What the certificate must be.
    pub cert: CertExpect,
}

/// Protocols that can switch a connection to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// SMTP (RFC 3207).
    Smtp,
    /// IMAP (RFC 9051, section 6.2.1).
    Imap,
    /// POP3 (RFC 2595, section 4).
    Pop3,
    /// FTP (RFC 4217, section 4).
    Ftp,
    /// PostgreSQL's `SSLRequest`.
    Postgres,
}

/// One DNS question.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsSpec {
    /// Whom to ask; `None`: the monitor's first resolver.
    pub server: Option<Peer>,
    /// Over what.
    pub transport: DnsTransport,
    /// The name asked for.
    pub name: String,
    /// The record type asked for, by number (RFC 1035, section 3.2.2 and IANA's list).
    pub record_type: u16,
    /// The class asked for, by number (RFC 1035, section 3.2.4); 1 is IN.
    pub class: u16,
    /// Whether to ask for recursion.
    pub recursion: bool,
    /// What the answer must be.
    pub expect: DnsExpect,
}

/// Over what to ask DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsTransport {
    /// UDP (RFC 1035, section 4.2.1); a truncated answer is asked again over TCP.
    Udp,
    /// TCP (RFC 7766).
    Tcp,
    /// TLS (RFC 7858).
    Tls(TlsClient),
}

/// One ICMP echo (RFC 792, RFC 4443).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpSpec {
    /// Whom to ask.
    pub host: Host<String>,
    /// Bytes of payload, 8 to 65,000.
    pub payload_bytes: u16,
    /// Most hops that the echo may take (TTL in IPv4), 1 to 255; `None`: as many as the system
    /// allows.
    pub ttl: Option<u8>,
    /// Whether the echo must not be cut into fragments on its way.
    pub dont_fragment: bool,
}

/// The gRPC health service (`grpc.health.v1.Health/Check`).
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcSpec {
    /// Where to.
    pub peer: Peer,
    /// TLS; `None`: in clear.
    pub tls: Option<TlsClient>,
    /// The service asked for; empty: the server as a whole.
    pub service: String,
    /// Metadata sent with the call.
    pub metadata: Vec<(String, Secret)>,
    /// What the certificate must be, where TLS is spoken.
    pub cert: CertExpect,
}

/// A beat that the owner pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatSpec {
    /// The token that a beat must carry.
    pub token: Secret,
    /// How old the last beat may be.
    pub age_max: Duration,
}
