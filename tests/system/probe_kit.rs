//! What tests of probes share: checks, certificates, and what must hold of every observation.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thongsuot::model::check::{Check, IpChoice, Lane};
use thongsuot::model::id::{CheckId, OwnerId, SystemId};
use thongsuot::model::observation::Observation;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::{Peer, Spec, TlsClient};
use thongsuot::model::time::{Micros, Millis};
use thongsuot::probe::{self, Net, Settings};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use url::Host;

/// How much later than its timeout a run may end: 50 ms by the promise, and more for a machine
/// that is busy with other tests.
const LATE_MAX: Duration = Duration::from_millis(50 + 250);

/// The timeout of runs that are meant to reach it.
pub(crate) const SHORT: Duration = Duration::from_millis(600);

/// The timeout of runs that are not.
pub(crate) const LONG: Duration = Duration::from_secs(10);

/// A check of `spec`.
pub(crate) fn check(spec: Spec, timeout: Duration) -> Check {
    Check {
        id: CheckId::new("cong").unwrap(),
        system: SystemId::new("cong").unwrap(),
        owner: OwnerId::new("bo").unwrap(),
        name: "Cổng".to_owned(),
        disabled: None,
        critical: true,
        interval_ms: 30_000,
        timeout: Micros::of(timeout),
        slow: None,
        confirm: 3,
        ip: IpChoice::Any,
        platform: None,
        spec,
    }
}

/// A network whose only name server is `resolver`.
pub(crate) fn net(resolver: Option<SocketAddr>) -> Net {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    Net::new(Settings {
        user_agent: "thongsuot-test".to_owned(),
        resolvers: vec![resolver.unwrap_or(nobody)],
        source: None,
        system_roots: false,
        extra_roots_pem: Vec::new(),
        block_signatures: Vec::new(),
        kill: std::collections::BTreeSet::new(),
    })
    .unwrap()
}

/// Runs `check` and holds what it saw against what must hold of every run.
pub(crate) async fn observe(check: &Check, net: &Net) -> Observation {
    let seen = probe::run(check, Lane::Any, net, now()).await;
    let total = seen.phases.total().duration();
    assert!(total <= check.timeout.duration() + LATE_MAX, "{total:?} of {seen:?}");
    let good = seen.reason == Reason::None;
    assert_eq!(
        seen.detail.why.is_none(),
        good,
        "an explanation if and only if it failed: {seen:?}"
    );
    seen
}

/// Runs `spec` with `timeout`; it must end for `reason`.
#[track_caller]
pub(crate) fn ends(seen: &Observation, reason: Reason) {
    assert_eq!(seen.reason, reason, "{seen:#?}");
}

/// Some day on which the certificates of [`Authority`] are valid.
pub(crate) fn now() -> Millis {
    Millis(1_800_000_000_000)
}

/// `127.0.0.1` and the port of `address`.
pub(crate) fn peer(address: SocketAddr) -> Peer {
    let host = match address {
        SocketAddr::V4(v4) => Host::Ipv4(*v4.ip()),
        SocketAddr::V6(v6) => Host::Ipv6(*v6.ip()),
    };
    Peer { host, port: address.port() }
}

/// A certificate authority with one server, 127.0.0.1.
pub(crate) struct Authority {
    root_pem: String,
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "root of the tests");
        let root_key = rcgen::KeyPair::generate().unwrap();
        let root = params.self_signed(&root_key).unwrap();
        let issuer = rcgen::Issuer::new(params, root_key);
        let leaf_key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
        Self {
            root_pem: root.pem(),
            chain: vec![leaf.der().clone()],
            key: leaf_key.serialize_der(),
        }
    }

    /// Settings of a client that trusts it.
    pub(crate) fn client(&self) -> TlsClient {
        let roots_pem = Some(self.root_pem.clone().into_bytes());
        TlsClient { roots_pem, ..TlsClient::default() }
    }

    /// The server's side, which agrees on one of `alpn`.
    pub(crate) fn acceptor(&self, alpn: &[&str]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
