//! `tls_config`.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::blackbox::desk::{Desk, Table};
use crate::blackbox::yaml::Span;
use crate::model::secret::Secret;
use crate::model::spec::{TlsClient, TlsVersion};

/// Largest PEM file: a whole store of roots is about 250 kB.
const PEM_BYTES_MAX: u64 = 4 << 20;

const KEYS: &[&str] = &[
    "insecure_skip_verify",
    "ca",
    "ca_file",
    "cert",
    "cert_file",
    "key",
    "key_file",
    "server_name",
    "min_version",
    "max_version",
];

/// Versions by name; those we don't speak are `None`.
const VERSIONS: &[(&str, Option<TlsVersion>)] = &[
    ("TLS10", None),
    ("TLS11", None),
    ("TLS12", Some(TlsVersion::Tls12)),
    ("TLS13", Some(TlsVersion::Tls13)),
];

/// `tls_config` of a section.
pub(super) fn tls(desk: &mut Desk<'_>, section: Table<'_>) -> TlsClient {
    let Some(table) = desk.sub(section, "tls_config", KEYS) else { return TlsClient::default() };
    let verify = !desk.bool(table, "insecure_skip_verify", false);
    let roots = pem(desk, table, "ca", "ca_file");
    let roots_pem = roots.filter(|(pem, at)| certificates(desk, pem, *at)).map(|(pem, _)| pem);
    let identity_pem = identity(desk, table);
    let server_name = desk.text(table, "server_name").filter(|name| !name.is_empty());
    let server_name = server_name.map(str::to_owned);
    let (version_min, version_max) = versions(desk, table);
    TlsClient {
        verify,
        roots_only: roots_pem.is_some(),
        roots_pem,
        identity_pem,
        server_name,
        version_min,
        version_max,
    }
}

fn versions(desk: &mut Desk<'_>, table: Table<'_>) -> (TlsVersion, Option<TlsVersion>) {
    let at = |key: &str| table.get(key).map_or(table.at, |node| node.at);
    let min = desk.choice(table, "min_version", VERSIONS);
    if min == Some(None) {
        let what = "TLS 1.0 and 1.1 are not spoken here; `min_version` is taken as TLS12";
        desk.note(at("min_version"), what, "write `TLS12`");
    }
    let min = min.flatten().unwrap_or(TlsVersion::Tls12);
    let max = desk.choice(table, "max_version", VERSIONS);
    if max == Some(None) {
        let what = "TLS 1.0 and 1.1 are not spoken here, so nothing is left to offer";
        let mend = "write `TLS12`, or watch for old versions with another tool";
        desk.wrong(at("max_version"), what, mend);
    }
    let max = max.flatten();
    if max == Some(TlsVersion::Tls12) && min == TlsVersion::Tls13 {
        desk.wrong(
            at("max_version"),
            "`max_version` is below `min_version`",
            "raise it, or lower that",
        );
    }
    (min, max)
}

fn identity(desk: &mut Desk<'_>, table: Table<'_>) -> Option<(Vec<u8>, Secret)> {
    let there = |keys: [&str; 2]| keys.into_iter().find_map(|key| table.key_at(key));
    let (cert_at, key_at) = (there(["cert", "cert_file"]), there(["key", "key_file"]));
    if let (Some(at), None) | (None, Some(at)) = (cert_at, key_at) {
        let what = "a certificate and its private key go together";
        desk.wrong(at, what, "write `cert_file` and `key_file`, or neither");
    }
    let cert = pem(desk, table, "cert", "cert_file");
    let cert = cert.filter(|(pem, at)| certificates(desk, pem, *at)).map(|(pem, _)| pem);
    desk.one_of(table, &["key", "key_file"]);
    let key = pem(desk, table, "key", "key_file").and_then(|(pem, at)| {
        let sound = PrivateKeyDer::from_pem_slice(&pem).is_ok();
        if !sound {
            desk.wrong(at, "there is no private key in PEM here", "begin it with `-----BEGIN`");
        }
        String::from_utf8(pem).ok().filter(|_| sound)
    });
    Some((cert?, Secret::new(key?)))
}

/// PEM written under `key` or in the file under `file_key`, with its place.
fn pem(
    desk: &mut Desk<'_>,
    table: Table<'_>,
    key: &str,
    file_key: &str,
) -> Option<(Vec<u8>, Span)> {
    desk.one_of(table, &[key, file_key]);
    if let Some(node) = table.get(key) {
        return desk.scalar(node, key).map(|text| (text.as_bytes().to_vec(), node.at));
    }
    let node = table.get(file_key)?;
    let path = desk.scalar(node, file_key).filter(|path| !path.is_empty())?;
    Some((desk.file(path, node.at, PEM_BYTES_MAX)?, node.at))
}

fn certificates(desk: &mut Desk<'_>, pem: &[u8], at: Span) -> bool {
    let mut sound = CertificateDer::pem_slice_iter(pem).peekable();
    let sound = sound.peek().is_some() && sound.all(|it| it.is_ok());
    if !sound {
        desk.wrong(
            at,
            "there are no sound certificates in PEM here",
            "begin each with `-----BEGIN CERTIFICATE-----`",
        );
    }
    sound
}
