//! A real Alertmanager that talks TLS and wants our certificate.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use thongsuot::alert::channel::alertmanager::Client;
use thongsuot::alert::condition::Kind;
use thongsuot::model::alerting::channel::Alertmanager;
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::secret::Secret;

use super::desk::{Desk, settings};
use super::hook::Hook;
use super::instance::{Instance, config};
use super::real::can;

/// A root, and a certificate with its key for the server and for us.
struct Papers {
    root: String,
    server: (String, String),
    ours: (String, String),
}

fn papers() -> Papers {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "root of the tests");
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let leaf = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    Papers { root, server: leaf("127.0.0.1"), ours: leaf("giamsat") }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_both_sides_prove_who_they_are() {
    if !can("mutual TLS with a real Alertmanager") {
        return;
    }
    let (hook, papers) = (Hook::start().await, papers());
    let mut am = Instance::new(&config(hook.address), &["--web.config.file=web.yml".to_owned()]);
    let web = "tls_server_config: {cert_file: server.pem, key_file: server.key, \
               client_auth_type: RequireAndVerifyClientCert, client_ca_file: root.pem}\n";
    for (name, text) in [
        ("web.yml", web),
        ("server.pem", &papers.server.0),
        ("server.key", &papers.server.1),
        ("root.pem", &papers.root),
    ] {
        std::fs::write(am.folder().join(name), text).unwrap();
    }
    am.launch().await;
    let url = format!("https://{}/", am.address).parse().unwrap();
    let roots = vec![papers.root.clone().into_bytes()];
    let strangers = Alertmanager { url, extra_roots_pem: roots, ..settings(am.address) };
    let identity = Secret::new(format!("{}{}", papers.ours.0, papers.ours.1));
    let known = Alertmanager { identity_pem: Some(identity), ..strangers.clone() };
    let distrustful = Alertmanager { extra_roots_pem: Vec::new(), ..known.clone() };
    let mut desk = Desk::new(&[known, strangers, distrustful]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    desk.accepted(0).await;
    hook.told("on-call", 1, true, 1).await;
    desk.status_is(1, "without our certificate", |it| it.failing_since.is_some()).await;
    let status = desk.status_is(2, "without its root", |it| it.failing_since.is_some()).await;
    assert!(status.why.is_some_and(|it| it.contains("UnknownIssuer")));
    desk.stop().await;
}

#[test]
fn what_can_t_be_used_is_said_without_a_secret() {
    let address = "127.0.0.1:9093".parse().unwrap();
    let junk = |pem: &str| {
        let identity = Some(Secret::new(pem.to_owned()));
        let client = Client::new(&Alertmanager { identity_pem: identity, ..settings(address) });
        client.unwrap_err().to_string()
    };
    let pem = papers().ours;
    let no_key = "alertmanager 127.0.0.1:9093: our own certificate can't be used: there is no key";
    assert!(junk(&pem.0).starts_with(no_key));
    assert!(junk("bí mật").starts_with(no_key));
    assert!(!junk(&pem.1).contains("PRIVATE"));
    let url = "http://ai:bimat@am-1:9093/prefix/".parse().unwrap();
    let client = Client::new(&Alertmanager { url, ..settings(address) }).unwrap();
    assert_eq!(client.name(), "am-1:9093/prefix");
}
