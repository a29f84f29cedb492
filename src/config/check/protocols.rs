//! What the other kinds of check do and expect.

use super::read;
use crate::config::element;
use crate::config::outside::Desk;
use crate::config::raw::Node;
use crate::model::expect::{DnsExpect, DnsSection};
use crate::model::spec::{
    DnsSpec, DnsTransport, GrpcSpec, HeartbeatSpec, IcmpSpec, Peer, StartTls, TlsSpec,
};

/// Bytes of an echo's payload if nothing is written: what `ping` sends.
const PAYLOAD: u16 = 56;

/// Port of DNS over TLS (RFC 7858).
const DNS_TLS_PORT: u16 = 853;

/// The class of DNS that there is (RFC 1035, section 3.2.4).
const CLASS_IN: u16 = 1;

/// The `tls` check at `node`.
pub(super) fn tls(desk: &mut Desk<'_>, node: &Node) -> Option<TlsSpec> {
    let tls = read::tls(desk, node, "tls");
    Some(TlsSpec {
        peer: element::address::peer(node.text("address")?, Some(443)).ok()?,
        tls,
        starttls: match node.text("starttls") {
            Some("smtp") => Some(StartTls::Smtp),
            Some("imap") => Some(StartTls::Imap),
            Some("pop3") => Some(StartTls::Pop3),
            Some("ftp") => Some(StartTls::Ftp),
            Some("postgres") => Some(StartTls::Postgres),
            _ => None,
        },
        cert: read::cert(node.get("expect")),
    })
}

/// The `dns` check at `node`.
pub(super) fn dns(desk: &mut Desk<'_>, node: &Node) -> Option<DnsSpec> {
    let over_tls = node.text("transport") == Some("tls");
    if let Some(tls) = node.get("tls").filter(|_| !over_tls) {
        desk.wrong(tls.at, read::needs("tls", "`transport = \"tls\"`"));
    }
    let transport = match node.text("transport").unwrap_or("udp") {
        "tls" => DnsTransport::Tls(read::tls(desk, node, "tls")),
        "tcp" => DnsTransport::Tcp,
        _ => DnsTransport::Udp,
    };
    let default = if over_tls { DNS_TLS_PORT } else { 53 };
    let peer = |text: &str| element::address::peer(text, Some(default)).ok();
    let server: Option<Peer> = match node.text("server") {
        Some(text) => Some(peer(text)?),
        None => None,
    };
    let expect = node.get("expect");
    let record = node.text("record").unwrap_or("A");
    let expect = dns_expect(desk, expect);
    Some(DnsSpec {
        server,
        transport,
        name: element::dns::name(node.text("query")?).ok()?,
        record_type: element::dns::record_type(record).ok()?,
        class: CLASS_IN,
        recursion: node.bool("recursion").unwrap_or(true),
        expect,
    })
}

fn dns_expect(desk: &mut Desk<'_>, expect: Option<&Node>) -> DnsExpect {
    let rcodes: Vec<u16> = expect
        .map_or(&[][..], |it| it.list("rcodes"))
        .iter()
        .filter_map(|node| element::dns::rcode(node.as_text()?).ok())
        .collect();
    DnsExpect {
        rcodes: if rcodes.is_empty() { vec![0] } else { rcodes },
        answer: section(desk, expect, "answer"),
        authority: section(desk, expect, "authority"),
        additional: section(desk, expect, "additional"),
        authenticated: expect.and_then(|it| it.bool("authenticated")).unwrap_or(false),
    }
}

fn section(desk: &mut Desk<'_>, expect: Option<&Node>, key: &str) -> DnsSection {
    let Some(node) = expect.and_then(|it| it.get(key)) else { return DnsSection::default() };
    DnsSection {
        contains: read::texts(node, "contains"),
        matches: read::patterns(desk, node, "matches"),
        all_match: read::patterns(desk, node, "all_match"),
        none_matches: read::patterns(desk, node, "none_matches"),
        count_min: node.integer("count_min").and_then(|it| u32::try_from(it).ok()),
    }
}

/// The `icmp` check at `node`.
pub(super) fn icmp(node: &Node) -> Option<IcmpSpec> {
    Some(IcmpSpec {
        host: element::address::host(node.text("host")?).ok()?,
        payload_bytes: node
            .integer("payload")
            .map_or(Some(PAYLOAD), |it| u16::try_from(it).ok())?,
        ttl: node.integer("ttl").and_then(|it| u8::try_from(it).ok()),
        dont_fragment: node.bool("dont_fragment").unwrap_or(false),
    })
}

/// The `grpc` check at `node`.
pub(super) fn grpc(desk: &mut Desk<'_>, node: &Node) -> Option<GrpcSpec> {
    let spoken = read::wants_tls(node, "tls");
    read::cert_needs_tls(desk, node, spoken, "TLS: add `tls = true`");
    let tls = spoken.then(|| read::tls(desk, node, "tls"));
    let metadata = read::headers(desk, node, "metadata", element::header::metadata_name);
    Some(GrpcSpec {
        peer: element::address::peer(node.text("address")?, None).ok()?,
        tls,
        service: node.text("service").unwrap_or_default().to_owned(),
        metadata,
        cert: read::cert(node.get("expect")),
    })
}

/// The `heartbeat` check at `node`.
pub(super) fn heartbeat(desk: &mut Desk<'_>, node: &Node) -> Option<HeartbeatSpec> {
    let token = node.get("token").and_then(|token| desk.header_secret(token));
    let age_max = read::length(node, "max_age", None)?;
    Some(HeartbeatSpec { token: token?, age_max })
}
