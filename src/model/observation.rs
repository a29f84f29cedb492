//! All that one run saw, for a person who asks why. Only a part of it is kept as a result.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::kept::Kept;
use super::phases::Phases;
use super::reason::Reason;
use super::time::{Micros, Millis};

/// What one run saw. Never an error: trouble is part of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What came of it.
    pub reason: Reason,
    /// Where the time went, summed over hops; the sum is the length of the run.
    pub phases: Phases,
    /// HTTP status, DNS response code or gRPC status.
    pub status: Option<u16>,
    /// Bytes of the answer's body after decoding.
    pub bytes: u32,
    /// Whether a connection of an earlier run was used.
    pub reused: bool,
    /// How long the service asked us to stay away (`Retry-After`, RFC 9110, section 10.2.3).
    pub retry_after: Option<Duration>,
    /// When the leaf certificate ends, if one was seen.
    pub tls_not_after: Option<Millis>,
    /// The rest, for `thongsuot probe`, the log and the API.
    pub detail: Box<Detail>,
}

/// What is told to a person but not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// In a sentence, what was wrong: the expectation and what came instead, or the error.
    pub why: Option<String>,
    /// Addresses the name resolved to.
    pub addresses: Vec<IpAddr>,
    /// Where the last connection went.
    pub remote: Option<SocketAddr>,
    /// HTTP version of the last answer.
    pub http_version: Option<&'static str>,
    /// One entry an HTTP hop, the first request included.
    pub hops: Vec<Hop>,
    /// What TLS showed.
    pub tls: Option<TlsFacts>,
    /// DNS records or dialogue lines of the answer, as text, cut to a screenful.
    pub answer: Vec<String>,
    /// Time spent on a token or a proxy's name, outside the run.
    pub aside: Micros,
    /// The whole answer, where it was asked for.
    pub kept: Option<Box<Kept>>,
}

/// One hop of an HTTP run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where it went, without user, password or query.
    pub url: String,
    /// Where its connection went, to the proxy if there is one; `None` if it came to none.
    pub remote: Option<SocketAddr>,
    /// What it answered.
    pub status: Option<u16>,
    /// Where its time went.
    pub phases: Phases,
}

/// What a TLS handshake showed, whether the certificate was valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: &'static str,
    /// The cipher suite's name.
    pub cipher: String,
    /// The application protocol agreed on.
    pub alpn: Option<String>,
    /// The certificates as sent, the leaf first.
    pub chain: Vec<CertFacts>,
    /// What is wrong with the chain; `None`: it verifies.
    pub fault: Option<(Reason, String)>,
    /// When the verified chain ends: its earliest `notAfter`; of several valid chains, the
    /// one that lasts longest. `None` if none verifies.
    pub chain_not_after: Option<Millis>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertFacts {
    /// Subject, as RFC 4514 writes it.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Names and addresses it is for.
    pub names: Vec<String>,
    /// Serial number, in hexadecimal.
    pub serial: String,
    /// First instant of validity.
    pub not_before: Millis,
    /// Last instant of validity (RFC 5280, section 4.1.2.5).
    pub not_after: Millis,
    /// SHA-256 of the whole certificate, in hexadecimal.
    pub sha256: String,
}

impl Observation {
    /// An observation of nothing but a reason and where the time went.
    #[must_use]
    pub fn bare(reason: Reason, phases: Phases) -> Self {
        Self {
            reason,
            phases,
            status: None,
            bytes: 0,
            reused: false,
            retry_after: None,
            tls_not_after: None,
            detail: Box::default(),
        }
    }
}
