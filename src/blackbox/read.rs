//! From the file to its modules, or to everything that is wrong with it.

mod client;
mod dialogue;
mod dns;
mod http;
mod tls;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::desk::{Desk, Env, Table, read_file};
use super::fault::{Fault, Faults};
use super::hide;
use super::module::{Family, Grpc, Icmp, Module, Modules, Prober};
use super::yaml::{self, Entry, Node, Slip, Span};

/// Largest file: some ten thousand modules.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Largest payload of an echo, as for our own checks.
const PAYLOAD_BYTES_MAX: i64 = 65_000;

const MODULE_KEYS: &[&str] =
    &["prober", "timeout", "http", "tcp", "unix", "websocket", "dns", "icmp", "grpc"];

/// What a module's `prober` may be.
#[derive(Clone, Copy)]
enum Kind {
    Http,
    Tcp,
    Unix,
    Websocket,
    Dns,
    Icmp,
    Grpc,
}

const PROBERS: &[(&str, Kind)] = &[
    ("http", Kind::Http),
    ("tcp", Kind::Tcp),
    ("unix", Kind::Unix),
    ("websocket", Kind::Websocket),
    ("dns", Kind::Dns),
    ("icmp", Kind::Icmp),
    ("grpc", Kind::Grpc),
];

const FAMILIES: &[(&str, bool)] = &[("ip4", false), ("ip6", true)];

/// The modules of the file `path`. Files that it names are read, relative to its folder; `env`
/// looks up environment variables, of proxies.
///
/// # Errors
///
/// Everything that is wrong, each with its place.
pub fn read(path: &Path, env: Env<'_>) -> Result<Modules, Faults> {
    let name = path.display().to_string();
    match read_file(path, FILE_BYTES_MAX) {
        Ok(bytes) => parse(path, &bytes, env),
        Err(why) => {
            let slip = Slip::new(Span::default(), format!("this file can't be read: {why}"));
            Err(Faults::new(String::new(), vec![Fault::new(&name, "", slip)]))
        }
    }
}

/// The modules in `bytes`, which are what is in the file `path`.
///
/// # Errors
///
/// As [`read`].
pub fn parse(path: &Path, bytes: &[u8], env: Env<'_>) -> Result<Modules, Faults> {
    let name = path.display().to_string();
    let whole = |text: &str, slip: Slip| {
        // What is secret is not known, so nothing is shown.
        Faults::new(String::new(), vec![Fault::new(&name, text, slip)])
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let at = Span { start: before.len(), end: before.len() };
            return Err(whole(before, Slip::new(at, "the file is not UTF-8 from here on")));
        }
    };
    let (root, slips) = yaml::parse(text).map_err(|slip| whole(text, slip))?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let mut desk = Desk::new(folder, env);
    desk.slips = slips;
    desk.files.push(path.to_owned());
    let by_name = modules(&mut desk, &root);
    let faults = |slips: Vec<Slip>| {
        slips.into_iter().map(|slip| Fault::new(&name, text, slip)).collect::<Vec<_>>()
    };
    if !desk.slips.is_empty() {
        let shown = hide::masked(text, &hide::masks(&root));
        return Err(Faults::new(shown, faults(desk.slips)));
    }
    let mut notes = faults(desk.notes);
    notes.sort_by_key(|note| (note.line, note.column));
    notes.dedup();
    Ok(Modules { by_name, files: desk.files, notes })
}

fn modules(desk: &mut Desk<'_>, root: &Node) -> BTreeMap<String, Arc<Module>> {
    let table = desk.table(root, "the file", &["modules"]);
    let Some(node) = table.get("modules") else {
        desk.wrong(table.at, "there are no `modules`", "name at least one module under `modules:`");
        return BTreeMap::new();
    };
    let mut by_name = BTreeMap::new();
    for Entry { key, key_at, node } in desk.entries(node, "modules") {
        if key.is_empty() {
            desk.wrong(*key_at, "a module has no name", "write its name before the colon");
        }
        if let Some(module) = module(desk, key, *key_at, node) {
            by_name.insert(key.clone(), Arc::new(module));
        }
    }
    by_name
}

