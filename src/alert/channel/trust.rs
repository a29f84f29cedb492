//! Whom we trust when we call others: Alertmanager, gateways, other monitors, our own daemon.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// The roots that the system trusts. Reads files: for the making of a client, not for each call.
#[must_use]
pub fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// TLS by ring, with these roots; what is missing is whether we show a certificate of our own.
///
/// # Errors
///
/// What rustls says, which only a bug can make it say.
pub fn trusting(
    roots: RootCertStore,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    // No provider is installed for the process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots))
}

/// TLS that trusts what the system trusts and shows no certificate.
///
/// # Errors
///
/// As [`trusting`].
pub fn system_tls() -> Result<ClientConfig, rustls::Error> {
    Ok(trusting(system_roots())?.with_no_client_auth())
}
