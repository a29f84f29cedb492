//! The verdict on a chain, as OpenSSL and browsers give it. Pure: the time is a parameter.

use std::cell::Cell;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath};

use crate::model::observation::CertFacts;
use crate::model::reason::Reason;
use crate::model::time::Millis;
use crate::probe::expect::{clean, shorten};

use super::ca_leaf::CaLeaf;
use super::facts::{facts, validity};
use super::issuers;
use super::roots::{Root, Roots};
use super::setup::PROVIDER;

/// Most certificates of a chain that are looked at; the longest honest ones have five.
const CHAIN_MAX: usize = 16;

/// Most names of a certificate that a message tells.
const NAMES_TOLD_MAX: usize = 5;

const SELF_SIGNED: &str = "self-signed, and not trusted";
const NOT_FOR_SERVERS: &str = "the certificate is not one for servers";

/// A verdict, and the time it holds for.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    /// The certificates as sent.
    pub(super) chain: Vec<CertFacts>,
    /// What is wrong; `None`: valid.
    pub(super) fault: Option<(Reason, String)>,
    /// When the chain that lasts longest ends.
    pub(super) chain_not_after: Option<Millis>,
    /// First second that the verdict holds for.
    pub(super) holds_from: i64,
    /// First second that it no longer holds for.
    pub(super) holds_until: i64,
}

