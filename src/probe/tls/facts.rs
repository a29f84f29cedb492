//! What a certificate says, for people.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::model::bytes::hex;
use crate::model::observation::CertFacts;
use crate::model::time::Millis;
use crate::probe::expect::shorten;

use super::name;

/// Most names kept of one certificate: some name hundreds of hosts.
const NAMES_MAX: usize = 256;

/// The certificate, if its encoding can be read at all.
pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

/// First and last second of validity, in seconds since 1970.
pub(super) fn validity(der: &CertificateDer<'_>) -> Option<(i64, i64)> {
    let certificate = parse(der)?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// What `der` says, each text as one short printable line: it comes from a stranger. Of a
/// certificate that can't be read, only its hash.
pub(super) fn facts(der: &CertificateDer<'_>) -> CertFacts {
    let sha256 = hex(&Sha256::digest(der));
    let Some(certificate) = parse(der) else {
        return CertFacts {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            serial: String::new(),
            not_before: Millis(0),
            not_after: Millis(0),
            sha256,
        };
    };
    let millis = |seconds: i64| Millis(seconds.saturating_mul(1_000));
    CertFacts {
        subject: shorten(&name::text(certificate.subject())),
        issuer: shorten(&name::text(certificate.issuer())),
        names: names(&certificate),
        serial: hex(certificate.raw_serial()),
        not_before: millis(certificate.validity().not_before.timestamp()),
        not_after: millis(certificate.validity().not_after.timestamp()),
        sha256,
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let shown = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(shorten(name)),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        _ => None,
    });
    shown.take(NAMES_MAX).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}
