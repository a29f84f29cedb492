//! Verdicts on chains: no network, and the time as a parameter.

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};

use crate::model::reason::Reason;
use crate::model::time::Millis;

use super::judge::{Judgement, judge};
use super::memo::Judgements;
use super::roots::Roots;

struct Ca {
    params: CertificateParams,
    key: KeyPair,
}

fn params(name: &str, names: &[&str], years: (i32, i32)) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("sound names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

fn ca(name: &str) -> Ca {
    let mut params = params(name, &[], (2000, 2100));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ca { params, key: KeyPair::generate().expect("a key") }
}

impl Ca {
    /// An edition of its own certificate, signed by itself.
    fn own(&self, years: (i32, i32)) -> String {
        let mut params = self.params.clone();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        params.self_signed(&self.key).expect("a certificate").pem()
    }

    /// An edition of the certificate of `below`.
    fn signs(&self, below: &Self, years: (i32, i32)) -> CertificateDer<'static> {
        let mut params = below.params.clone();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&below.key, &issuer).expect("a certificate").der().clone()
    }

    fn leaf(&self, years: (i32, i32)) -> CertificateDer<'static> {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let key = KeyPair::generate().expect("a key");
        let params = params("leaf", &["dvc.vn"], years);
        params.signed_by(&key, &issuer).expect("a certificate").der().clone()
    }
}

fn roots(pems: &[String]) -> Roots {
    let mut roots = Roots::default();
    for pem in pems {
        roots.add_pem(pem.as_bytes()).expect("certificates");
    }
    roots
}

fn year(year: i32) -> i64 {
    date_time_ymd(year, 1, 1).unix_timestamp()
}

fn name() -> ServerName<'static> {
    ServerName::try_from("dvc.vn").expect("a name")
}

