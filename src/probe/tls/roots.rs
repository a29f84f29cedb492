//! Trusted roots.

use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::facts::validity;

/// Numbers sets of roots, so that a judgement is remembered for the set it was made with.
static SETS_MADE: AtomicU64 = AtomicU64::new(0);

/// A set of trusted roots.
#[derive(Debug)]
pub(in crate::probe) struct Roots {
    /// Differs from that of any other set in this process.
    pub(super) id: u64,
    /// In the form that chains are verified with.
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    /// One for each anchor.
    pub(super) known: Vec<Root>,
}

/// What is known of a root besides its name and key.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// The whole certificate; `None` for those compiled in.
    pub(super) der: Option<CertificateDer<'static>>,
    /// First and last second of validity, if the certificate is known.
    pub(super) valid: Option<(i64, i64)>,
}

impl Default for Roots {
    fn default() -> Self {
        let id = SETS_MADE.fetch_add(1, Ordering::Relaxed);
        Self { id, anchors: Vec::new(), known: Vec::new() }
    }
}

impl Clone for Roots {
    fn clone(&self) -> Self {
        let (anchors, known) = (self.anchors.clone(), self.known.clone());
        Self { anchors, known, ..Self::default() }
    }
}

impl Roots {
    /// Adds what the system trusts, or Mozilla's roots as compiled in if it trusts nothing.
    pub(in crate::probe) fn add_system(&mut self) {
        for der in rustls_native_certs::load_native_certs().certs {
            // One that can't be read is of no use to anybody; the others still are.
            let _unreadable = self.add(der);
        }
        if self.anchors.is_empty() {
            self.anchors.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            self.known.resize(self.anchors.len(), Root { der: None, valid: None });
        }
    }

    /// Adds every certificate of a PEM text.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, or that it holds no certificate.
    pub(in crate::probe) fn add_pem(&mut self, pem: &[u8]) -> Result<(), String> {
        let before = self.anchors.len();
        for der in CertificateDer::pem_slice_iter(pem) {
            self.add(der.map_err(|error| error.to_string())?)?;
        }
        if self.anchors.len() == before {
            return Err("no certificate in it".to_owned());
        }
        Ok(())
    }

    fn add(&mut self, der: CertificateDer<'static>) -> Result<(), String> {
        let anchor = webpki::anchor_from_trusted_cert(&der).map_err(|error| error.to_string())?;
        self.anchors.push(anchor.to_owned());
        self.known.push(Root { valid: validity(&der), der: Some(der) });
        Ok(())
    }
}
