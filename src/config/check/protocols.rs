//! What the other kinds of check do and expect.

use super::read;
use crate::config::element;
use crate::config::outside::Desk;
use crate::config::raw::Node;
use crate::model::expect::{DnsExpect, DnsSection};
use crate::model::spec::{
    DnsSpec, DnsTransport, GrpcSpec, HeartbeatSpec, IcmpSpec, Line, Peer, StartTls, TcpSpec,
    TlsSpec,
};

/// Bytes of an echo's payload if nothing is written: what `ping` sends.
const PAYLOAD: u16 = 56;

/// Port of DNS over TLS (RFC 7858).
const DNS_TLS_PORT: u16 = 853;

/// The class of DNS that there is (RFC 1035, section 3.2.4).
const CLASS_IN: u16 = 1;

/// The `tcp` check at `node`.
pub(super) fn tcp(desk: &mut Desk<'_>, node: &Node) -> Option<TcpSpec> {
    let from_start = read::wants_tls(node, "tls");
    let tls = from_start.then(|| read::tls(desk, node, "tls"));
    let steps = node.list("dialogue");
    let dialogue = steps.iter().filter_map(|step| line(desk, step, from_start)).collect();
    let later = steps.iter().any(|step| read::wants_tls(step, "starttls"));
    cert_needs_tls(desk, node, from_start || later);
    let peer = element::address::peer(node.text("address")?, None).ok()?;
    Some(TcpSpec { peer, tls, dialogue, cert: read::cert(node.get("expect")) })
}

fn line(desk: &mut Desk<'_>, step: &Node, in_tls: bool) -> Option<Line> {
    if let Some(text) = step.text("send") {
        return Some(Line::Send(text.as_bytes().to_vec()));
    }
    if step.get("expect").is_some() {
        return read::pattern(desk, step, "expect").map(Line::Expect);
    }
    let starttls = step.get("starttls")?;
    if in_tls {
        desk.wrong(starttls.at, read::needs("starttls", "a connection in clear: take `tls` out"));
    } else if step.bool("starttls") == Some(false) {
        desk.wrong(starttls.at, read::needs("starttls", "`true` or settings"));
    }
    Some(Line::StartTls(read::tls(desk, step, "starttls")))
}

/// Reports expectations of a certificate where no TLS is spoken.
fn cert_needs_tls(desk: &mut Desk<'_>, node: &Node, spoken: bool) {
    if let Some(expect) = node.get("expect").filter(|it| !spoken && !it.entries().is_empty()) {
        desk.wrong(expect.at, read::needs("expect", "TLS: add `tls = true`"));
    }
}

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
    cert_needs_tls(desk, node, spoken);
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
