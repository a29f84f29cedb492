//! TLS: a handshake that always goes on, and a verdict on the certificates afterwards.
//!
//! The handshake's own signature is verified as ever, so the chain that is judged belongs to
//! the server that we speak with. Only the judgement of the chain comes later, so that its
//! facts are known whether it is valid or not.

mod setup;
mod roots;
mod record;
mod suites;
mod heard;
mod name;
mod facts;
mod ca_leaf;
mod issuers;
mod judge;
mod memo;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, PeerIncompatible, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use crate::model::check::Check;
use crate::model::expect::CertExpect;
use crate::model::how::How;
use crate::model::observation::{Detail, Observation, TlsFacts};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::{TlsClient, TlsSpec};
use crate::model::time::Millis;

use super::expect::clean;
use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, dial, or_slow, resolve, starttls};

use heard::Heard;
use record::Recorder;

pub(super) use memo::Judgements;
pub(super) use roots::Roots;
pub(super) use setup::TlsSetups;
pub(super) use suites::noted;

/// The application protocols to offer, in order of preference (RFC 7301).
pub(super) type Alpn = &'static [&'static [u8]];

/// A connection over TLS.
pub(super) type Stream<S = TcpStream> = TlsStream<Heard<S>>;

/// No application protocol.
pub(super) const ALPN_NONE: Alpn = &[];

/// HTTP/3, which goes over QUIC (RFC 9114, section 3.1).
pub(super) const ALPN_3: Alpn = &[b"h3"];

const DAY_MS: i64 = 86_400_000;

/// How TLS is to be spoken, and what is asked of the certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    /// The host that was dialled: the name to verify, unless the settings name another.
    pub(super) host: &'a Host<String>,
    /// The settings.
    pub(super) client: &'a TlsClient,
    /// What to offer.
    pub(super) alpn: Alpn,
    /// What the certificate must be besides valid.
    pub(super) expect: CertExpect,
    /// The wall time by which certificates are judged.
    pub(super) now: Millis,
}

/// Connects, shakes hands and judges the certificate.
pub(super) async fn run(
    spec: &TlsSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let mut watch = Stopwatch::start(check.timeout);
    let mut detail = Box::<Detail>::default();
    let end = attempt(spec, how, net, now, &mut watch, &mut detail).await;
    let mut observation = conclude(end, watch.read(), detail);
    or_slow(&mut observation, check);
    observation
}

async fn attempt(
    spec: &TlsSpec,
    how: How,
    net: &Net,
    now: Millis,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<(), Fault> {
    let addresses = resolve::resolve(&spec.peer.host, how, net, watch, detail).await?;
    let mut stream = dial::connect(&addresses, spec.peer.port, how, net, watch, detail).await?;
    if let Some(protocol) = spec.starttls {
        starttls::begin(&mut stream, protocol, watch).await?;
    }
    let host = &spec.peer.host;
    let terms = Terms { host, client: &spec.tls, alpn: ALPN_NONE, expect: spec.cert, now };
    handshake(stream, terms, net, watch, detail).await?;
    Ok(())
}

/// Shakes hands on `stream`, records what TLS showed in `detail.tls` whatever comes of it, and
/// then judges the chain and the expectations on it. Time goes to `tls`.
///
/// # Errors
///
/// `tls_handshake` or `tls_version` if it breaks, `tls_unexpected` if the peer speaks plain text,
/// `timeout_tls` if it stalls, a reason of the
/// certificate if that does not hold, `self_secret` if our own certificate can't be used.
pub(super) async fn handshake<S>(
    stream: S,
    terms: Terms<'_>,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Stream<S>, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    watch.enter(Phase::Tls);
    let shaking = Shaking::begin(&terms, net)?;
    let connecting =
        TlsConnector::from(shaking.config()).connect(shaking.name.clone(), Heard::new(stream));
    let connecting = connecting.into_fallible();
    let shaken = watch
        .run(Phase::Tls, async { connecting.await.map_err(|it| handshake_fault(&it.0, &it.1)) })
        .await;
    let Some(mut facts) = shaking.facts(&terms, net) else {
        return shaken;
    };
    if let Ok(stream) = &shaken {
        let (_, connection) = stream.get_ref();
        facts.version = version_name(connection.protocol_version());
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        facts.cipher.push_str(suite.unwrap_or_default());
        facts.alpn = connection.alpn_protocol().map(|name| clean(&String::from_utf8_lossy(name)));
    }
    let holds = holds(&facts, &terms);
    detail.tls = Some(facts);
    let stream = shaken?;
    holds.map(|()| stream)
}

/// A handshake under way, over whatever carries it.
#[derive(Debug)]
pub(super) struct Shaking {
    name: ServerName<'static>,
    roots: Arc<Roots>,
    config: Arc<ClientConfig>,
    recorder: Arc<Recorder>,
}

impl Shaking {
    /// Makes ready for one connection.
    ///
    /// # Errors
    ///
    /// `self_secret` if our own certificate or roots can't be used, `tls_name_mismatch` if the name
    /// is none that a certificate can hold.
    pub(super) fn begin(terms: &Terms<'_>, net: &Net) -> Result<Self, Fault> {
        let setup = net.tls_setups.get(terms.client, terms.alpn, &net.roots)?;
        let name = server_name(terms)?;
        let (config, recorder) = setup.recording();
        Ok(Self { name, roots: setup.roots, config, recorder })
    }

    /// The settings, with the recorder of this connection.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The name to ask for.
    pub(super) fn name(&self) -> Cow<'_, str> {
        self.name.to_str()
    }

    /// What was shown so far, judged; `None` if no chain came. What both sides agreed on is for
    /// the caller to fill in.
    pub(super) fn facts(&self, terms: &Terms<'_>, net: &Net) -> Option<TlsFacts> {
        let chain = self.recorder.chain()?;
        let judged = net.judgements.judge(chain, &self.name, &self.roots, terms.now);
        Some(TlsFacts {
            version: version_name(self.recorder.version()),
            cipher: String::new(),
            alpn: None,
            chain: judged.chain.clone(),
            fault: judged.fault.clone(),
            chain_not_after: judged.chain_not_after,
        })
    }
}

