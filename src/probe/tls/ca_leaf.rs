//! A CA's certificate that serves as a leaf. OpenSSL and browsers take one; webpki does not.
//!
//! So webpki is shown the same certificate without the word that it is a CA's, one byte changed,
//! and its signature is verified over what the issuer really signed. Everything else about it,
//! and all above it, is judged as ever.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
};
use x509_parser::oid_registry::OID_X509_EXT_BASIC_CONSTRAINTS;

use super::facts::parse;

/// The beginning of basic constraints of a CA (RFC 5280, section 4.2.1.9), after the length of
/// the sequence: a boolean of one byte that is true.
const CA_TRUE: [u8; 3] = [0x01, 0x01, 0xff];

/// A CA's certificate as webpki is shown it.
#[derive(Debug)]
pub(super) struct CaLeaf {
    /// With `cA` false.
    pub(super) shown: CertificateDer<'static>,
    shown_signed: Vec<u8>,
    really_signed: Vec<u8>,
}

impl CaLeaf {
    /// Of `der`, if that is a CA's.
    pub(super) fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = parse(der)?;
        let mut extensions = certificate.extensions().iter();
        let value = extensions.find(|it| it.oid == OID_X509_EXT_BASIC_CONSTRAINTS)?.value;
        if value.first() != Some(&0x30) || value.get(2..5) != Some(&CA_TRUE[..]) {
            return None;
        }
        let signed = certificate.tbs_certificate.as_ref();
        let (signed_at, value_at) = (offset(signed, der)?, offset(value, der)?);
        let mut shown = der.to_vec();
        *shown.get_mut(value_at + 4)? = 0;
        let shown_signed = shown.get(signed_at..signed_at + signed.len())?.to_vec();
        let shown = CertificateDer::from(shown);
        Some(Self { shown, shown_signed, really_signed: signed.to_vec() })
    }

    /// `all`, each of which takes what is really signed in place of what is shown.
    pub(super) fn algorithms(&self, all: &WebPkiSupportedAlgorithms) -> Vec<ReallySigned<'_>> {
        let of = |inner: &&'static dyn SignatureVerificationAlgorithm| ReallySigned {
            inner: *inner,
            leaf: self,
        };
        all.all.iter().map(of).collect()
    }
}

/// Where `part`, which lies in `whole`, begins.
fn offset(part: &[u8], whole: &[u8]) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (at.checked_add(part.len())? <= whole.len()).then_some(at)
}

/// An algorithm that verifies the leaf's signature over what its issuer signed.
#[derive(Debug)]
pub(super) struct ReallySigned<'a> {
    inner: &'static dyn SignatureVerificationAlgorithm,
    leaf: &'a CaLeaf,
}

impl SignatureVerificationAlgorithm for ReallySigned<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let is_leaf = message == self.leaf.shown_signed;
        let message = if is_leaf { &self.leaf.really_signed } else { message };
        self.inner.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}
