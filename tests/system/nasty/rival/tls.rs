//! Certificates, and what is said over TLS.

use super::differ::{Differ, compare, same};
use super::kit::Rivals;
use crate::nasty::pki::{self, Options, VALID, acceptor, leaf, middle, root, serve_tls};
use crate::nasty::server::{Server, answer, drain, fixed, ok, request};
use crate::nasty::two;
use tokio::io::AsyncWriteExt;

/// What is told of a certificate that is not valid.
const INVALID: &str = "A certificate is told whether it is valid or not";

const MODULES: &str = "
modules:
  https: {prober: http, timeout: 3s, http: &plain {preferred_ip_protocol: ip4, tls_config: {ca_file: '{folder}/roots.pem'}}}
  any: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}}
  clear: {prober: http, timeout: 3s, http: {<<: *plain, fail_if_ssl: true}}
  secure: {prober: http, timeout: 3s, http: {<<: *plain, fail_if_not_ssl: true}}
  named: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: '{folder}/roots.pem', server_name: other.vn}}}
  tcp_tls: {prober: tcp, timeout: 3s, tcp: {preferred_ip_protocol: ip4, tls: true, tls_config: {ca_file: '{folder}/roots.pem'}}}
";

async fn serving(pair: &pki::Pair, more: &[&pki::Pair], options: &Options<'_>) -> Server {
    serve_tls(acceptor(pair, more, options), |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(&ok("secret")).await;
        let _gone = stream.shutdown().await;
        drain(stream).await;
    })
    .await
}

#[tokio::test]
async fn certificates_are_told_alike_or_better() {
    let root = root("Gốc", VALID);
    let sub = middle("Trung gian", &root, (2021, 2040));
    let roots = root.pem.clone();
    let Some(rivals) = Rivals::start(MODULES, &[("roots.pem", &roots)]).await else { return };
    let plain = Options::default();
    let good = serving(&leaf(&["localhost", "a.vn"], &sub, VALID), &[&sub], &plain).await;
    let old = Options { only_tls12: true, ..Options::default() };
    let twelve = serving(&leaf(&["localhost"], &root, VALID), &[], &old).await;
    let expired = serving(&leaf(&["localhost"], &root, (2020, 2021)), &[], &plain).await;
    let other = serving(&leaf(&["other.vn"], &root, VALID), &[], &plain).await;
    let alone = serving(&pki::alone(&["localhost"], false), &[], &plain).await;
    let two = Options { alpn: &[b"h2", b"http/1.1"], ..Options::default() };
    let two = serve_tls(acceptor(&leaf(&["localhost"], &root, VALID), &[], &two), two::speak).await;
    let clear = fixed(ok("in clear")).await;
    let to_clear = {
        let location = format!("location: {}\r\n", clear.url());
        let pair = leaf(&["localhost"], &root, VALID);
        serve_tls(acceptor(&pair, &[], &plain), move |mut stream| {
            let location = location.clone();
            async move {
                request(&mut stream).await;
                let _gone = stream.write_all(&answer("302 Found", &location, "")).await;
                let _gone = stream.shutdown().await;
                drain(stream).await;
            }
        })
        .await
    };
    let told: &[Differ] = &[
        Differ::Value("probe_http_ssl", 1.0, 0.0),
        Differ::Ours("probe_ssl_earliest_cert_expiry"),
        Differ::Ours("probe_ssl_last_chain_info"),
        Differ::Ours("probe_tls_version_info"),
    ];
    let chain = Differ::Ours("probe_ssl_last_chain_expiry_timestamp_seconds");
    let year_one = Differ::Theirs("probe_ssl_last_chain_expiry_timestamp_seconds");
    let cases = [
        same("https", good.tls_url(), true),
        same("any", good.tls_url(), true).but(INVALID, &[year_one]),
        same("clear", good.tls_url(), false),
        same("secure", good.tls_url(), true),
        same("https", twelve.tls_url(), true),
        same("https", expired.tls_url(), false).but(INVALID, told),
        same("https", other.tls_url(), false).but(INVALID, told).but(INVALID, &[chain]),
        same("named", other.tls_url(), true),
        same("https", alone.tls_url(), false).but(INVALID, told),
        same("any", alone.tls_url(), true).but(INVALID, &[year_one]),
        same("https", two.tls_url(), true),
        same("https", clear.tls_url(), false),
        same("https", format!("http://localhost:{}/", good.addr.port()), false),
        same("https", to_clear.tls_url(), true),
        same("tcp_tls", format!("localhost:{}", good.addr.port()), true),
        same("tcp_tls", format!("localhost:{}", expired.addr.port()), false)
            .but(INVALID, &told[1..4]),
        same("tcp_tls", format!("localhost:{}", clear.addr.port()), false),
    ];
    compare(&rivals, &cases).await;
}
