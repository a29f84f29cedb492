//! Certificates and handshakes that are wrong in every way.

use std::future::pending;

use thongsuot::model::check::Check;
use thongsuot::model::observation::Observation;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::TlsVersion;
use thongsuot::model::time::Millis;
use tokio::io::AsyncWriteExt;

use super::bench::{Bench, SHORT, get, get_soon, get_with, spent_in, tls_at};
use super::pki::{Options, Pair, VALID, acceptor, alone, leaf, middle, root, serve_tls};
use super::server::{Server, drain, ok, request, reset, serve};

/// Answers one request with 200.
async fn service(leaf: &Pair, more: &[&Pair], options: &Options<'_>) -> Server {
    serve_tls(acceptor(leaf, more, options), |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(&ok("here")).await;
        let _gone = stream.shutdown().await;
        drain(stream).await;
    })
    .await
}

/// Shows `leaf` and `more` to a probe that trusts `trusted`, over `https` and as `kind = tls`.
async fn check(leaf: &Pair, more: &[&Pair], trusted: &Pair, reason: Reason) -> Observation {
    let server = service(leaf, more, &Options::default()).await;
    let bench = Bench::trusting(&trusted.pem);
    let bare = bench.expect(&tls_at(server.addr.port(), |_| {}), reason).await;
    let seen = bench.expect(&get(&server.tls_url()), reason).await;
    for seen in [&bare, &seen] {
        let tls = seen.detail.tls.as_ref().expect("facts, whatever the verdict");
        assert_eq!(tls.chain.len(), 1 + more.len(), "{seen:#?}");
        assert_eq!(tls.fault.as_ref().map(|fault| fault.0), failed(reason), "{seen:#?}");
        assert_eq!(seen.tls_not_after, Some(tls.chain[0].not_after));
        assert_eq!(tls.version, "TLS 1.3");
        assert_eq!(tls.cipher, "TLS13_AES_128_GCM_SHA256");
    }
    // The same certificate, not to be verified: the fault is known, and fails nothing.
    let lenient = get_with(&server.tls_url(), |spec| spec.tls.verify = false);
    let lenient = bench.expect(&lenient, Reason::None).await;
    let tls = lenient.detail.tls.as_ref().expect("facts");
    assert_eq!(tls.fault.as_ref().map(|fault| fault.0), failed(reason));
    seen
}

fn failed(reason: Reason) -> Option<Reason> {
    (reason != Reason::None).then_some(reason)
}

fn year(year: i16) -> Millis {
    let text = format!("{year}-01-01T00:00:00Z");
    Millis(text.parse::<jiff::Timestamp>().expect("a date").as_millisecond())
}

#[tokio::test]
async fn a_sound_chain_is_taken_and_its_facts_are_kept() {
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, (2020, 2060));
    let end = leaf(&["localhost", "*.dvc.vn"], &sub, (2021, 2070));
    let seen = check(&end, &[&sub], &ca, Reason::None).await;
    assert_eq!((seen.status, seen.bytes), (Some(200), 4));
    let tls = seen.detail.tls.expect("facts");
    assert_eq!(tls.chain_not_after, Some(year(2060)));
    assert_eq!(tls.chain[0].not_before, year(2021));
    assert_eq!(tls.chain[0].not_after, year(2070));
    assert_eq!(tls.chain[0].names, ["localhost", "*.dvc.vn"]);
    assert_eq!(tls.chain[0].issuer, tls.chain[1].subject);
    assert_eq!(tls.chain[0].sha256.len(), 64);
}

#[tokio::test]
async fn an_expired_leaf_is_expired() {
    let ca = root("root", VALID);
    let seen = check(&leaf(&["localhost"], &ca, (2020, 2021)), &[], &ca, Reason::TlsExpired).await;
    assert_eq!(seen.tls_not_after, Some(year(2021)));
    assert!(seen.detail.why.expect("told").contains("2021-01-01"));
}

