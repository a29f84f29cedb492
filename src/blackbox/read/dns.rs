//! Prober `dns`.

use super::{family, source, tls};
use crate::blackbox::desk::{Desk, Table};
use crate::blackbox::module::{Dns, DnsOver, Records};
use crate::blackbox::names;

const KEYS: &[&str] = &[
    "preferred_ip_protocol",
    "ip_protocol_fallback",
    "source_ip_address",
    "transport_protocol",
    "dns_over_tls",
    "tls_config",
    "query_name",
    "query_type",
    "query_class",
    "recursion_desired",
    "valid_rcodes",
    "validate_answer_rrs",
    "validate_authority_rrs",
    "validate_additional_rrs",
];

/// Record type ANY (RFC 1035, section 3.2.3).
const ANY: u16 = 255;

/// Class IN (RFC 1035, section 3.2.4).
const IN: u16 = 1;

/// The section `dns` of a module, if there is one and it asks for something.
pub(super) fn dns(desk: &mut Desk<'_>, module: Table<'_>) -> Option<Dns> {
    let table = desk.sub(module, "dns", KEYS)?;
    let name = desk.text(table, "query_name").unwrap_or_default().to_owned();
    if name.is_empty() {
        desk.wrong(
            table.at,
            "`dns` has no `query_name`",
            "write the name to ask for: `query_name: example.vn`",
        );
    }
    let over = over(desk, table);
    let rcodes = desk.list(table, "valid_rcodes");
    let valid_rcodes =
        rcodes.into_iter().filter_map(|node| desk.word(node, "valid_rcodes", names::RCODES));
    let valid_rcodes = valid_rcodes.collect();
    Some(Dns {
        family: family(desk, table),
        source: source(desk, table),
        over,
        name,
        record_type: record_type(desk, table),
        class: desk.choice(table, "query_class", names::CLASSES).unwrap_or(IN),
        recursion: desk.bool(table, "recursion_desired", true),
        valid_rcodes,
        answer: records(desk, table, "validate_answer_rrs"),
        authority: records(desk, table, "validate_authority_rrs"),
        additional: records(desk, table, "validate_additional_rrs"),
    })
}

fn record_type(desk: &mut Desk<'_>, table: Table<'_>) -> u16 {
    let Some(text) = desk.text(table, "query_type") else { return ANY };
    names::record_type(text)
        .or_else(|| desk.choice(table, "query_type", names::TYPES))
        .unwrap_or(ANY)
}

fn over(desk: &mut Desk<'_>, table: Table<'_>) -> DnsOver {
    let tcp = desk.choice(table, "transport_protocol", &[("udp", false), ("tcp", true)]);
    let config = tls::tls(desk, table);
    if !desk.bool(table, "dns_over_tls", false) {
        return if tcp == Some(true) { DnsOver::Tcp } else { DnsOver::Udp };
    }
    if tcp != Some(true) {
        let at = table.key_at("dns_over_tls").unwrap_or(table.at);
        desk.wrong(at, "`dns_over_tls` goes over TCP", "write `transport_protocol: tcp` beside it");
    }
    DnsOver::Tls(config)
}

fn records(desk: &mut Desk<'_>, table: Table<'_>, key: &str) -> Records {
    const KEYS: &[&str] = &[
        "fail_if_matches_regexp",
        "fail_if_all_match_regexp",
        "fail_if_not_matches_regexp",
        "fail_if_none_matches_regexp",
    ];
    let Some(table) = desk.sub(table, key, KEYS) else { return Records::default() };
    Records {
        fail_if_matches: desk.patterns(table, "fail_if_matches_regexp"),
        fail_if_all_match: desk.patterns(table, "fail_if_all_match_regexp"),
        fail_if_not_matches: desk.patterns(table, "fail_if_not_matches_regexp"),
        fail_if_none_matches: desk.patterns(table, "fail_if_none_matches_regexp"),
    }
}
