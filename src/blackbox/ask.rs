//! What a probe asks for: a run of ours, from a module and a target.

mod dialogue;
mod http;
mod target;

use std::net::IpAddr;
use std::time::Duration;

use crate::model::check::{Check, IpChoice, Lane};
use crate::model::expect::{CertExpect, DnsExpect, DnsSection};
use crate::model::how::How;
use crate::model::id::{CheckId, OwnerId, SystemId};
use crate::model::spec::{DnsSpec, DnsTransport, GrpcSpec, IcmpSpec, Spec};
use crate::model::time::Micros;

use super::module::{Dns, DnsOver, Family, Grpc, Icmp, Module, Prober};

/// What Prometheus is given to write its answer down and send it, out of its own patience
/// (`--timeout-offset` of blackbox_exporter).
const OFFSET: Duration = Duration::from_millis(500);

/// Longest run if neither the module nor the asker says.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Bytes that an echo must hold for us to know its reply again.
const PAYLOAD_BYTES_MIN: u16 = 8;

/// Bytes of an echo's payload if the module does not say, as in blackbox_exporter.
const PAYLOAD_BYTES: u16 = 28;

/// One run that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is done; it belongs to no system.
    pub check: Check,
    /// How.
    pub how: How,
}

/// Why a target was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request contradicts the module; not a probe at all.
    Request(String),
    /// The target is none that this module can probe: a probe that failed.
    Target(String),
}

/// How long a probe of `module` may take, when the asker waits for `patience`. Not less than a
/// millisecond.
#[must_use]
pub fn timeout(module: &Module, patience: Option<Duration>) -> Micros {
    let patience = patience.filter(|it| !it.is_zero()).unwrap_or(TIMEOUT);
    let most = patience.checked_sub(OFFSET).filter(|it| !it.is_zero());
    let timeout = match (module.timeout.filter(|it| !it.is_zero()), most) {
        (Some(own), Some(most)) => own.min(most),
        (Some(own), None) => own,
        (None, most) => most.unwrap_or(patience),
    };
    Micros::of(timeout.max(Duration::from_millis(1)))
}

/// The run that a probe of `target` with `module` is. `hostname` is the request's parameter,
/// which only `http` and `tcp` take.
///
/// # Errors
///
/// [`Refusal`].
pub fn question(
    module: &Module,
    target: &str,
    hostname: Option<&str>,
    timeout: Micros,
) -> Result<Question, Refusal> {
    let (spec, how) = match &module.prober {
        Prober::Http(it) => (http::spec(it, target, hostname)?, by(it.family, None)),
        Prober::Tcp(it) => (dialogue::tcp(it, target, hostname)?, by(it.family, it.source)),
        Prober::Unix(it) => (dialogue::unix(it, target)?, by(it.family, None)),
        Prober::Websocket(it) => (dialogue::websocket(it, target)?, by(it.family, None)),
        Prober::Dns(it) => (dns(it, target)?, by(it.family, it.source)),
        Prober::Icmp(it) => (icmp(*it, target)?, by(it.family, it.source)),
        Prober::Grpc(it) => (grpc(it, target)?, by(it.family, None)),
    };
    Ok(Question { check: check(spec, timeout)?, how })
}

/// A check that stands for nothing but this run.
fn check(spec: Spec, timeout: Micros) -> Result<Check, Refusal> {
    let own = |error: crate::model::id::NotAnId| Refusal::Request(error.to_string());
    Ok(Check {
        id: CheckId::new("probe").map_err(own)?,
        system: SystemId::new("probe").map_err(own)?,
        owner: OwnerId::new("probe").map_err(own)?,
        name: String::new(),
        disabled: None,
        critical: false,
        interval_ms: 60_000,
        timeout,
        slow: None,
        confirm: 1,
        ip: IpChoice::Any,
        platform: None,
        spec,
    })
}

/// One address is tried, as blackbox_exporter does.
const fn by(family: Family, source: Option<IpAddr>) -> How {
    let lane = if family.prefer_v6 { Lane::V6 } else { Lane::V4 };
    How { lane, spare: family.fallback, first_only: true, source, keep: true }
}

fn dns(module: &Dns, target: &str) -> Result<Spec, Refusal> {
    let port = if matches!(module.over, DnsOver::Tls(_)) { 853 } else { 53 };
    Ok(Spec::Dns(Box::new(DnsSpec {
        server: Some(target::peer(target, Some(port))?),
        transport: match &module.over {
            DnsOver::Udp => DnsTransport::Udp,
            DnsOver::Tcp => DnsTransport::Tcp,
            DnsOver::Tls(tls) => DnsTransport::Tls(tls.clone()),
        },
        name: target::ascii(&module.name)?,
        record_type: module.record_type,
        class: module.class,
        recursion: module.recursion,
        expect: anything(),
    })))
}

/// No expectation: the module judges.
fn anything() -> DnsExpect {
    DnsExpect {
        rcodes: (0..=u16::from(u8::MAX)).collect(),
        answer: DnsSection::default(),
        authority: DnsSection::default(),
        additional: DnsSection::default(),
        authenticated: false,
    }
}

fn icmp(module: Icmp, target: &str) -> Result<Spec, Refusal> {
    let payload = module.payload_bytes.filter(|bytes| *bytes > 0).unwrap_or(PAYLOAD_BYTES);
    Ok(Spec::Icmp(IcmpSpec {
        host: target::host(target)?,
        payload_bytes: payload.max(PAYLOAD_BYTES_MIN),
        ttl: (module.ttl > 0).then_some(module.ttl),
        dont_fragment: module.dont_fragment,
    }))
}

fn grpc(module: &Grpc, target: &str) -> Result<Spec, Refusal> {
    let bare = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
    let bare = bare.unwrap_or(target).split('/').next().unwrap_or_default();
    Ok(Spec::Grpc(Box::new(GrpcSpec {
        peer: target::peer(bare, Some(if module.tls { 443 } else { 80 }))?,
        tls: module.tls.then(|| module.tls_config.clone()),
        service: module.service.clone(),
        metadata: module.metadata.clone(),
        cert: CertExpect::default(),
    })))
}