#[tokio::test]
async fn an_expired_middle_is_expired() {
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, (2020, 2021));
    check(&leaf(&["localhost"], &sub, VALID), &[&sub], &ca, Reason::TlsExpired).await;
}

#[tokio::test]
async fn an_expired_root_is_expired() {
    let ca = root("root", (2020, 2021));
    check(&leaf(&["localhost"], &ca, VALID), &[], &ca, Reason::TlsExpired).await;
}

#[tokio::test]
async fn a_leaf_from_the_future_is_not_yet_valid() {
    let ca = root("root", VALID);
    check(&leaf(&["localhost"], &ca, (2080, 2081)), &[], &ca, Reason::TlsNotYetValid).await;
}

#[tokio::test]
async fn a_leaf_for_others_does_not_match() {
    let ca = root("root", VALID);
    check(&leaf(&["dvc.vn"], &ca, VALID), &[], &ca, Reason::TlsNameMismatch).await;
    check(&leaf(&["127.0.0.1"], &ca, VALID), &[], &ca, Reason::TlsNameMismatch).await;
}

#[tokio::test]
async fn an_address_is_verified_as_an_address() {
    let ca = root("root", VALID);
    let server = service(&leaf(&["127.0.0.1"], &ca, VALID), &[], &Options::default()).await;
    let bench = Bench::trusting(&ca.pem);
    let url = format!("https://{}/", server.addr);
    bench.expect(&get(&url), Reason::None).await;
    let server = service(&leaf(&["127.0.0.2"], &ca, VALID), &[], &Options::default()).await;
    let url = format!("https://{}/", server.addr);
    bench.expect(&get(&url), Reason::TlsNameMismatch).await;
}

#[tokio::test]
async fn the_name_to_verify_can_be_another() {
    let ca = root("root", VALID);
    let server = service(&leaf(&["dvc.vn"], &ca, VALID), &[], &Options::default()).await;
    let named = |name: &str| {
        let name = name.to_owned();
        tls_at(server.addr.port(), |spec| spec.tls.server_name = Some(name))
    };
    let bench = Bench::trusting(&ca.pem);
    bench.expect(&named("dvc.vn"), Reason::None).await;
    bench.expect(&named("other.vn"), Reason::TlsNameMismatch).await;
}

#[tokio::test]
async fn a_chain_to_a_stranger_has_an_unknown_issuer() {
    let (ca, other) = (root("root", VALID), root("other", VALID));
    check(&leaf(&["localhost"], &other, VALID), &[&other], &ca, Reason::TlsUnknownIssuer).await;
    let sub = middle("middle", &other, VALID);
    check(&leaf(&["localhost"], &sub, VALID), &[&sub], &ca, Reason::TlsUnknownIssuer).await;
    let same_name = root("root", VALID);
    check(&leaf(&["localhost"], &same_name, VALID), &[], &ca, Reason::TlsUnknownIssuer).await;
}

#[tokio::test]
async fn self_signed_is_an_unknown_issuer_unless_it_is_trusted() {
    let ca = root("root", VALID);
    for is_ca in [false, true] {
        let own = alone(&["localhost"], is_ca);
        check(&own, &[], &ca, Reason::TlsUnknownIssuer).await;
        check(&own, &[], &own, Reason::None).await;
        let other = alone(&["dvc.vn"], is_ca);
        check(&other, &[], &other, Reason::TlsNameMismatch).await;
    }
}

#[tokio::test]
async fn a_missing_middle_is_an_incomplete_chain() {
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, VALID);
    check(&leaf(&["localhost"], &sub, VALID), &[], &ca, Reason::TlsChainIncomplete).await;
    check(&leaf(&["localhost"], &sub, VALID), &[&ca], &ca, Reason::TlsChainIncomplete).await;
}

#[tokio::test]
async fn the_order_of_the_chain_does_not_matter() {
    let ca = root("root", VALID);
    let upper = middle("upper", &ca, VALID);
    let lower = middle("lower", &upper, VALID);
    let end = leaf(&["localhost"], &lower, VALID);
    check(&end, &[&ca, &upper, &lower], &ca, Reason::None).await;
}

