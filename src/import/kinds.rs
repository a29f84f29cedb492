//! Drafts of kinds that several sources have.

use super::draft::Draft;
use super::note::{Place, Told, Weight};
use super::request;
use super::secrets::Variables;
use super::value::Value;
use super::why;

/// A check of a host and a port; `port` is the one if none is written.
pub(super) fn address(base: &Draft, kind: &'static str, peer: &str, port: Option<u16>) -> Draft {
    let mut draft = base.as_kind(kind);
    let has_port = peer.rsplit(']').next().is_some_and(|it| it.contains(':'));
    match port.filter(|_| !has_port) {
        Some(port) => draft.key("address", format!("{peer}:{port}")),
        None => draft.key("address", peer),
    }
    draft
}

/// A WebSocket, or the connection below it where there is no such kind.
pub(super) fn websocket(
    base: &Draft,
    variables: &mut Variables,
    url: &str,
    place: &Place,
) -> Draft {
    let mut draft = base.as_kind("websocket");
    request::url(&mut draft, variables, url, place);
    let parsed = url::Url::parse(&url.replacen("ws", "http", 1)).ok();
    let peer = parsed
        .as_ref()
        .and_then(|it| Some(format!("{}:{}", it.host_str()?, it.port_or_known_default()?)));
    let mut instead = address(base, "tcp", peer.as_deref().unwrap_or_default(), None);
    if url.starts_with("wss") {
        instead.key("tls", Value::Bool(true));
    }
    instead.tell(Told::new(Weight::Weaker, place, "websocket", why::NO_LOGIN));
    draft.instead = Some(Box::new(instead));
    draft
}
