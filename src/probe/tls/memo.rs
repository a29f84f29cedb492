//! Judgements remembered: the same chain every half minute need not be verified anew.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, ServerName};

use crate::model::time::Millis;

use super::judge::{Judgement, judge};
use super::roots::Roots;

/// Most judgements kept, each of about 8 KiB. When full, all are forgotten and made anew.
const JUDGEMENTS_MAX: usize = 2_048;

/// Largest chain kept, in bytes of all its certificates; honest ones are of 3 to 8 KiB. A larger
/// one is judged anew each time.
const CHAIN_BYTES_MAX: usize = 16 * 1024;

/// Judgements by a hash of what was judged. A judgement is used again only for the very same
/// chain, name and roots, and only while no certificate's validity begins or ends.
#[derive(Debug, Default)]
pub(in crate::probe) struct Judgements {
    hasher: RandomState,
    made: Mutex<HashMap<u64, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    chain: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    roots: u64,
    judgement: Arc<Judgement>,
}

impl Judgements {
    /// The judgement on `chain` for `name` at `now`.
    pub(super) fn judge(
        &self,
        chain: &[CertificateDer<'static>],
        name: &ServerName<'static>,
        roots: &Roots,
        now: Millis,
    ) -> Arc<Judgement> {
        let now = now.0.div_euclid(1_000);
        let key = self.hasher.hash_one((roots.id, name, chain));
        if let Some(known) = self.lock().get(&key)
            && known.roots == roots.id
            && known.name == *name
            && known.chain == chain
            && (known.judgement.holds_from..known.judgement.holds_until).contains(&now)
        {
            return Arc::clone(&known.judgement);
        }
        let judgement = Arc::new(judge(chain, name, roots, now));
        if chain.iter().map(|der| der.len()).sum::<usize>() > CHAIN_BYTES_MAX {
            return judgement;
        }
        let entry = Entry {
            chain: chain.to_vec(),
            name: name.clone(),
            roots: roots.id,
            judgement: Arc::clone(&judgement),
        };
        let mut made = self.lock();
        if made.len() >= JUDGEMENTS_MAX {
            made.clear();
        }
        made.insert(key, Arc::new(entry));
        judgement
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Entry>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
