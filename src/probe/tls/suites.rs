//! The cipher suites of QUIC, which tell when keys are made for them: `quinn` does not say which
//! one was agreed on.
//!
//! Keys are made while the connection is driven, on the thread that does, so what was noted on
//! this thread between two points of that belongs to the connection.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{AeadKey, Iv};
use rustls::quic::{Algorithm, HeaderProtectionKey, PacketKey};
use rustls::{CipherSuite, CipherSuiteCommon, SupportedCipherSuite, Tls13CipherSuite};

use super::setup::PROVIDER;

thread_local! {
    static NOTED: Cell<Option<CipherSuite>> = const { Cell::new(None) };
}

/// The suite that keys were last made for on this thread, since this was last asked.
pub(in crate::probe) fn noted() -> Option<CipherSuite> {
    NOTED.take()
}

/// The same cryptography, only for TLS 1.3, and noted.
pub(super) static NOTING_PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let cipher_suites = SUITES.iter().map(SupportedCipherSuite::Tls13).collect();
    Arc::new(CryptoProvider { cipher_suites, ..CryptoProvider::clone(&PROVIDER) })
});

static SUITES: LazyLock<Vec<Tls13CipherSuite>> = LazyLock::new(|| {
    let noted = ALGORITHMS.iter().map(|noting| {
        let suite = noting.suite;
        Tls13CipherSuite {
            common: CipherSuiteCommon {
                suite: suite.common.suite,
                hash_provider: suite.common.hash_provider,
                confidentiality_limit: suite.common.confidentiality_limit,
            },
            hkdf_provider: suite.hkdf_provider,
            aead_alg: suite.aead_alg,
            quic: Some(noting),
        }
    });
    noted.collect()
});

static ALGORITHMS: LazyLock<Vec<Noting>> = LazyLock::new(|| {
    let all = PROVIDER.cipher_suites.iter().filter_map(|it| match it {
        SupportedCipherSuite::Tls13(suite) => Some(Noting { suite, inner: suite.quic? }),
        SupportedCipherSuite::Tls12(_) => None,
    });
    all.collect()
});

struct Noting {
    suite: &'static Tls13CipherSuite,
    inner: &'static dyn Algorithm,
}

impl Algorithm for Noting {
    fn packet_key(&self, key: AeadKey, iv: Iv) -> Box<dyn PacketKey> {
        NOTED.set(Some(self.suite.common.suite));
        self.inner.packet_key(key, iv)
    }

    fn header_protection_key(&self, key: AeadKey) -> Box<dyn HeaderProtectionKey> {
        self.inner.header_protection_key(key)
    }

    fn aead_key_len(&self) -> usize {
        self.inner.aead_key_len()
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}
