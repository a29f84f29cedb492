//! `kind = icmp` against this machine's own kernel.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use thongsuot::model::check::Lane;
use thongsuot::model::how::How;
use thongsuot::model::kept::Kept;
use thongsuot::model::observation::Observation;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::{IcmpSpec, Spec};
use thongsuot::model::time::Micros;
use thongsuot::probe;
use url::Host;

use crate::probe_kit::{LONG, check, ends, net, now, observe};

fn echo(host: Host<String>, payload_bytes: u16) -> Spec {
    Spec::Icmp(IcmpSpec { host, payload_bytes, ttl: None, dont_fragment: false })
}

/// What an echo to `host` sees; `None`, and said so, if the machine forbids ICMP or lacks the
/// address family.
async fn ping(host: Host<String>, payload_bytes: u16) -> Option<Observation> {
    let check = check(echo(host.clone(), payload_bytes), LONG);
    let seen = observe(&check, &net(None)).await;
    let why = seen.detail.why.clone().unwrap_or_default();
    let no_family = matches!(host, Host::Ipv6(_))
        && std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err();
    if no_family || why.contains("does not let us send ICMP") {
        crate::skip::skip(&format!("ICMP to {host}"), &why);
        return None;
    }
    Some(seen)
}

#[tokio::test]
async fn this_machine_answers_an_echo_of_any_size() {
    for host in [Host::Ipv4(Ipv4Addr::LOCALHOST), Host::Ipv6(Ipv6Addr::LOCALHOST)] {
        for payload_bytes in [8, 56, 1_473, 65_000] {
            let Some(seen) = ping(host.clone(), payload_bytes).await else { continue };
            ends(&seen, Reason::None);
            assert!(seen.phases.get(Phase::Wait) > Micros(0), "{seen:?}");
            assert_eq!(seen.phases.get(Phase::Tls), Micros(0));
            assert_eq!(seen.detail.remote.map(|it| it.port()), Some(0));
        }
    }
}

#[tokio::test]
async fn echoes_at_the_same_time_keep_apart() {
    let net = net(None);
    let host = Host::Ipv4(Ipv4Addr::LOCALHOST);
    let check = check(echo(host, 56), LONG);
    let (a, b, c) =
        tokio::join!(observe(&check, &net), observe(&check, &net), observe(&check, &net));
    for seen in [a, b, c] {
        if seen.reason != Reason::Internal {
            ends(&seen, Reason::None);
        }
    }
}

#[tokio::test]
async fn a_reply_later_than_the_threshold_is_slow() {
    let host = Host::Ipv4(Ipv4Addr::LOCALHOST);
    let spec = echo(host, 65_000);
    let mut check = check(spec, Duration::from_secs(5));
    check.slow = Some(Micros(1));
    let seen = observe(&check, &net(None)).await;
    if seen.reason != Reason::Internal {
        ends(&seen, Reason::OverSlow);
    }
}

#[tokio::test]
async fn a_host_without_an_address_is_not_sent_anything() {
    let host = Host::Domain("khong-co.invalid".to_owned());
    let check = check(echo(host, 8), LONG);
    // The only name server is a closed port.
    ends(&observe(&check, &net(None)).await, Reason::SelfDns);
}

#[tokio::test]
async fn an_echo_may_be_bounded_in_hops_and_kept_in_one_piece() {
    for host in [Host::Ipv4(Ipv4Addr::LOCALHOST), Host::Ipv6(Ipv6Addr::LOCALHOST)] {
        if ping(host.clone(), 8).await.is_none() {
            continue;
        }
        let spec = IcmpSpec { host, payload_bytes: 60_000, ttl: Some(1), dont_fragment: true };
        ends(&observe(&check(Spec::Icmp(spec), LONG), &net(None)).await, Reason::None);
    }
}

#[tokio::test]
async fn the_hop_limit_of_a_reply_is_kept_where_the_kernel_shows_it() {
    let host = Host::Ipv4(Ipv4Addr::LOCALHOST);
    let check = check(echo(host, 56), LONG);
    let how = How { keep: true, ..How::from(Lane::Any) };
    let seen = probe::run(&check, how, &net(None), now()).await;
    if seen.reason == Reason::Internal {
        return;
    }
    ends(&seen, Reason::None);
    let Some(Kept::Icmp { hop_limit }) = seen.detail.kept.as_deref() else {
        panic!("not kept: {seen:?}");
    };
    // Raw sockets are for those with CAP_NET_RAW.
    assert!(hop_limit.is_none_or(|it| it > 0), "{hop_limit:?}");
    if hop_limit.is_none() {
        crate::skip::skip("the hop limit of a reply", "no raw socket may be opened");
    }
}
