//! TCP dialogues, DNS, ICMP and gRPC.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::differ::{Differ, compare, same};
use super::kit::Rivals;
use crate::grpc;
use crate::nasty::dns::{Say, address, name_server, nothing};
use crate::nasty::pki::{Options, VALID, acceptor, leaf, root};
use crate::nasty::server::{Server, drain, serve};

/// A certificate that there is not.
const NONE: &str = "In clear there is no certificate";

const MODULES: &str = "
modules:
  tcp: {prober: tcp, timeout: 3s, tcp: {preferred_ip_protocol: ip4}}
  banner: {prober: tcp, timeout: 700ms, tcp: {preferred_ip_protocol: ip4, query_response: [{expect: '^SSH-2.0-(.*)'}, {send: 'QUIT $1'}, {expect: '^bye'}]}}
  smtp:
    prober: tcp
    timeout: 3s
    tcp:
      preferred_ip_protocol: ip4
      tls_config: {insecure_skip_verify: true}
      query_response:
      - expect: '^220 ([^ ]+) ESMTP'
        send: 'EHLO ${1}'
      - expect: '^250[- ]STARTTLS'
      - send: STARTTLS
      - expect: '^220 go'
      - starttls: true
      - send: EHLO again
      - expect: '^250 again'
  a: {prober: dns, timeout: 700ms, dns: &a {preferred_ip_protocol: ip4, query_name: a.vn, query_type: A}}
  a_tcp: {prober: dns, timeout: 3s, dns: {<<: *a, transport_protocol: tcp}}
  nx: {prober: dns, timeout: 3s, dns: {<<: *a, valid_rcodes: [NXDOMAIN]}}
  where: {prober: dns, timeout: 3s, dns: {<<: *a, validate_answer_rrs: {fail_if_not_matches_regexp: ['a\\.vn\\.\\t.*\\tIN\\tA\\t192\\.0\\.2\\.\\d+']}}}
  not_there: {prober: dns, timeout: 3s, dns: {<<: *a, validate_answer_rrs: {fail_if_matches_regexp: ['192\\.0\\.2\\.\\d+']}}}
  all: {prober: dns, timeout: 3s, dns: {<<: *a, validate_answer_rrs: {fail_if_all_match_regexp: ['192']}}}
  none: {prober: dns, timeout: 3s, dns: {<<: *a, validate_answer_rrs: {fail_if_none_matches_regexp: ['192\\.0\\.2\\.1', '198\\.51\\.100\\.1']}}}
  any: {prober: dns, timeout: 3s, dns: {preferred_ip_protocol: ip4, query_name: a.vn}}
  ping: {prober: icmp, timeout: 2s, icmp: {preferred_ip_protocol: ip4}}
  ping_small: {prober: icmp, timeout: 3s, icmp: {preferred_ip_protocol: ip4, payload_size: 1000, ttl: 5}}
  grpc_tls: {prober: grpc, timeout: 2s, grpc: {preferred_ip_protocol: ip4, tls: true, tls_config: {insecure_skip_verify: true}, service: a.vn}}
  grpc: {prober: grpc, timeout: 2s, grpc: {preferred_ip_protocol: ip4}}
";

/// Says a line, hears one, and so on; then closes.
async fn lines(said: &'static [&'static str]) -> Server {
    serve(move |stream| async move {
        let mut stream = BufReader::new(stream);
        for line in said {
            let _gone = stream.write_all(line.as_bytes()).await;
            let _gone = stream.read_line(&mut String::new()).await;
        }
    })
    .await
}

async fn smtp() -> Server {
    let pair = leaf(&["localhost"], &root("Gốc", VALID), VALID);
    let acceptor = acceptor(&pair, &[], &Options::default());
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let (mut stream, mut heard) = (BufReader::new(stream), String::new());
            let _gone = stream.write_all(b"220 mx.vn ESMTP\r\n").await;
            let _gone = stream.read_line(&mut heard).await;
            assert_eq!(heard, "EHLO mx.vn\n");
            let _gone = stream.write_all(b"250-PIPELINING\r\n250 STARTTLS\r\n").await;
            let _gone = stream.read_line(&mut heard).await;
            let _gone = stream.write_all(b"220 go\r\n").await;
            let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
            let mut stream = BufReader::new(stream);
            let _gone = stream.read_line(&mut heard).await;
            let _gone = stream.write_all(b"250 again\r\n").await;
            drain(stream).await;
        }
    })
    .await
}

