//! Names that can't be found, in every way.

use std::net::SocketAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use thongsuot::model::check::{Check, Lane};
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use tokio::net::UdpSocket;

use super::bench::{Bench, SHORT, get, spent_in};
use super::dns::{Data, NameServer, Say, address, name_server, nothing};
use super::server::{fixed, ok, serve_on};

fn asking(servers: &[SocketAddr]) -> Bench {
    let servers = servers.to_vec();
    Bench::with(|settings| settings.resolvers = servers)
}

async fn saying(say: Say) -> NameServer {
    name_server(move |_, _| say.clone()).await
}

async fn check(says: &[Say], reason: Reason) {
    let mut servers = Vec::new();
    for say in says {
        servers.push(saying(say.clone()).await);
    }
    let addresses: Vec<_> = servers.iter().map(|it| it.addr).collect();
    let seen = asking(&addresses).expect(&get("http://dvc.test/"), reason).await;
    spent_in(&seen, Phase::Dns);
}

const NXDOMAIN: Say = Say::Code(ResponseCode::NXDomain);
const SERVFAIL: Say = Say::Code(ResponseCode::ServFail);

#[tokio::test]
async fn a_name_is_found_and_asked_for_anew_each_run() {
    let server = fixed(ok("x")).await;
    let names = saying(address("dvc.test.", "127.0.0.1")).await;
    let bench = asking(&[names.addr]);
    let url = format!("http://dvc.test:{}/", server.addr.port());
    for run in 1..=3 {
        let seen = bench.expect(&get(&url), Reason::None).await;
        assert_eq!(names.asked(), run);
        assert_eq!(seen.detail.addresses, [server.addr.ip()]);
        assert!(seen.phases.get(Phase::Dns).0 > 0);
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    check(&[NXDOMAIN], Reason::DnsNxdomain).await;
    check(&[nothing()], Reason::DnsNxdomain).await;
    check(&[NXDOMAIN, NXDOMAIN], Reason::DnsNxdomain).await;
}

#[tokio::test]
async fn servers_that_fail_or_talk_nonsense() {
    check(&[SERVFAIL], Reason::DnsServfail).await;
    check(&[SERVFAIL, SERVFAIL, SERVFAIL], Reason::DnsServfail).await;
    check(&[Say::Code(ResponseCode::Refused)], Reason::DnsServfail).await;
    check(&[Say::Garbage], Reason::DnsServfail).await;
}

#[tokio::test]
async fn aliases_in_a_circle_end() {
    let alias = |from: &str, to: &str| (from.to_owned(), Data::Alias(to.to_owned()));
    let circle = vec![alias("dvc.test.", "a.test."), alias("a.test.", "dvc.test.")];
    check(&[Say::Records(circle)], Reason::DnsServfail).await;
    let own = vec![alias("dvc.test.", "dvc.test.")];
    check(&[Say::Records(own)], Reason::DnsServfail).await;
    // One more alias with each answer, without end.
    let names = name_server(|name, _| {
        let next = format!("x{}", name.len());
        Say::Records(vec![(name.to_owned(), Data::Alias(format!("{next}.{name}")))])
    })
    .await;
    asking(&[names.addr]).expect(&get("http://dvc.test/"), Reason::DnsServfail).await;
}

#[tokio::test]
async fn an_alias_is_followed_within_and_over_answers() {
    let server = fixed(ok("x")).await;
    let names = name_server(|name, _| match name {
        "dvc.test." => Say::Records(vec![
            ("dvc.test.".to_owned(), Data::Alias("a.test.".to_owned())),
            ("a.test.".to_owned(), Data::Alias("b.test.".to_owned())),
        ]),
        "b.test." => address("B.test.", "127.0.0.1"),
        _ => NXDOMAIN,
    })
    .await;
    let url = format!("http://dvc.test:{}/", server.addr.port());
    asking(&[names.addr]).expect(&get(&url), Reason::None).await;
}

#[tokio::test]
async fn one_resolver_alone_can_not_blame_the_target() {
    let server = fixed(ok("x")).await;
    let good = saying(address("dvc.test.", "127.0.0.1")).await;
    let url = format!("http://dvc.test:{}/", server.addr.port());
    for bad in [NXDOMAIN, SERVFAIL, Say::Garbage] {
        let bad = saying(bad).await;
        asking(&[bad.addr, good.addr]).expect(&get(&url), Reason::None).await;
    }
}

#[tokio::test]
async fn a_silent_resolver_costs_only_the_first_run() {
    let server = fixed(ok("x")).await;
    let (silent, good) =
        (saying(Say::Silence).await, saying(address("dvc.test.", "127.0.0.1")).await);
    let bench = asking(&[silent.addr, good.addr]);
    let url = format!("http://dvc.test:{}/", server.addr.port());
    let first = bench.expect(&get(&url), Reason::None).await;
    assert!(first.phases.get(Phase::Dns).0 >= 1_000_000);
    let second = bench.expect(&get(&url), Reason::None).await;
    assert!(second.phases.get(Phase::Dns).0 < 1_000_000);
}

#[tokio::test]
async fn silence_is_a_timeout_of_ours_or_of_the_run() {
    let silent = saying(Say::Silence).await;
    let bench = asking(&[silent.addr]);
    let soon = Check { timeout: SHORT, ..get("http://dvc.test/") };
    let seen = bench.expect(&soon, Reason::TimeoutDns).await;
    spent_in(&seen, Phase::Dns);
    let seen = bench.expect(&get("http://dvc.test/"), Reason::DnsTimeout).await;
    spent_in(&seen, Phase::Dns);
}

#[tokio::test]
async fn resolvers_that_can_not_be_reached_are_our_fault() {
    let gone = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
    let addr = gone.local_addr().expect("bound");
    drop(gone);
    asking(&[addr]).expect(&get("http://dvc.test/"), Reason::SelfDns).await;
    // Nor does the word of the other one count then.
    let bad = saying(NXDOMAIN).await;
    asking(&[addr, bad.addr]).expect(&get("http://dvc.test/"), Reason::SelfDns).await;
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_over_tcp() {
    let server = fixed(ok("x")).await;
    let names = saying(Say::Truncated(Box::new(address("dvc.test.", "127.0.0.1")))).await;
    let url = format!("http://dvc.test:{}/", server.addr.port());
    asking(&[names.addr]).expect(&get(&url), Reason::None).await;
}

#[tokio::test]
async fn each_lane_has_its_own_family() {
    let four = fixed(ok("four")).await;
    let six = serve_on(&format!("[::1]:{}", four.addr.port()), |mut stream| async move {
        super::server::request(&mut stream).await;
        let _gone = tokio::io::AsyncWriteExt::write_all(&mut stream, &ok("six")).await;
        super::server::drain(stream).await;
    })
    .await;
    let both = name_server(|name, kind| match kind {
        RecordType::AAAA => address(name, "::1"),
        _ => address(name, "127.0.0.1"),
    })
    .await;
    let bench = asking(&[both.addr]);
    let check = get(&format!("http://dvc.test:{}/", four.addr.port()));
    for (lane, bytes, remote) in
        [(Lane::Any, 4, four.addr), (Lane::V4, 4, four.addr), (Lane::V6, 3, six.addr)]
    {
        let seen = bench.probe_in(&check, lane).await;
        assert_eq!((seen.reason, seen.bytes), (Reason::None, bytes), "{seen:#?}");
        assert_eq!(seen.detail.remote, Some(remote));
    }
    let only_four = name_server(|name, kind| match kind {
        RecordType::AAAA => nothing(),
        _ => address(name, "127.0.0.1"),
    })
    .await;
    let seen = asking(&[only_four.addr]).probe_in(&check, Lane::V6).await;
    assert_eq!(seen.reason, Reason::DnsNxdomain);
    let only_six = name_server(|name, kind| match kind {
        RecordType::AAAA => address(name, "::1"),
        _ => nothing(),
    })
    .await;
    let seen = asking(&[only_six.addr]).probe_in(&check, Lane::Any).await;
    assert_eq!((seen.reason, seen.bytes), (Reason::None, 3), "{seen:#?}");
}

#[tokio::test]
async fn an_address_of_the_other_family_is_no_address() {
    let server = fixed(ok("x")).await;
    let seen = Bench::new().probe_in(&get(&server.url()), Lane::V6).await;
    assert_eq!(seen.reason, Reason::DnsNxdomain);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let server = fixed(ok("x")).await;
    let names = saying(Say::Records(
        ["127.0.0.2", "127.0.0.1"]
            .map(|ip| ("dvc.test.".to_owned(), Data::Address(ip.parse().expect("an address"))))
            .to_vec(),
    ))
    .await;
    let url = format!("http://dvc.test:{}/", server.addr.port());
    let seen = asking(&[names.addr]).expect(&get(&url), Reason::None).await;
    assert_eq!(seen.detail.remote, Some(server.addr));
    assert_eq!(seen.detail.addresses.len(), 2);
}
