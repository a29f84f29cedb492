//! One module and one target as a check.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::kinds::{address, websocket};
use super::super::note::{Told, Weight};
use super::super::secrets::Variables;
use super::super::value::Value;
use super::super::why::{self, Why};
use super::super::yaml::Node;
use super::super::{request, span};
use super::{http, tcp};

/// What blackbox_exporter takes off the time that Prometheus waits.
const TIMEOUT_OFFSET: Duration = Duration::from_millis(500);

/// Keys that all probers share and that are read in [`family`].
const FAMILY: &[&str] = &["preferred_ip_protocol", "ip_protocol_fallback", "source_ip_address"];

/// The settings of the prober, and its name.
fn settings(module: &Node) -> (String, Option<&Node>) {
    let prober = module.text("prober").unwrap_or_default();
    let node = module.get(&prober);
    (prober, node)
}

/// A target that stands for one in a skeleton.
pub(super) fn example(module: &Node, host: &str) -> String {
    match settings(module).0.as_str() {
        "http" => format!("https://{host}/"),
        "websocket" => format!("wss://{host}/"),
        "tcp" | "grpc" => format!("{host}:443"),
        "unix" => "/run/vi-du.sock".to_owned(),
        _ => host.to_owned(),
    }
}

/// The draft for a target; the reason if there is no such check.
pub(super) fn draft(
    base: &Draft,
    variables: &mut Variables,
    module: &Node,
    target: &str,
    (interval, scrape_timeout): (Option<Duration>, Option<Duration>),
) -> Result<Draft, Why> {
    let (prober, settings) = settings(module);
    let mut draft = match prober.as_str() {
        "http" => http::draft(base, variables, settings, target),
        "tcp" => {
            let mut draft = address(base, "tcp", target, None);
            tcp::settings(&mut draft, settings);
            draft
        }
        "unix" => {
            let mut draft = base.as_kind("unix");
            draft.key("path", target.strip_prefix("unix://").unwrap_or(target));
            tcp::settings(&mut draft, settings);
            draft
        }
        "websocket" => {
            let mut draft = websocket(base, variables, target, &base.place);
            tcp::websocket(&mut draft, variables, settings);
            draft
        }
        "dns" => dns(base, settings, target),
        "icmp" => icmp(base, settings, target),
        "grpc" => grpc(base, variables, settings, target),
        _ => return Err(why::NO_KIND),
    };
    let own = module.text("timeout").and_then(|it| span::go(&it)).filter(|it| !it.is_zero());
    let scrape = scrape_timeout.map(|it| it.saturating_sub(TIMEOUT_OFFSET));
    let timeout = own.into_iter().chain(scrape).min();
    draft.times(interval, timeout);
    if let Some(instead) = &mut draft.instead {
        instead.times(interval, timeout);
    }
    family(&mut draft, settings);
    Ok(draft)
}

/// Which address family is asked.
fn family(draft: &mut Draft, settings: Option<&Node>) {
    let Some(settings) = settings else { return };
    let fallback = settings.bool("ip_protocol_fallback") != Some(false);
    if let Some(node) = settings.get("preferred_ip_protocol") {
        match (node.as_text().as_deref(), fallback) {
            (Some("ip4"), false) => draft.part(&["ip"], "v4", &node.place(), FAMILY[0]),
            (Some("ip6"), false) => draft.part(&["ip"], "v6", &node.place(), FAMILY[0]),
            (Some("ip6"), true) => {
                draft.tell(Told::new(Weight::Changed, &node.place(), FAMILY[0], why::IPV6_FIRST));
            }
            _ => {}
        }
    } else if !fallback {
        draft.part(&["ip"], "v6", &draft.place.clone(), FAMILY[1]);
    }
    if let Some(node) = settings.get("source_ip_address") {
        draft.tell(Told::new(Weight::Weaker, &node.place(), FAMILY[2], why::SOURCE));
    }
}

/// Tells keys that are neither shared nor among `known`.
pub(super) fn unknown(draft: &mut Draft, settings: &Node, known: &[&str]) {
    for (key, node) in settings.others(known).filter(|(key, _)| !FAMILY.contains(&key.as_str())) {
        draft.tell(Told::new(Weight::Weaker, &node.place(), key.as_str(), why::SETTING));
    }
}

/// `tls_config`: how to speak TLS, below `path`.
pub(super) fn tls(draft: &mut Draft, config: Option<&Node>, path: &str) {
    let Some(config) = config else { return };
    for (key, node) in config.entries() {
        let place = node.place();
        let what = format!("tls_config.{key}");
        match key.as_str() {
            "insecure_skip_verify" => {
                if config.bool(key) == Some(true) {
                    draft.needed(&[path, "verify"], Value::Bool(false), &place, &what);
                }
            }
            "server_name" => {
                if let Some(name) = node.as_text().filter(|it| !it.is_empty()) {
                    draft.needed(&[path, "server_name"], name, &place, &what);
                }
            }
            "ca_file" => {
                match node.as_text().filter(|it| !it.is_empty()) {
                    // Relative to blackbox.yml, it is somewhere else seen from targets.toml.
                    Some(file) if !file.starts_with('/') => {
                        draft.tell(Told::new(Weight::Off, &place, what, why::ROOTS));
                    }
                    Some(file) => draft.needed(&[path, "roots"], file, &place, &what),
                    None => {}
                }
            }
            "min_version" => {
                if node.as_text().as_deref() == Some("TLS13") {
                    draft.part(&[path, "version_min"], "1.3", &place, &what);
                }
            }
            "ca" | "ca_ref" => draft.tell(Told::new(Weight::Off, &place, what, why::ROOTS)),
            "cert_file" | "cert" | "cert_ref" => {
                draft.tell(Told::new(Weight::Off, &place, what, why::CLIENT_CERT));
            }
            "key_file" | "key" | "key_ref" | "max_version" => {}
            _ => draft.tell(Told::new(Weight::Weaker, &place, what, why::SETTING)),
        }
    }
}