#[tokio::test]
async fn dialogues_are_told_alike() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let good = lines(&["SSH-2.0-x\r\n", "bye\r\n"]).await;
    let other = lines(&["220 hello\r\n"]).await;
    let silent = serve(drain).await;
    let smtp = smtp().await;
    let cases = [
        same("tcp", good.addr.to_string(), true),
        same("tcp", format!("localhost:{}", good.addr.port()), true),
        same("tcp", "127.0.0.1:1", false),
        same("tcp", "127.0.0.1", false).but(
            "What a prober can say, it always says",
            &[
                Differ::Ours("probe_dns_lookup_time_seconds"),
                Differ::Ours("probe_ip_addr_hash"),
                Differ::Ours("probe_ip_protocol"),
            ],
        ),
        same("banner", good.addr.to_string(), true),
        same("banner", other.addr.to_string(), false),
        same("banner", silent.addr.to_string(), false),
        same("smtp", smtp.addr.to_string(), true).but(
            "A certificate is told whether it is valid or not",
            &[Differ::Theirs("probe_ssl_last_chain_expiry_timestamp_seconds")],
        ),
        same("smtp", good.addr.to_string(), false),
    ];
    compare(&rivals, &cases).await;
}

#[tokio::test]
async fn dns_and_icmp_are_told_alike() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let one = name_server(|_, _| address("a.vn", "192.0.2.7")).await;
    let empty = name_server(|_, _| nothing()).await;
    let gone = name_server(|_, _| Say::Code(ResponseCode::NXDomain)).await;
    let ill = name_server(|_, _| Say::Code(ResponseCode::ServFail)).await;
    let silent = name_server(|_, _: RecordType| Say::Silence).await;
    let cut = name_server(|_, _| Say::Truncated(Box::new(address("a.vn", "192.0.2.7")))).await;
    let at = |server: &crate::nasty::dns::NameServer| server.addr.to_string();
    let cases = [
        same("a", at(&one), true),
        same("a_tcp", at(&one), true),
        same("any", at(&one), true),
        same("a", at(&empty), true),
        same("a", at(&gone), false),
        same("nx", at(&gone), true),
        same("a", at(&ill), false),
        same("a", at(&silent), false),
        same("a", "127.0.0.1:1", false),
        same("a", at(&cut), true).but(
            "A truncated DNS answer is asked for again over TCP",
            &[Differ::Value("probe_dns_answer_rrs", 1.0, 0.0)],
        ),
        same("where", at(&one), true),
        same("where", at(&empty), false),
        same("not_there", at(&one), false),
        same("none", at(&one), false),
        same("all", at(&one), false).but(
            "fail_if_all_match_regexp fails if all match",
            &[Differ::Value("probe_success", 0.0, 1.0)],
        ),
        same("ping", "127.0.0.1", true),
        same("ping_small", "localhost", true),
    ];
    compare(&rivals, &cases).await;
}

#[tokio::test]
async fn grpc_is_told_alike() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let good = grpc::Server::health(None, |_, _| Ok(1)).await;
    let bad = grpc::Server::health(None, |_, _| Ok(2)).await;
    let unknown = grpc::Server::health(None, |_, _| Err((5, "unknown service"))).await;
    let zero = Differ::Theirs("probe_ssl_earliest_cert_expiry");
    let pair = leaf(&["localhost"], &root("Gốc", VALID), VALID);
    let options = Options { alpn: &[b"h2"], ..Options::default() };
    let serves = |_: &http::HeaderMap, service: String| match service.as_str() {
        "a.vn" => Ok(1),
        _ => Err((5, "unknown service")),
    };
    let secret = grpc::Server::health(Some(acceptor(&pair, &[], &options)), serves).await;
    let cases = [
        same("grpc_tls", secret.address.to_string(), true),
        same("grpc", good.address.to_string(), true).but(NONE, &[zero]),
        same("grpc", bad.address.to_string(), false).but(NONE, &[zero]),
        same("grpc", unknown.address.to_string(), false).but(NONE, &[zero]),
        same("grpc", "127.0.0.1:1", false).but(NONE, &[zero]),
    ];
    compare(&rivals, &cases).await;
}
