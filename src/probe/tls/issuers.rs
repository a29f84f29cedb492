//! What OpenSSL demands of the certificates of a path and webpki does not: that keys may be used
//! for what they are used for, and that a root keeps to its own limits.

use rustls::pki_types::CertificateDer;
use webpki::VerifiedPath;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{AuthorityKeyIdentifier, ParsedExtension};
use x509_parser::x509::X509Version;

use super::facts::parse;

/// Whether `leaf` may serve TLS by its key usage and its extended key usage, where it has them
/// (RFC 5280, sections 4.2.1.3 and 4.2.1.12).
pub(super) fn may_serve(leaf: &CertificateDer<'_>) -> bool {
    // One that only webpki can read is judged by that alone; so are those below.
    let Some(leaf) = parse(leaf) else { return true };
    let usage = match leaf.key_usage() {
        Ok(None) => true,
        Ok(Some(it)) => {
            let usage = it.value;
            usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
        }
        Err(_) => false,
    };
    usage && is_for_servers(&leaf)
}

/// Whether `der` names itself as its issuer, as OpenSSL sees it: such a certificate is trusted
/// only if it is itself among the roots, whoever has signed it.
pub(super) fn is_own_issuer(der: &CertificateDer<'_>) -> bool {
    let Some(certificate) = parse(der) else { return false };
    if certificate.issuer().as_raw() != certificate.subject().as_raw() {
        return false;
    }
    let (mut own, mut issuer) = (None, None);
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => own = Some(id),
            ParsedExtension::AuthorityKeyIdentifier(id) => issuer = Some(id),
            _ => {}
        }
    }
    let Some(AuthorityKeyIdentifier { key_identifier, authority_cert_serial, .. }) = issuer else {
        return true;
    };
    let other_key = own.zip(key_identifier.as_ref()).is_some_and(|(own, key)| own.0 != key.0);
    !other_key && authority_cert_serial.is_none_or(|it| it == certificate.raw_serial())
}

/// Whether the certificates between leaf and root may sign certificates.
pub(super) fn middle_may_sign(path: &VerifiedPath<'_>) -> bool {
    // That each is a CA's, within its path length and for servers, webpki has seen to.
    path.intermediate_certificates().all(|it| parse(&it.der()).is_none_or(|it| keys_sign(&it)))
}

/// Whether `root` may stand at the end of `path`. RFC 5280 leaves it open whether the limits in
/// a root's own certificate count; for OpenSSL they do.
pub(super) fn root_may_sign(root: &CertificateDer<'_>, path: &VerifiedPath<'_>) -> bool {
    let Some(root) = parse(root) else { return true };
    let below = path.intermediate_certificates().filter(|it| it.issuer() != it.subject()).count();
    let (is_ca, path_max) = match root.basic_constraints() {
        Ok(Some(it)) => (it.value.ca, it.value.path_len_constraint),
        Ok(None) => (root.version() == X509Version::V1 || has_key_usage(&root), None),
        Err(_) => (false, None),
    };
    let within = path_max.is_none_or(|most| below <= usize::try_from(most).unwrap_or(usize::MAX));
    is_ca && within && keys_sign(&root) && is_for_servers(&root)
}

fn has_key_usage(certificate: &X509Certificate<'_>) -> bool {
    matches!(certificate.key_usage(), Ok(Some(_)))
}

fn keys_sign(certificate: &X509Certificate<'_>) -> bool {
    match certificate.key_usage() {
        Ok(usage) => usage.is_none_or(|it| it.value.key_cert_sign()),
        Err(_) => false,
    }
}

fn is_for_servers(certificate: &X509Certificate<'_>) -> bool {
    match certificate.extended_key_usage() {
        Ok(usage) => usage.is_none_or(|it| it.value.server_auth),
        Err(_) => false,
    }
}