fn at(chain: &[CertificateDer<'static>], roots: &Roots, now: i64) -> Judgement {
    judge(chain, &name(), roots, now)
}

fn reason(judgement: &Judgement) -> Reason {
    judgement.fault.as_ref().map_or(Reason::None, |fault| fault.0)
}

#[test]
fn of_several_chains_the_one_that_lasts_longest_counts() {
    let (old, new, sub) = (ca("old"), ca("new"), ca("sub"));
    let chain =
        [sub.leaf((2020, 2080)), old.signs(&sub, (2010, 2030)), new.signs(&sub, (2020, 2050))];
    let both = roots(&[old.own((2000, 2040)), new.own((2000, 2060))]);
    let now = at(&chain, &both, year(2025));
    assert_eq!(
        (reason(&now), now.chain_not_after),
        (Reason::None, Some(Millis(year(2050) * 1_000)))
    );
    let later = at(&chain, &both, year(2045));
    assert_eq!(reason(&later), Reason::None);
    let only_old = roots(&[old.own((2000, 2040))]);
    let now = at(&chain, &only_old, year(2025));
    assert_eq!(now.chain_not_after, Some(Millis(year(2030) * 1_000)));
    assert_eq!(reason(&at(&chain, &only_old, year(2031))), Reason::TlsExpired);
}

#[test]
fn an_expired_root_counts_and_of_two_editions_the_longer() {
    let root = ca("root");
    let chain = [root.leaf((2020, 2080))];
    let short = roots(&[root.own((2000, 2030))]);
    let seen = at(&chain, &short, year(2025));
    assert_eq!(seen.chain_not_after, Some(Millis(year(2030) * 1_000)));
    assert_eq!(reason(&at(&chain, &short, year(2035))), Reason::TlsExpired);
    let both = roots(&[root.own((2000, 2030)), root.own((2000, 2040))]);
    let seen = at(&chain, &both, year(2035));
    assert_eq!(
        (reason(&seen), seen.chain_not_after),
        (Reason::None, Some(Millis(year(2040) * 1_000)))
    );
}

#[test]
fn a_root_whose_time_has_not_come_is_not_trusted_yet() {
    let root = ca("root");
    let chain = [root.leaf((2020, 2080))];
    let late = roots(&[root.own((2030, 2060))]);
    assert_eq!(reason(&at(&chain, &late, year(2025))), Reason::TlsNotYetValid);
    assert_eq!(reason(&at(&chain, &late, year(2031))), Reason::None);
    let both = roots(&[root.own((2000, 2028)), root.own((2030, 2060))]);
    let seen = at(&chain, &both, year(2025));
    assert_eq!(
        (reason(&seen), seen.chain_not_after),
        (Reason::None, Some(Millis(year(2028) * 1_000)))
    );
}

#[test]
fn a_key_of_another_kind_than_the_signature_is_an_unknown_issuer() {
    let root = ca("root");
    let mut twin = ca("root");
    twin.key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let known = roots(&[root.own((2000, 2060))]);
    let seen = at(&[twin.leaf((2020, 2080))], &known, year(2025));
    assert_eq!(reason(&seen), Reason::TlsUnknownIssuer, "{:?}", seen.fault);
}

#[test]
fn a_huge_chain_is_judged_but_not_remembered() {
    let root = ca("root");
    let known = roots(&[root.own((2000, 2060))]);
    let mut chain = vec![root.leaf((2020, 2030))];
    chain.push(CertificateDer::from(vec![0; 16 * 1024]));
    let memo = Judgements::default();
    let ask = || memo.judge(&chain, &name(), &known, Millis(year(2025) * 1_000));
    let (first, second) = (ask(), ask());
    assert_eq!(reason(&first), reason(&second));
    assert!(!std::sync::Arc::ptr_eq(&first, &second));
}

#[test]
fn a_judgement_holds_to_the_second() {
    let root = ca("root");
    let chain = [root.leaf((2020, 2030))];
    let roots = roots(&[root.own((2000, 2060))]);
    for (now, expected) in [
        (year(2020) - 1, Reason::TlsNotYetValid),
        (year(2020), Reason::None),
        (year(2030), Reason::None),
        (year(2030) + 1, Reason::TlsExpired),
    ] {
        let seen = at(&chain, &roots, now);
        assert_eq!(reason(&seen), expected, "at {now}");
        assert!((seen.holds_from..seen.holds_until).contains(&now));
        for edge in [seen.holds_from, seen.holds_until - 1] {
            assert_eq!(reason(&at(&chain, &roots, edge.clamp(0, year(2200)))), expected);
        }
    }
}

#[test]
fn a_remembered_judgement_is_never_used_beyond_its_time_name_or_roots() {
    let (root, other) = (ca("root"), ca("other"));
    let chain = [root.leaf((2020, 2030))];
    let known = roots(&[root.own((2000, 2060))]);
    let strange = roots(&[other.own((2000, 2060))]);
    let memo = Judgements::default();
    let ask = |name: &ServerName<'static>, roots: &Roots, now: i64| {
        reason(&memo.judge(&chain, name, roots, Millis(now * 1_000)))
    };
    let wrong = ServerName::try_from("other.vn").expect("a name");
    for _again in 0..2 {
        assert_eq!(ask(&name(), &known, year(2025)), Reason::None);
        assert_eq!(ask(&name(), &known, year(2030)), Reason::None);
        assert_eq!(ask(&name(), &known, year(2030) + 1), Reason::TlsExpired);
        assert_eq!(ask(&name(), &known, year(2019)), Reason::TlsNotYetValid);
        assert_eq!(ask(&wrong, &known, year(2025)), Reason::TlsNameMismatch);
        assert_eq!(ask(&name(), &strange, year(2025)), Reason::TlsChainIncomplete);
    }
    let first = memo.judge(&chain, &name(), &known, Millis(year(2025) * 1_000));
    let second = memo.judge(&chain, &name(), &known, Millis(year(2026) * 1_000));
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a server sends as certificates, there is a verdict.
    #[test]
    fn no_certificate_is_too_strange(
        garbage in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let root = ca("root");
        let roots = roots(&[root.own((2000, 2060))]);
        let sound = root.leaf((2020, 2030)).to_vec();
        let mut flipped = sound.clone();
        flipped[flip.index(sound.len())] ^= 1 << bit;
        let short = sound[..cut.index(sound.len())].to_vec();
        for bytes in [garbage, short, flipped] {
            let chain = [CertificateDer::from(bytes), CertificateDer::from(sound.clone())];
            let seen = at(&chain, &roots, year(2025));
            prop_assert_eq!(seen.chain.len(), 2);
            prop_assert!(seen.fault.is_some());
        }
    }
}