/// Judges `chain` for `name` at the second `now`.
pub(super) fn judge(
    chain: &[CertificateDer<'static>],
    name: &ServerName<'_>,
    roots: &Roots,
    now: i64,
) -> Judgement {
    let chain = chain.get(..CHAIN_MAX.min(chain.len())).unwrap_or_default();
    let shown: Vec<_> = chain.iter().map(facts).collect();
    let (holds_from, holds_until) = steady(chain, roots, now);
    let (mut fault, chain_ends) = match verdict(chain, name, roots, now) {
        Ok(end) => (None, end),
        Err((fault, end)) => (Some(fault), end),
    };
    if let (Some((Reason::TlsNameMismatch, why)), Some(leaf)) = (&mut fault, shown.first()) {
        let names = leaf.names.get(..NAMES_TOLD_MAX).unwrap_or(&leaf.names).join(", ");
        *why = format!("{why}, but for: {}", shorten(&names));
    }
    let chain_not_after = chain_ends.map(|seconds| Millis(seconds.saturating_mul(1_000)));
    Judgement { chain: shown, fault, chain_not_after, holds_from, holds_until }
}

/// What is wrong, with when the longest chain ends nevertheless.
type Refusal = ((Reason, String), Option<i64>);

/// The last second of the longest valid chain, or what is wrong.
fn verdict(
    chain: &[CertificateDer<'static>],
    name: &ServerName<'_>,
    roots: &Roots,
    now: i64,
) -> Result<Option<i64>, Refusal> {
    let Some((leaf_der, others)) = chain.split_first() else {
        return Err(((Reason::TlsInvalid, "the server sent no certificate".to_owned()), None));
    };
    let leaf = EndEntityCert::try_from(leaf_der).map_err(|error| (told(&error), None))?;
    let end = if is_root(leaf_der, &leaf, roots) {
        in_time(leaf_der, now).map_err(|fault| (fault, None))?
    } else {
        any_path(leaf_der, others, roots, now).map_err(|fault| (fault, None))?
    };
    if !issuers::may_serve(leaf_der) {
        return Err(((Reason::TlsInvalid, NOT_FOR_SERVERS.to_owned()), end));
    }
    leaf.verify_is_valid_for_subject_name(name).map_err(|_| {
        let name = name.to_str();
        ((Reason::TlsNameMismatch, format!("the certificate is not for `{name}`")), end)
    })?;
    Ok(end)
}

/// A leaf that is itself a trusted root is accepted, as OpenSSL does, though it is a CA's.
fn is_root(der: &CertificateDer<'_>, leaf: &EndEntityCert<'_>, roots: &Roots) -> bool {
    leaf.issuer() == leaf.subject() && roots.known.iter().any(|it| it.der.as_ref() == Some(der))
}

fn in_time(der: &CertificateDer<'_>, now: i64) -> Result<Option<i64>, (Reason, String)> {
    let Some((from, until)) = validity(der) else {
        return Err((Reason::TlsInvalid, "the certificate's dates can't be read".to_owned()));
    };
    if now < from {
        return Err((Reason::TlsNotYetValid, format!("valid only from {}", date(from))));
    }
    if now > until {
        return Err((Reason::TlsExpired, format!("expired at {}", date(until))));
    }
    Ok(Some(until))
}

/// The end of the longest path, of a leaf that may be a CA's.
fn any_path(
    leaf_der: &CertificateDer<'_>,
    others: &[CertificateDer<'static>],
    roots: &Roots,
    now: i64,
) -> Result<Option<i64>, (Reason, String)> {
    let known = &PROVIDER.signature_verification_algorithms;
    let ca_leaf = CaLeaf::of(leaf_der);
    let end = match &ca_leaf {
        None => longest(leaf_der, known.all, others, roots, now)?,
        Some(ca_leaf) => {
            let algorithms = ca_leaf.algorithms(known);
            let algorithms: Vec<_> = algorithms.iter().map(|it| it as _).collect();
            longest(&ca_leaf.shown, &algorithms, others, roots, now)?
        }
    };
    if issuers::is_own_issuer(leaf_der) {
        return Err((Reason::TlsUnknownIssuer, SELF_SIGNED.to_owned()));
    }
    Ok(end)
}

/// Walks every valid chain (the verifier bounds depth, signatures and steps) and gives the end
/// of the one that lasts longest.
fn longest(
    leaf_der: &CertificateDer<'_>,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    others: &[CertificateDer<'static>],
    roots: &Roots,
    now: i64,
) -> Result<Option<i64>, (Reason, String)> {
    let leaf = EndEntityCert::try_from(leaf_der).map_err(|error| told(&error))?;
    let best = Cell::new(None);
    let path_fault = Cell::new(None);
    let consider = |path: &VerifiedPath<'_>| {
        match chain_end(path, leaf_der, roots, now) {
            Ok(end) => best.set(best.get().max(Some(end))),
            Err(fault) => path_fault.set(Some(fault)),
        }
        // Not this one: go on with the others.
        Err(Error::UnknownIssuer)
    };
    let seconds = u64::try_from(now).unwrap_or(0);
    let walked = leaf.verify_for_usage(
        algorithms,
        &roots.anchors,
        others,
        UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
        KeyUsage::server_auth(),
        None,
        Some(&consider),
    );
    match (best.get(), path_fault.take(), walked) {
        (Some(end), ..) => Ok(Some(end)),
        (None, Some(fault), _) => Err(fault),
        (None, None, Ok(_)) => Ok(None),
        (None, None, Err(Error::UnknownIssuer)) => Err(unknown(&leaf, others, roots)),
        (None, None, Err(error)) => Err(told(&error)),
    }
}

/// The last second of a chain, or why it is none.
fn chain_end(
    path: &VerifiedPath<'_>,
    leaf_der: &CertificateDer<'_>,
    roots: &Roots,
    now: i64,
) -> Result<i64, (Reason, String)> {
    if !issuers::middle_may_sign(path) {
        let why = "a certificate between leaf and root may not sign certificates";
        return Err((Reason::TlsInvalid, why.to_owned()));
    }
    let anchor = path.anchor();
    let known = roots.anchors.iter().zip(&roots.known).filter(|(it, _)| {
        it.subject == anchor.subject && it.subject_public_key_info == anchor.subject_public_key_info
    });
    let fit = |root: &Root| root.der.as_ref().is_none_or(|der| issuers::root_may_sign(der, path));
    let mut known = known.filter(|(_, root)| fit(root)).peekable();
    if known.peek().is_none() {
        let why = "the root of the chain may not sign it: see its constraints and key usage";
        return Err((Reason::TlsInvalid, why.to_owned()));
    }
    // The same root may be trusted in two editions: of those in their time, the one that lasts
    // longer counts.
    let editions: Vec<_> =
        known.map(|(_, root)| root.valid.unwrap_or((i64::MIN, i64::MAX))).collect();
    let in_time = editions.iter().filter(|(from, end)| (*from..=*end).contains(&now));
    let root_end = match (in_time.map(|(_, end)| *end).max(), editions.iter().max_by_key(|it| it.1))
    {
        (Some(end), _) => end,
        (None, None) => i64::MAX,
        (None, Some((from, _))) if now < *from => {
            let why = format!("the root of the chain is valid only from {}", date(*from));
            return Err((Reason::TlsNotYetValid, why));
        }
        (None, Some((_, end))) => {
            let why = format!("the root of the chain expired at {}", date(*end));
            return Err((Reason::TlsExpired, why));
        }
    };
    let middle = path.intermediate_certificates().filter_map(|it| validity(&it.der()));
    let ends = middle.chain(validity(leaf_der)).map(|(_, end)| end);
    Ok(ends.fold(root_end, i64::min))
}

/// No chain to a root: is the fault the server's (it left certificates out) or the issuer's?
fn unknown(
    leaf: &EndEntityCert<'_>,
    others: &[CertificateDer<'static>],
    roots: &Roots,
) -> (Reason, String) {
    if leaf.issuer() == leaf.subject() {
        return (Reason::TlsUnknownIssuer, SELF_SIGNED.to_owned());
    }
    let sent = others.iter().filter_map(|der| EndEntityCert::try_from(der).ok());
    let issuer_sent = sent.into_iter().any(|it| it.subject() == leaf.issuer());
    let issuer_known = roots.anchors.iter().any(|it| it.subject.as_ref() == leaf.issuer());
    if issuer_sent || issuer_known {
        return (Reason::TlsUnknownIssuer, "the chain ends at an issuer we don't trust".to_owned());
    }
    let why = "the server did not send the certificate of the leaf's issuer".to_owned();
    (Reason::TlsChainIncomplete, why)
}

/// A verifier's error as a reason of ours.
fn told(error: &Error) -> (Reason, String) {
    match error {
        Error::CertExpired { not_after, .. } => {
            (Reason::TlsExpired, format!("expired at {}", unix(*not_after)))
        }
        Error::CertNotValidYet { not_before, .. } => {
            (Reason::TlsNotYetValid, format!("valid only from {}", unix(*not_before)))
        }
        Error::InvalidSignatureForPublicKey
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            let why = "signed by another key than that of the issuer it names";
            (Reason::TlsUnknownIssuer, why.to_owned())
        }
        // What these hold is the stranger's, and can be as long as the certificate.
        Error::RequiredEkuNotFoundContext(_) => (Reason::TlsInvalid, NOT_FOR_SERVERS.to_owned()),
        Error::UnsupportedSignatureAlgorithmContext(_) => {
            let why = "the certificate is signed by an algorithm that is not supported";
            (Reason::TlsInvalid, why.to_owned())
        }
        _ => (Reason::TlsInvalid, clean(&format!("the certificate is not valid: {error}"))),
    }
}

/// The seconds around `now` in which the verdict can't change: between two edges of validity.
fn steady(chain: &[CertificateDer<'static>], roots: &Roots, now: i64) -> (i64, i64) {
    if chain.iter().any(|der| validity(der).is_none()) {
        // Edges that can't be read may be anywhere.
        return (now, now.saturating_add(1));
    }
    let sent = chain.iter().filter_map(validity);
    let of_roots = roots.known.iter().filter_map(|root| root.valid);
    let edges = sent.chain(of_roots).flat_map(|(from, until)| [from, until.saturating_add(1)]);
    edges.fold((i64::MIN, i64::MAX), |(from, until), edge| {
        if edge <= now { (from.max(edge), until) } else { (from, until.min(edge)) }
    })
}

fn unix(time: UnixTime) -> String {
    date(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}