fn dns(base: &Draft, settings: Option<&Node>, target: &str) -> Draft {
    let mut draft = base.as_kind("dns");
    let text = |key: &str| settings.and_then(|it| it.text(key));
    draft.key("query", text("query_name").unwrap_or_default());
    let record = text("query_type").unwrap_or_else(|| "ANY".to_owned());
    draft.key("record", record.to_ascii_uppercase());
    draft.key("server", target);
    let Some(settings) = settings else { return draft };
    if settings.get("query_type").is_none() {
        draft.tell(Told::new(Weight::Changed, &settings.place(), "query_type", why::ANY_QUERY));
    }
    if settings.bool("dns_over_tls") == Some(true) {
        draft.key("transport", "tls");
        tls(&mut draft, settings.get("tls_config"), "tls");
    } else if text("transport_protocol").as_deref() == Some("tcp") {
        draft.key("transport", "tcp");
    }
    if settings.bool("recursion_desired") == Some(false) {
        draft.key("recursion", Value::Bool(false));
    }
    if let Some(codes) = settings.get("valid_rcodes") {
        let all = settings.texts("valid_rcodes");
        draft.part(&["expect", "rcodes"], Value::texts(all), &codes.place(), "valid_rcodes");
    }
    for section in ["answer", "authority", "additional"] {
        if let Some(rules) = settings.get(&format!("validate_{section}_rrs")) {
            records(&mut draft, section, rules);
        }
    }
    unknown(
        &mut draft,
        settings,
        &[
            "query_name",
            "query_type",
            "dns_over_tls",
            "tls_config",
            "transport_protocol",
            "recursion_desired",
            "valid_rcodes",
            "validate_answer_rrs",
            "validate_authority_rrs",
            "validate_additional_rrs",
        ],
    );
    draft
}

fn records(draft: &mut Draft, section: &str, rules: &Node) {
    for (key, node) in rules.entries() {
        let to = match key.as_str() {
            "fail_if_matches_regexp" => "none_matches",
            "fail_if_not_matches_regexp" => "all_match",
            "fail_if_none_matches_regexp" => "matches",
            _ => {
                draft.tell(Told::new(
                    Weight::Weaker,
                    &node.place(),
                    key.as_str(),
                    why::ALL_RECORDS,
                ));
                continue;
            }
        };
        for pattern in rules.texts(key) {
            draft.part(&["expect", section, to], Value::texts([pattern]), &node.place(), key);
        }
    }
}

fn icmp(base: &Draft, settings: Option<&Node>, target: &str) -> Draft {
    let mut draft = base.as_kind("icmp");
    draft.key("host", target.trim_matches(['[', ']']));
    let Some(settings) = settings else { return draft };
    if let Some(bytes) = settings.integer("payload_size").filter(|it| *it > 0) {
        draft.part(&["payload"], Value::Integer(bytes), &settings.place(), "payload_size");
    }
    if let Some(hops) = settings.integer("ttl").filter(|it| *it > 0) {
        draft.part(&["ttl"], Value::Integer(hops), &settings.place(), "ttl");
    }
    if settings.bool("dont_fragment") == Some(true) {
        draft.part(&["dont_fragment"], Value::Bool(true), &settings.place(), "dont_fragment");
    }
    unknown(&mut draft, settings, &["payload_size", "ttl", "dont_fragment"]);
    draft
}

fn grpc(base: &Draft, variables: &mut Variables, settings: Option<&Node>, target: &str) -> Draft {
    let peer = target.split_once("://").map_or(target, |(_, rest)| rest);
    let mut draft = address(base, "grpc", peer, None);
    let Some(settings) = settings else { return draft };
    if settings.bool("tls") == Some(true) {
        draft.key("tls", Value::Table(vec![("verify".to_owned(), Value::Bool(true))]));
        tls(&mut draft, settings.get("tls_config"), "tls");
    }
    if let Some(service) = settings.text("service").filter(|it| !it.is_empty()) {
        draft.key("service", service);
    }
    if let Some(metadata) = settings.get("metadata") {
        for (name, node) in metadata.entries() {
            let text = metadata.texts(name).into_iter().next().unwrap_or_default();
            request::metadata(&mut draft, variables, (name, &text), &node.place());
        }
    }
    unknown(&mut draft, settings, &["tls", "tls_config", "service", "metadata"]);
    draft
}