#[tokio::test]
async fn too_few_days_left_expire_soon() {
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, (2020, 2060));
    let end = leaf(&["localhost"], &sub, (2021, 2070));
    let server = service(&end, &[&sub], &Options::default()).await;
    let mut bench = Bench::trusting(&ca.pem);
    bench.now = Millis(year(2060).0 - 10 * 86_400_000);
    let asked = |leaf_days, chain_days| {
        tls_at(server.addr.port(), |spec| {
            spec.cert.leaf_days_min = leaf_days;
            spec.cert.chain_days_min = chain_days;
        })
    };
    bench.expect(&asked(Some(3_000), Some(10)), Reason::None).await;
    bench.expect(&asked(None, Some(11)), Reason::TlsExpiresSoon).await;
    bench.expect(&asked(Some(4_000), None), Reason::TlsExpiresSoon).await;
    bench.now = year(2060);
    bench.expect(&asked(None, None), Reason::None).await;
    bench.now = Millis(year(2060).0 + 1_000);
    bench.expect(&asked(None, None), Reason::TlsExpired).await;
}

#[tokio::test]
async fn garbage_is_a_broken_handshake() {
    for garbage in [&[0; 100][..], b"\x16\x03\x03\xff\xffzz", b"\x80\x2eabcdefgh"] {
        let server = serve(move |mut stream| async move {
            let _gone = stream.write_all(garbage).await;
            let _gone = stream.shutdown().await;
            drain(stream).await;
        })
        .await;
        Bench::new().expect(&get(&server.tls_url()), Reason::TlsHandshake).await;
    }
}