fn module(desk: &mut Desk<'_>, name: &str, at: Span, node: &Node) -> Option<Module> {
    let table = desk.table(node, "a module", MODULE_KEYS);
    let kind = desk.choice(table, "prober", PROBERS);
    if table.get("prober").is_none() {
        let words: Vec<&str> = PROBERS.iter().map(|(word, _)| *word).collect();
        desk.wrong(
            at,
            "this module has no `prober`",
            format!("write `prober:` and one of {}", words.join(", ")),
        );
    }
    let timeout = desk.duration(table, "timeout").filter(|timeout| !timeout.is_zero());
    // Sections of other probers are read too: what is wrong in them is wrong.
    let http = http::http(desk, table);
    let tcp = dialogue::dialogue(desk, table, "tcp");
    let unix = dialogue::dialogue(desk, table, "unix");
    let websocket = dialogue::websocket(desk, table);
    let dns = dns::dns(desk, table);
    let icmp = icmp(desk, table);
    let grpc = grpc(desk, table);
    let prober = match kind? {
        Kind::Http => Prober::Http(Box::new(http)),
        Kind::Tcp => Prober::Tcp(Box::new(tcp)),
        Kind::Unix => Prober::Unix(Box::new(unix)),
        Kind::Websocket => Prober::Websocket(Box::new(websocket)),
        Kind::Icmp => Prober::Icmp(icmp),
        Kind::Grpc => Prober::Grpc(Box::new(grpc)),
        Kind::Dns => {
            if table.get("dns").is_none() {
                let mend = "write `dns:` and below it `query_name:` and a name";
                desk.wrong(at, "this module has no `dns` section", mend);
            }
            Prober::Dns(Box::new(dns?))
        }
    };
    Some(Module { name: name.to_owned(), timeout, prober, shown: hide::shown(node) })
}

/// `preferred_ip_protocol` and `ip_protocol_fallback` of a section.
fn family(desk: &mut Desk<'_>, table: Table<'_>) -> Family {
    let prefer_v6 = desk.choice(table, "preferred_ip_protocol", FAMILIES).unwrap_or(true);
    Family { prefer_v6, fallback: desk.bool(table, "ip_protocol_fallback", true) }
}

/// `source_ip_address` of a section.
fn source(desk: &mut Desk<'_>, table: Table<'_>) -> Option<std::net::IpAddr> {
    let text = desk.text(table, "source_ip_address").filter(|text| !text.is_empty())?;
    let address = text.parse().ok();
    if address.is_none() {
        let at = table.get("source_ip_address").map_or(table.at, |node| node.at);
        desk.wrong(
            at,
            "`source_ip_address` is an IP address",
            "write one of this machine, such as `192.0.2.1`",
        );
    }
    address
}

fn icmp(desk: &mut Desk<'_>, module: Table<'_>) -> Icmp {
    const KEYS: &[&str] = &[
        "preferred_ip_protocol",
        "ip_protocol_fallback",
        "source_ip_address",
        "payload_size",
        "dont_fragment",
        "ttl",
    ];
    let mut icmp = Icmp {
        family: Family::default(),
        source: None,
        payload_bytes: None,
        dont_fragment: false,
        ttl: 64,
    };
    let Some(table) = desk.sub(module, "icmp", KEYS) else { return icmp };
    icmp.family = family(desk, table);
    icmp.source = source(desk, table);
    let payload = desk.integer(table, "payload_size", 0, PAYLOAD_BYTES_MAX);
    icmp.payload_bytes = payload.and_then(|it| u16::try_from(it).ok()).filter(|it| *it > 0);
    icmp.dont_fragment = desk.bool(table, "dont_fragment", false);
    let ttl = desk.integer(table, "ttl", 0, 255);
    icmp.ttl = ttl.and_then(|it| u8::try_from(it).ok()).unwrap_or(64);
    icmp
}

fn grpc(desk: &mut Desk<'_>, module: Table<'_>) -> Grpc {
    const KEYS: &[&str] = &[
        "preferred_ip_protocol",
        "ip_protocol_fallback",
        "service",
        "tls",
        "tls_config",
        "metadata",
    ];
    let mut grpc = Grpc::default();
    let Some(table) = desk.sub(module, "grpc", KEYS) else { return grpc };
    grpc.family = family(desk, table);
    desk.text(table, "service").unwrap_or_default().clone_into(&mut grpc.service);
    grpc.tls = desk.bool(table, "tls", false);
    grpc.tls_config = tls::tls(desk, table);
    let metadata = client::headers(desk, table, "metadata").into_iter();
    grpc.metadata = metadata.map(|(name, value)| (name.to_lowercase(), value)).collect();
    grpc
}

#[cfg(test)]
mod tests;
