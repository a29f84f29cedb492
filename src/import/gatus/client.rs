//! `client` of an endpoint: how it is reached.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::note::{Told, Weight};
use super::super::request;
use super::super::secrets::Variables;
use super::super::span;
use super::super::value::Value;
use super::super::why;
use super::super::yaml::Node;

/// What Gatus waits if nothing is written.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Keys that need a way which is not here, with the reason.
const OFF: &[(&str, why::Why)] = &[
    ("identity-aware-proxy", why::LOGIN),
    ("dns-resolver", why::RESOLVER),
    ("tunnel", why::TUNNEL),
];

/// The deadline of a run.
pub(super) fn timeout(client: Option<&Node>) -> Duration {
    let written = client.and_then(|it| span::go(&it.text("timeout")?));
    written.filter(|it| !it.is_zero()).unwrap_or(TIMEOUT)
}

/// Carries the client's settings into a draft of the kind `http`, `tls`, `websocket` or others,
/// which only some of them are for.
pub(super) fn client(draft: &mut Draft, variables: &mut Variables, client: Option<&Node>) {
    let is_http = draft.kind() == "http";
    let follows = client.and_then(|it| it.bool("ignore-redirect")) != Some(true);
    if is_http {
        request::redirects(draft, if follows { 10 } else { 0 });
    }
    let Some(client) = client else { return };
    for (key, node) in client.entries() {
        let place = node.place();
        match key.as_str() {
            "timeout" | "ignore-redirect" => {}
            // Gatus itself uses these for HTTP only.
            "proxy-url" | "oauth2" if !is_http => {}
            "insecure" => {
                if client.bool(key) == Some(true)
                    && (matches!(draft.kind(), "http" | "tls") || draft.is_secure())
                {
                    draft.needed(&["tls", "verify"], Value::Bool(false), &place, "insecure");
                }
            }
            "proxy-url" if is_http => {
                if let Some(url) = node.as_text() {
                    request::proxy(draft, variables, &url, &place);
                }
            }
            "oauth2" if is_http => {
                let text = |key: &str| node.text(key).unwrap_or_default();
                let all = (text("token-url"), text("client-id"), text("client-secret"));
                let scopes = node.texts("scopes");
                request::oauth2(draft, variables, (&all.0, &all.1, &all.2), &scopes, &place);
            }
            "tls" => {
                if node.get("certificate-file").is_some() {
                    draft.tell(Told::new(Weight::Off, &place, "client.tls", why::CLIENT_CERT));
                }
            }
            "network" => match node.as_text().as_deref() {
                Some("ip4") => draft.part(&["ip"], "v4", &place, "network"),
                Some("ip6") => draft.part(&["ip"], "v6", &place, "network"),
                _ => {}
            },
            "store-cookies" => {
                if client.bool(key) == Some(true) {
                    draft.tell(Told::new(
                        Weight::Changed,
                        &place,
                        "client.store-cookies",
                        why::COOKIES,
                    ));
                }
            }
            other => {
                let known = OFF.iter().find(|(known, _)| *known == other);
                let (weight, why) =
                    known.map_or((Weight::Weaker, why::UNKNOWN), |it| (Weight::Off, it.1));
                draft.tell(Told::new(weight, &place, format!("client.{other}"), why));
            }
        }
    }
}