/// Whether the chain is valid (where that is asked) and lasts long enough.
pub(super) fn holds(facts: &TlsFacts, terms: &Terms<'_>) -> Result<(), Fault> {
    if terms.client.verify
        && let Some((reason, why)) = &facts.fault
    {
        return Err(Fault::new(*reason, why.clone()));
    }
    let leaf_ends = facts.chain.first().map(|leaf| leaf.not_after);
    lasts("certificate", leaf_ends, terms.expect.leaf_days_min, terms.now)?;
    lasts("verified chain", facts.chain_not_after, terms.expect.chain_days_min, terms.now)
}

fn lasts(what: &str, end: Option<Millis>, least: Option<u32>, now: Millis) -> Result<(), Fault> {
    let Some(least) = least else { return Ok(()) };
    let Some(end) = end else {
        let why = format!("expected {least} days left on the {what}, which there is not");
        return Err(Fault::new(Reason::TlsExpiresSoon, why));
    };
    let days = end.since(now).div_euclid(DAY_MS);
    if days >= i64::from(least) {
        return Ok(());
    }
    let why = format!("expected at least {least} days left on the {what}, found {days}");
    Err(Fault::new(Reason::TlsExpiresSoon, why))
}

fn server_name(terms: &Terms<'_>) -> Result<ServerName<'static>, Fault> {
    let text = match (&terms.client.server_name, terms.host) {
        (Some(name), _) | (None, Host::Domain(name)) => name.clone(),
        (None, Host::Ipv4(ip)) => return Ok(ServerName::IpAddress((*ip).into())),
        (None, Host::Ipv6(ip)) => return Ok(ServerName::IpAddress((*ip).into())),
    };
    let bare = text.strip_suffix('.').unwrap_or(&text);
    ServerName::try_from(bare.to_owned()).map_err(|_| {
        Fault::new(
            Reason::TlsNameMismatch,
            format!("`{bare}` is not a name a certificate can hold"),
        )
    })
}

/// Bytes that tell a TLS record: its type and its version.
pub(super) const RECORD_MARK_BYTES: usize = 3;

/// Whether the first bytes of a peer are TLS: an alert or a handshake message of any version
/// (RFC 8446, section 5.1).
pub(super) const fn is_record(first: &[u8]) -> bool {
    matches!(first, [0x15 | 0x16, 0x03, 0x00..=0x04, ..])
}

const fn version_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS",
    }
}

fn handshake_fault<S>(error: &io::Error, heard: &Heard<S>) -> Fault {
    if let Some(line) = heard.text() {
        let why = format!("expected TLS, the server speaks plain text: `{line}`");
        return Fault::new(Reason::TlsUnexpected, why);
    }
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let reason = match tls {
        Some(
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ),
        ) => Reason::TlsVersion,
        Some(rustls::Error::InvalidCertificate(_)) => Reason::TlsInvalid,
        _ => Reason::TlsHandshake,
    };
    Fault::new(reason, format!("TLS handshake: {error}"))
}

#[cfg(test)]
mod tests;