#[tokio::test]
async fn a_reset_or_close_breaks_the_handshake() {
    let server = serve(|stream| async { reset(stream) }).await;
    Bench::new().expect(&get(&server.tls_url()), Reason::TlsHandshake).await;
    let server = serve(|stream| async { drop(stream) }).await;
    Bench::new().expect(&get(&server.tls_url()), Reason::TlsHandshake).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_hangs_in_tls() {
    let server = serve(|stream| async {
        let _held = stream;
        pending::<()>().await;
    })
    .await;
    let seen = Bench::new().expect(&get_soon(&server.tls_url()), Reason::TimeoutTls).await;
    spent_in(&seen, Phase::Tls);
    let bare = Check { timeout: SHORT, ..tls_at(server.addr.port(), |_| {}) };
    Bench::new().expect(&bare, Reason::TimeoutTls).await;
}

#[tokio::test]
async fn a_dripping_handshake_hangs_in_tls() {
    let server = serve(|mut stream| async move {
        let _gone = stream.write_all(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc").await;
        while stream.write_all(b"\x03").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let seen = Bench::new().expect(&get_soon(&server.tls_url()), Reason::TimeoutTls).await;
    spent_in(&seen, Phase::Tls);
}

#[tokio::test]
async fn a_server_of_old_has_no_version_in_common() {
    // Alerts: protocol_version at the record version of TLS 1.1. And a ServerHello of TLS 1.1.
    let alert = b"\x15\x03\x02\x00\x02\x02\x46".to_vec();
    let mut hello = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02".to_vec();
    hello.extend([7; 32]);
    hello.extend(b"\x00\xc0\x13\x00");
    for bytes in [alert, hello] {
        let server = serve(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                let _gone = stream.write_all(&bytes).await;
                drain(stream).await;
            }
        })
        .await;
        Bench::new().expect(&get(&server.tls_url()), Reason::TlsVersion).await;
    }
}

#[tokio::test]
async fn the_lowest_version_is_the_operators() {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let options = Options { only_tls12: true, ..Options::default() };
    let server = service(&end, &[], &options).await;
    let bench = Bench::trusting(&ca.pem);
    let seen = bench.expect(&get(&server.tls_url()), Reason::None).await;
    assert_eq!(seen.detail.tls.expect("facts").version, "TLS 1.2");
    let strict = get_with(&server.tls_url(), |spec| spec.tls.version_min = TlsVersion::Tls13);
    bench.expect(&strict, Reason::TlsVersion).await;
}

#[tokio::test]
async fn the_highest_version_is_the_operators() {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let server = service(&end, &[], &Options::default()).await;
    let bench = Bench::trusting(&ca.pem);
    let old = get_with(&server.tls_url(), |spec| spec.tls.version_max = Some(TlsVersion::Tls12));
    let seen = bench.expect(&old, Reason::None).await;
    assert_eq!(seen.detail.tls.expect("facts").version, "TLS 1.2");
    let none = get_with(&server.tls_url(), |spec| {
        spec.tls.version_min = TlsVersion::Tls13;
        spec.tls.version_max = Some(TlsVersion::Tls12);
    });
    bench.expect(&none, Reason::Internal).await;
}

#[tokio::test]
async fn a_server_that_knows_its_clients_lets_only_them_in() {
    let ca = root("root", VALID);
    let clients = root("clients", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let ours = leaf(&["monitor"], &clients, VALID);
    let bench = Bench::trusting(&ca.pem);
    for only_tls12 in [false, true] {
        let options = Options { clients: Some(&clients), only_tls12, ..Options::default() };
        let server = service(&end, &[], &options).await;
        let known = get_with(&server.tls_url(), |spec| {
            let key = Secret::new(ours.key_pem());
            spec.tls.identity_pem = Some((ours.pem.clone().into_bytes(), key));
        });
        bench.expect(&known, Reason::None).await;
        // TLS 1.3 lets a client finish before it is refused: then it is the answer that breaks.
        let stranger = bench.probe(&get(&server.tls_url())).await;
        let known = [Reason::TlsHandshake, Reason::HttpProtocol];
        assert!(known.contains(&stranger.reason), "{stranger:#?}");
        assert_eq!(stranger.detail.tls.expect("facts all the same").chain.len(), 1);
    }
}

#[tokio::test]
async fn a_broken_key_of_ours_is_our_fault() {
    let ca = root("root", VALID);
    let server = service(&leaf(&["localhost"], &ca, VALID), &[], &Options::default()).await;
    let check = get_with(&server.tls_url(), |spec| {
        let key = Secret::new("hunter2".to_owned());
        spec.tls.identity_pem = Some((ca.pem.clone().into_bytes(), key));
    });
    let seen = Bench::trusting(&ca.pem).expect(&check, Reason::SelfSecret).await;
    assert!(!seen.detail.why.expect("told").contains("hunter2"));
}

#[tokio::test]
async fn roots_of_one_check_are_not_those_of_another() {
    let ca = root("root", VALID);
    let server = service(&leaf(&["localhost"], &ca, VALID), &[], &Options::default()).await;
    let bench = Bench::new();
    let own = get_with(&server.tls_url(), |spec| {
        spec.tls.roots_pem = Some(ca.pem.clone().into_bytes());
    });
    bench.expect(&own, Reason::None).await;
    bench.expect(&get(&server.tls_url()), Reason::TlsChainIncomplete).await;
}

#[tokio::test]
async fn no_session_is_taken_up_again() {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let server = serve_tls(acceptor(&end, &[], &Options::default()), |mut stream| async move {
        let kind = stream.get_ref().1.handshake_kind();
        request(&mut stream).await;
        let _gone = stream.write_all(&ok(&format!("{kind:?}"))).await;
        let _gone = stream.shutdown().await;
        drain(stream).await;
    })
    .await;
    let bench = Bench::trusting(&ca.pem);
    for _run in 0..3 {
        let check = get_with(&server.tls_url(), |spec| {
            spec.expect.body_contains.push("Full".to_owned());
        });
        bench.expect(&check, Reason::None).await;
    }
    assert_eq!(server.taken(), 3);
}
