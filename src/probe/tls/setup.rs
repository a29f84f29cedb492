//! TLS settings made ready once and used by every run that shares them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ClientConfig, SupportedProtocolVersion};

use crate::model::reason::Reason;
use crate::model::spec::{TlsClient, TlsVersion};
use crate::probe::stopwatch::Fault;

use super::Alpn;
use super::record::Recorder;
use super::roots::Roots;
use super::suites::NOTING_PROVIDER;

/// Most distinct settings kept: far more than a configuration has, and a bound on memory if one
/// is reloaded for years. When full, all are forgotten and made anew.
const SETUPS_MAX: usize = 4_096;

/// The one provider of cryptography. Suites with a key of 128 bits come first, as browsers offer
/// them: a server that follows its client then works as hard as for a citizen, and SHA-256 has
/// instructions of its own where SHA-384 has none.
pub(super) static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.sort_by_key(|it| !is_of_128_bits(it.suite()));
    Arc::new(provider)
});

/// Settings ready for use.
#[derive(Clone, Debug)]
pub(in crate::probe) struct TlsSetup {
    config: Arc<ClientConfig>,
    /// The roots that chains are judged by.
    pub(super) roots: Arc<Roots>,
}

impl TlsSetup {
    /// The settings for one connection, and the recorder that will hold what it shows.
    pub(super) fn recording(&self) -> (Arc<ClientConfig>, Arc<Recorder>) {
        let recorder = Arc::new(Recorder::default());
        let mut config = ClientConfig::clone(&self.config);
        config.dangerous().set_certificate_verifier(Arc::<Recorder>::clone(&recorder));
        (Arc::new(config), recorder)
    }
}

/// Every setup in use.
#[derive(Debug, Default)]
pub(in crate::probe) struct TlsSetups {
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    setups: HashMap<TlsClient, Vec<(Alpn, TlsSetup)>>,
    /// By PEM, and whether it stands alone.
    roots: HashMap<(Vec<u8>, bool), Arc<Roots>>,
}

impl TlsSetups {
    /// The setup for these settings, made on first use.
    pub(super) fn get(
        &self,
        client: &TlsClient,
        alpn: Alpn,
        base: &Arc<Roots>,
    ) -> Result<TlsSetup, Fault> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let known = made.setups.get(client).and_then(|all| all.iter().find(|it| it.0 == alpn));
        if let Some((_, setup)) = known {
            return Ok(setup.clone());
        }
        if made.setups.len() >= SETUPS_MAX {
            *made = Made::default();
        }
        let roots = made.roots(client, base)?;
        let setup = TlsSetup { config: Arc::new(configure(client, alpn)?), roots };
        made.setups.entry(client.clone()).or_default().push((alpn, setup.clone()));
        Ok(setup)
    }
}

impl Made {
    /// The roots of `client`: the base ones and its own, shared by all that name the same.
    fn roots(&mut self, client: &TlsClient, base: &Arc<Roots>) -> Result<Arc<Roots>, Fault> {
        let Some(pem) = &client.roots_pem else { return Ok(Arc::clone(base)) };
        let key = (pem.clone(), client.roots_only);
        if let Some(roots) = self.roots.get(&key) {
            return Ok(Arc::clone(roots));
        }
        let mut roots = if client.roots_only { Roots::default() } else { Roots::clone(base) };
        roots.add_pem(pem).map_err(|why| {
            Fault::new(Reason::SelfSecret, format!("trusted roots of the check: {why}"))
        })?;
        let roots = Arc::new(roots);
        self.roots.insert(key, Arc::clone(&roots));
        Ok(roots)
    }
}

fn configure(client: &TlsClient, alpn: Alpn) -> Result<ClientConfig, Fault> {
    let known = [
        (TlsVersion::Tls13, &rustls::version::TLS13),
        (TlsVersion::Tls12, &rustls::version::TLS12),
    ];
    let offered = |it: TlsVersion| {
        it >= client.version_min && client.version_max.is_none_or(|highest| it <= highest)
    };
    let versions: Vec<&SupportedProtocolVersion> =
        known.into_iter().filter(|it| offered(it.0)).map(|it| it.1).collect();
    if versions.is_empty() {
        let why = "the TLS settings leave no version: the lowest is above the highest";
        return Err(Fault::new(Reason::Internal, why));
    }
    let own = |error: rustls::Error| Fault::new(Reason::SelfSecret, own_certificate(&error));
    let provider = if alpn == super::ALPN_3 { &NOTING_PROVIDER } else { &PROVIDER };
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&versions)
        .map_err(|error| Fault::new(Reason::Internal, error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Recorder::default()));
    let mut config = match &client.identity_pem {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
                .collect::<Result<_, _>>()
                .map_err(|error| Fault::new(Reason::SelfSecret, own_certificate(&error)))?;
            // Nothing of the key's text may reach the message.
            let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| {
                Fault::new(Reason::SelfSecret, "our own private key is not a key in PEM")
            })?;
            builder.with_client_auth_cert(chain, key).map_err(own)?
        }
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

fn is_of_128_bits(suite: CipherSuite) -> bool {
    suite.as_str().is_some_and(|name| name.contains("AES_128"))
}

fn own_certificate(error: &dyn std::fmt::Display) -> String {
    format!("our own certificate can't be used: {error}")
}
