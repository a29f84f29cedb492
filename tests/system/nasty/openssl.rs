//! Chains of every make, judged by us and by OpenSSL over the same connection: the two agree.

use std::process::{Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use thongsuot::model::reason::Reason;
use tokio::io::AsyncWriteExt;

use super::bench::{Bench, tls_at};
use super::pki::{Options, Pair, VALID, acceptor, leaf, made_as, middle, root, serve_tls};
use super::server::{Server, drain, ok, request};

/// Shows `leaf` and `sent` to a probe and to OpenSSL, which both trust `trusted`.
async fn check(what: &str, leaf: &Pair, sent: &[&Pair], trusted: &Pair, reason: Reason) {
    let server = showing(leaf, sent).await;
    let check = tls_at(server.addr.port(), |_| {});
    let seen = Bench::trusting(&trusted.pem).probe(&check).await;
    assert_eq!(seen.reason, reason, "{what}: {seen:#?}");
    let (port, pem) = (server.addr.port(), trusted.pem.clone());
    let theirs = tokio::task::spawn_blocking(move || openssl(port, &pem)).await.expect("no panic");
    let (accepts, said) = theirs;
    assert_eq!(accepts, reason == Reason::None, "{what}: we say {reason:?}, OpenSSL:\n{said}");
}

async fn showing(leaf: &Pair, sent: &[&Pair]) -> Server {
    serve_tls(acceptor(leaf, sent, &Options::default()), |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(&ok("here")).await;
        let _gone = stream.shutdown().await;
        drain(stream).await;
    })
    .await
}

/// Whether `openssl s_client` takes what the server at `port` shows, and what it says.
fn openssl(port: u16, root_pem: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("root.pem");
    std::fs::write(&file, root_pem).expect("can write");
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", "localhost"])
        .args(["-verify_hostname", "localhost", "-verify_return_error", "-brief"])
        .args(["-no-CApath", "-no-CAstore", "-CAfile"])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("openssl runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn is_missing() -> bool {
    let missing = Command::new("openssl").arg("version").output().is_err();
    if missing {
        crate::skip::skip("judgements beside those of OpenSSL", "no openssl");
    }
    missing
}

type Change = fn(&mut CertificateParams);

/// A CA's certificate for `localhost`, to serve as a leaf.
fn ca_leaf(by: &Pair, change: Change) -> Pair {
    made_as("dvc", &["localhost"], Some(by), true, change)
}

fn authority(name: &str, by: Option<&Pair>, change: Change) -> Pair {
    made_as(name, &[], by, true, change)
}

const fn nothing(_: &mut CertificateParams) {}

fn no_ca_below(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
}

fn expired(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2021, 1, 1);
}

fn only_signs(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
}

fn signs_and_serves(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
}

fn never_signs(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
}

fn for_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}

fn for_servers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
}

fn only_for_others(params: &mut CertificateParams) {
    let permitted_subtrees = vec![GeneralSubtree::DnsName("dvc.vn".to_owned())];
    let excluded_subtrees = Vec::new();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
}

fn no_ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::ExplicitNoCa;
}

fn tells_its_issuers_key(params: &mut CertificateParams) {
    params.use_authority_key_identifier_extension = true;
}

#[tokio::test]
async fn a_ca_as_a_leaf_is_taken_where_openssl_takes_it() {
    if is_missing() {
        return;
    }
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, VALID);
    let last = authority("middle", Some(&ca), no_ca_below);
    let short = authority("root", None, no_ca_below);
    let none = Reason::None;
    check("below a root", &ca_leaf(&ca, nothing), &[], &ca, none).await;
    check("below a middle", &ca_leaf(&sub, nothing), &[&sub], &ca, none).await;
    check("the leaf is not counted", &ca_leaf(&last, nothing), &[&last], &ca, none).await;
    check("nor below a root", &ca_leaf(&short, nothing), &[], &short, none).await;
    check("with a limit of its own", &ca_leaf(&ca, no_ca_below), &[], &ca, none).await;
    check("for servers", &ca_leaf(&sub, for_servers), &[&sub], &ca, none).await;
    check("signs and serves", &ca_leaf(&sub, signs_and_serves), &[&sub], &ca, none).await;
    let own = made_as("own", &["localhost"], None, true, signs_and_serves);
    check("its own root", &own, &[], &own, none).await;
}

