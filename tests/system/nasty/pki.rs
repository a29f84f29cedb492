//! Certificates made for a test, and TLS servers that show them.

use std::future::Future;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::server::{Server, serve};

/// Year of a validity's begin and end.
pub(super) type Years = (i32, i32);

/// Long enough for every test.
pub(super) const VALID: Years = (2020, 2090);

/// A certificate with its key.
pub(super) struct Pair {
    params: CertificateParams,
    key: KeyPair,
    pub(super) der: CertificateDer<'static>,
    pub(super) pem: String,
}

impl Pair {
    pub(super) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()))
    }
}

fn params(name: &str, names: &[&str], years: Years, ca: bool) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("sound names");
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

fn made(params: CertificateParams, by: Option<&Pair>) -> Pair {
    let key = KeyPair::generate().expect("a key");
    let cert = match by {
        None => params.self_signed(&key),
        Some(ca) => params.signed_by(&key, &Issuer::from_params(&ca.params, &ca.key)),
    }
    .expect("a certificate");
    Pair { params, key, der: cert.der().clone(), pem: cert.pem() }
}

/// A certificate of any make: an authority's, with `names`, if `ca`, and then changed. Signed by
/// itself without `by`.
pub(super) fn made_as(
    name: &str,
    names: &[&str],
    by: Option<&Pair>,
    ca: bool,
    change: impl FnOnce(&mut CertificateParams),
) -> Pair {
    let mut params = params(name, names, VALID, ca);
    change(&mut params);
    made(params, by)
}

impl Pair {
    /// Another edition of the same, with the same key.
    pub(super) fn again(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = self.params.clone();
        change(&mut params);
        let key = KeyPair::from_pem(&self.key.serialize_pem()).expect("a key");
        let cert = params.self_signed(&key).expect("a certificate");
        Self { params, key, der: cert.der().clone(), pem: cert.pem() }
    }

    /// The same, but its last byte, which is of the signature.
    pub(super) fn spoilt(mut self) -> Self {
        let mut der = self.der.to_vec();
        *der.last_mut().expect("bytes") ^= 1;
        self.der = CertificateDer::from(der);
        self
    }
}

/// A root, signed by itself.
pub(super) fn root(name: &str, years: Years) -> Pair {
    made(params(name, &[], years, true), None)
}

/// An authority below `by`.
pub(super) fn middle(name: &str, by: &Pair, years: Years) -> Pair {
    made(params(name, &[], years, true), Some(by))
}

/// A server's certificate.
pub(super) fn leaf(names: &[&str], by: &Pair, years: Years) -> Pair {
    made(params("leaf", names, years, false), Some(by))
}

/// A server's certificate that is its own authority.
pub(super) fn alone(names: &[&str], ca: bool) -> Pair {
    made(params("alone", names, VALID, ca), None)
}

/// What a TLS server may be told besides its certificate.
#[derive(Default)]
pub(super) struct Options<'a> {
    pub(super) alpn: &'a [&'a [u8]],
    pub(super) only_tls12: bool,
    /// The only cipher suite, of TLS 1.3.
    pub(super) only_suite: Option<rustls::CipherSuite>,
    pub(super) clients: Option<&'a Pair>,
}

/// The acceptor that shows `leaf` and `more` below it.
pub(super) fn acceptor(leaf: &Pair, more: &[&Pair], options: &Options<'_>) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(server_config(leaf, more, options)))
}

/// The settings of such a server.
pub(super) fn server_config(leaf: &Pair, more: &[&Pair], options: &Options<'_>) -> ServerConfig {
    let versions: &[_] = if options.only_tls12 {
        &[&rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let mut provider = rustls::crypto::ring::default_provider();
    if let Some(only) = options.only_suite {
        provider.cipher_suites.retain(|it| it.suite() == only);
    }
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("known versions");
    let builder = match options.clients {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(ca.der.clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let chain = std::iter::once(leaf).chain(more.iter().copied()).map(|it| it.der.clone());
    let mut config =
        builder.with_single_cert(chain.collect(), leaf.key_der()).expect("a key that fits");
    config.alpn_protocols = options.alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A TLS server; connections whose handshake fails are dropped.
pub(super) async fn serve_tls<F, Fut>(acceptor: TlsAcceptor, handle: F) -> Server
where
    F: Fn(TlsStream<TcpStream>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let handle = Arc::new(handle);
    serve(move |stream| {
        let (acceptor, handle) = (acceptor.clone(), Arc::clone(&handle));
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                handle(stream).await;
            }
        }
    })
    .await
}
