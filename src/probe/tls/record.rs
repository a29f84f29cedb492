//! The verifier that lets a handshake go on whatever the chain, and keeps the chain.

use std::sync::OnceLock;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme};

use super::setup::PROVIDER;

/// Keeps the chain of one connection. It judges nothing but the handshake's signature, which
/// proves that the server holds the leaf's key; whoever uses it must judge the chain afterwards.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    chain: OnceLock<Vec<CertificateDer<'static>>>,
    version: OnceLock<ProtocolVersion>,
}

impl Recorder {
    /// The chain as sent, the leaf first; `None` if the handshake did not come that far.
    pub(super) fn chain(&self) -> Option<&[CertificateDer<'static>]> {
        self.chain.get().map(Vec::as_slice)
    }

    /// The version that the signature was made for.
    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        self.version.get().copied()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let sent = std::iter::once(end_entity).chain(intermediates);
        let chain = sent.map(|it| it.clone().into_owned()).collect();
        // Set before: a server that sends two chains in one handshake is refused by rustls.
        let _first_wins = self.chain.set(chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let _first_wins = self.version.set(ProtocolVersion::TLSv1_2);
        verify_tls12_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let _first_wins = self.version.set(ProtocolVersion::TLSv1_3);
        verify_tls13_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
