//! The settings of the monitor itself.

use std::{net::SocketAddr, time::Duration};

use super::read::{length, needles, needs, status_ranges};
use crate::config::element::{self, duration};
use crate::config::mistake::What;
use crate::config::monitor::{BUCKETS_MS, BlockSignature, HistoryKeys, Monitor};
use crate::config::note::NoteWhat;
use crate::config::outside::{Desk, directory};
use crate::config::raw::{Node, Value};
use crate::model::id::VantageId;
use crate::model::time::Micros;

const LISTEN: &str = "127.0.0.1:9247";
const DATA: &str = "var";
const ZONE: &str = "Asia/Ho_Chi_Minh";
const PER_HOST_PER_MINUTE: u32 = 60;
const GRACE: Duration = Duration::from_secs(10);
const DAY_SECONDS: u64 = 86_400;

/// The monitor of the main file; `None` if something is wrong with it.
pub(in crate::config) fn monitor(desk: &mut Desk<'_>, root: &Node) -> Option<Monitor> {
    let empty = Node { at: root.at, value: Value::Table(Vec::new()) };
    let node = root.get("monitor").unwrap_or(&empty);
    let token = node.get("token").map(|token| desk.header_secret(token));
    let listen = listen(desk, node, token.is_some());
    let contact = node.text("contact").map(str::to_owned);
    let user_agent = user_agent(desk, node, contact.as_deref());
    let roots =
        node.list("extra_roots").iter().filter_map(|path| desk.certificates(path)).collect();
    if let Some(at) = node.get("roots").filter(|it| it.as_text() == Some("extra-only"))
        && node.get("extra_roots").is_none()
    {
        desk.wrong(at.at, needs("roots = \"extra-only\"", "`extra_roots`"));
    }
    let latency_buckets = buckets(desk, node);
    let history = history(desk, node.get("history"));
    let signatures = node.list("block_signatures");
    let signatures = signatures.iter().filter_map(|it| signature(desk, it)).collect();
    let text = |key: &str, default: &'static str| node.text(key).unwrap_or(default).to_owned();
    let host = |it: &Node| {
        let host = element::address::host(it.as_text()?).ok()?.to_string();
        // As `Spec::host` gives it.
        Some(host.strip_suffix('.').unwrap_or(&host).to_owned())
    };
    let cap = node.integer("per_host_per_minute").and_then(|it| u32::try_from(it).ok());
    let timezone_name = text("timezone", ZONE);
    Some(Monitor {
        listen: listen?,
        token: token.flatten(),
        data: match node.get("data") {
            Some(data) => desk.path(data)?,
            None => directory(&desk.sources.first()?.path).join(DATA),
        },
        vantage: VantageId::new(node.text("vantage")?).ok()?,
        carrier: node.text("carrier").map(str::to_owned),
        timezone: element::zone::zone(&timezone_name).ok()?,
        timezone_name,
        user_agent,
        contact,
        source: node.text("source").and_then(|it| element::address::ip(it).ok()),
        resolvers: each(node, "resolvers", element::address::resolver),
        system_roots: node.text("roots") != Some("extra-only"),
        extra_roots_pem: roots,
        kill: node.list("kill").iter().filter_map(host).collect(),
        per_host_per_minute: cap.unwrap_or(PER_HOST_PER_MINUTE),
        latency_buckets,
        grace: length(node, "grace", Some(GRACE))?,
        anchors: node
            .get("control")
            .map_or(Vec::new(), |control| each(control, "anchors", element::address::anchor)),
        history,
        block_signatures: signatures,
    })
}

fn each<T, E>(table: &Node, key: &str, read: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
    table.list(key).iter().filter_map(|it| read(it.as_text()?).ok()).collect()
}

/// Where to listen. Whoever is not on this machine needs a token.
fn listen(desk: &mut Desk<'_>, node: &Node, has_token: bool) -> Option<SocketAddr> {
    let Some(written) = node.get("listen") else { return LISTEN.parse().ok() };
    let listen = element::address::listen(written.as_text()?).ok()?;
    if !listen.ip().to_canonical().is_loopback() && !has_token {
        desk.wrong(written.at, What::OpenListen { listen: listen.to_string() });
    }
    Some(listen)
}

fn user_agent(desk: &mut Desk<'_>, node: &Node, contact: Option<&str>) -> String {
    let product = concat!("thongsuot/", env!("CARGO_PKG_VERSION"));
    if let Some(text) = node.text("user_agent") {
        return text.to_owned();
    }
    if let Some(contact) = contact {
        return format!("{product} (+mailto:{contact})");
    }
    desk.note(node.at, NoteWhat::NoContact);
    product.to_owned()
}

fn buckets(desk: &mut Desk<'_>, node: &Node) -> Vec<Micros> {
    let written = node.list("latency_buckets");
    if written.is_empty() {
        return BUCKETS_MS.iter().map(|ms| Micros(ms * 1_000)).collect();
    }
    let mut buckets: Vec<Micros> = Vec::new();
    for item in written {
        let Some(bound) = item.as_text().and_then(|text| duration::parse(text).ok()) else {
            continue;
        };
        let bound = Micros::of(bound);
        if let Some(before) = buckets.last().filter(|before| **before >= bound) {
            let show = |it: Micros| duration::show(it.duration());
            let (earlier, later) = (show(*before), show(bound));
            desk.wrong(item.at, What::NotRising { key: "latency_buckets", earlier, later });
        }
        buckets.push(bound);
    }
    buckets
}

fn history(desk: &mut Desk<'_>, node: Option<&Node>) -> HistoryKeys {
    let default = HistoryKeys::default();
    let Some(node) = node else { return default };
    let days = |key, default: u32| {
        let length = length(node, key, None);
        length.map_or(default, |it| u32::try_from(it.as_secs() / DAY_SECONDS).unwrap_or(default))
    };
    let keys = HistoryKeys {
        commit_within: length(node, "commit_within", None).unwrap_or(default.commit_within),
        raw_days: days("raw", default.raw_days),
        results_days: days("results", default.results_days),
    };
    if let Some(raw) = node.get("raw").filter(|_| keys.raw_days >= keys.results_days) {
        let what = What::TooLong {
            key: "raw",
            length: format!("{}d", keys.raw_days),
            other: "results",
            bound: format!("{}d", keys.results_days),
            or_equal: false,
        };
        desk.wrong(raw.at, what);
    }
    keys
}

fn signature(desk: &mut Desk<'_>, node: &Node) -> Option<BlockSignature> {
    if node.get("header").is_none() && node.get("body_contains").is_none() {
        desk.wrong(node.at, What::EmptySignature);
    }
    let header = node.get("header").and_then(|header| {
        let name = element::header::name(header.text("name")?).ok()?;
        Some((name, header.text("contains")?.to_owned()))
    });
    let codes = status_ranges(node, "status").into_iter().flat_map(|(first, last)| first..=last);
    Some(BlockSignature {
        name: element::nfc(node.text("name")?),
        statuses: codes.collect(),
        header,
        body: needles(desk, node, "body_contains"),
    })
}