#[tokio::test]
async fn a_ca_as_a_leaf_is_refused_where_openssl_refuses_it() {
    if is_missing() {
        return;
    }
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, VALID);
    let leaf = ca_leaf(&sub, nothing);
    let unknown = Reason::TlsUnknownIssuer;
    check(
        "by another of the same name",
        &ca_leaf(&middle("middle", &ca, VALID), nothing),
        &[&sub],
        &ca,
        unknown,
    )
    .await;
    check("a spoilt signature", &ca_leaf(&sub, nothing).spoilt(), &[&sub], &ca, unknown).await;
    check(
        "the middle of others",
        &leaf,
        &[&middle("m", &ca, VALID)],
        &ca,
        Reason::TlsChainIncomplete,
    )
    .await;
    check("a stranger's", &leaf, &[&sub], &root("root", VALID), unknown).await;
    check("no middle", &leaf, &[], &ca, Reason::TlsChainIncomplete).await;
    let expired_leaf = ca_leaf(&sub, expired);
    check("expired", &expired_leaf, &[&sub], &ca, Reason::TlsExpired).await;
    let old = authority("middle", Some(&ca), expired);
    check("an expired middle", &ca_leaf(&old, nothing), &[&old], &ca, Reason::TlsExpired).await;
    let old = authority("root", None, expired);
    check("an expired root", &ca_leaf(&old, nothing), &[], &old, Reason::TlsExpired).await;
    let other = made_as("dvc", &["dvc.vn"], Some(&ca), true, nothing);
    check("another name", &other, &[], &ca, Reason::TlsNameMismatch).await;
    let invalid = Reason::TlsInvalid;
    check("for clients", &ca_leaf(&ca, for_clients), &[], &ca, invalid).await;
    check("only signs", &ca_leaf(&ca, only_signs), &[], &ca, invalid).await;
    let upper = authority("upper", Some(&ca), no_ca_below);
    let lower = middle("lower", &upper, VALID);
    let deep = ca_leaf(&lower, nothing);
    check("too deep below a middle", &deep, &[&lower, &upper], &ca, invalid).await;
    let narrow = authority("middle", Some(&ca), only_for_others);
    check("a name not permitted", &ca_leaf(&narrow, nothing), &[&narrow], &ca, invalid).await;
    let own = root("own", VALID).again(|params| {
        params.subject_alt_names =
            vec![rcgen::SanType::DnsName("localhost".try_into().expect("a name"))];
    });
    let edition = own.again(|params| params.not_after = date_time_ymd(2080, 1, 1));
    check("another edition of a root", &edition, &[], &own, unknown).await;
    let own = made_as("own", &["localhost"], None, true, only_signs);
    check("its own root, which only signs", &own, &[], &own, invalid).await;
    let own = made_as("own", &["localhost"], None, true, for_clients);
    check("its own root, for clients", &own, &[], &own, invalid).await;
}

#[tokio::test]
async fn any_other_leaf_is_judged_as_openssl_judges_it() {
    if is_missing() {
        return;
    }
    let ca = root("root", VALID);
    let end = |by: &Pair, change: Change| made_as("leaf", &["localhost"], Some(by), false, change);
    let invalid = Reason::TlsInvalid;
    check("plain", &end(&ca, nothing), &[], &ca, Reason::None).await;
    check("explicitly no CA", &end(&ca, no_ca), &[], &ca, Reason::None).await;
    check("only signs", &end(&ca, only_signs), &[], &ca, invalid).await;
    check("for clients", &end(&ca, for_clients), &[], &ca, invalid).await;
    for (what, change) in [
        ("a middle that may not sign", never_signs as Change),
        ("a middle for clients", for_clients),
        ("a middle that is no CA", no_ca),
        ("a middle for other names", only_for_others),
    ] {
        let sub = authority("middle", Some(&ca), change);
        check(what, &end(&sub, nothing), &[&sub], &ca, invalid).await;
    }
    for (what, change, reason) in [
        ("a root that may not sign", never_signs as Change, invalid),
        ("a root for clients", for_clients, invalid),
        ("a root that is no CA", no_ca, invalid),
        ("a root with a short path", no_ca_below, invalid),
        ("a root that signs", only_signs, Reason::None),
        ("a root for servers", for_servers, Reason::None),
    ] {
        let ca = authority("root", None, change);
        let sub = middle("middle", &ca, VALID);
        check(what, &end(&sub, nothing), &[&sub], &ca, reason).await;
    }
    let sub = authority("middle", Some(&ca), no_ca_below);
    check("within its path", &leaf(&["localhost"], &sub, VALID), &[&sub], &ca, Reason::None).await;
    for is_ca in [false, true] {
        let same = made_as("root", &["localhost"], Some(&ca), is_ca, nothing);
        check("a leaf called as its issuer", &same, &[], &ca, Reason::TlsUnknownIssuer).await;
    }
    let same = made_as("root", &["localhost"], Some(&ca), true, tells_its_issuers_key);
    check("the same, with its issuer's key told", &same, &[], &ca, Reason::None).await;
}
