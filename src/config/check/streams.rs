//! What the kinds of check with a dialogue do and expect: `tcp`, `unix`, `websocket`.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{http, read};
use crate::config::element::{self, NotAn};
use crate::config::mistake::What;
use crate::config::outside::Desk;
use crate::config::raw::Node;
use crate::model::spec::{Line, TcpSpec, TlsClient, UNIX_PATH_BYTES_MAX, UnixSpec, WebsocketSpec};

/// The mend of an expectation on a certificate in a dialogue without TLS.
const ADD_TLS: &str = "TLS: add `tls = true`";

/// The `tcp` check at `node`.
pub(super) fn tcp(desk: &mut Desk<'_>, node: &Node) -> Option<TcpSpec> {
    let (tls, dialogue) = talk(desk, node, true);
    let peer = element::address::peer(node.text("address")?, None).ok()?;
    Some(TcpSpec { peer, tls, dialogue, cert: read::cert(node.get("expect")) })
}

/// The `unix` check at `node`.
pub(super) fn unix(desk: &mut Desk<'_>, node: &Node) -> Option<UnixSpec> {
    if let Some(ip) = node.get("ip") {
        desk.wrong(ip.at, read::needs("ip", "a kind that goes over the network"));
    }
    let (tls, dialogue) = talk(desk, node, false);
    Some(UnixSpec { path: path(desk, node)?, tls, dialogue, cert: read::cert(node.get("expect")) })
}

/// Where the socket is.
fn path(desk: &mut Desk<'_>, node: &Node) -> Option<PathBuf> {
    let written = node.get("path")?;
    let text = written.as_text()?;
    element::words::socket_path(text).ok()?;
    let path = if text.starts_with('@') { PathBuf::from(text) } else { desk.path(written)? };
    let bytes = path.as_os_str().as_bytes().len();
    if bytes > UNIX_PATH_BYTES_MAX {
        let problem = format!("it has {bytes} bytes, and at most {UNIX_PATH_BYTES_MAX} fit");
        desk.wrong(written.at, What::Element(NotAn::SocketPath { problem }));
        return None;
    }
    Some(path)
}

/// TLS from the start, and the dialogue; `has_host`: whether there is a host to take the
/// certificate's name from.
fn talk(desk: &mut Desk<'_>, node: &Node, has_host: bool) -> (Option<TlsClient>, Vec<Line>) {
    let from_start = read::wants_tls(node, "tls");
    let tls = from_start.then(|| tls(desk, node, "tls", has_host));
    let steps = node.list("dialogue");
    let dialogue = steps.iter().filter_map(|step| line(desk, step, from_start, has_host)).collect();
    let later = steps.iter().any(|step| read::wants_tls(step, "starttls"));
    read::cert_needs_tls(desk, node, from_start || later, ADD_TLS);
    (tls, dialogue)
}

/// The TLS settings at `key`, which need a name if they are to be verified and there is no host.
fn tls(desk: &mut Desk<'_>, table: &Node, key: &str, has_host: bool) -> TlsClient {
    let client = read::tls(desk, table, key);
    if let Some(node) = table.get(key)
        && !has_host
        && client.verify
        && client.server_name.is_none()
    {
        let example = r#""hotich.example.gov.vn""#;
        desk.wrong(node.at, What::Missing { key: "server_name", table: "tls", example });
    }
    client
}

fn line(desk: &mut Desk<'_>, step: &Node, in_tls: bool, has_host: bool) -> Option<Line> {
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
    Some(Line::StartTls(tls(desk, step, "starttls", has_host)))
}

/// The `websocket` check at `node`.
pub(super) fn websocket(desk: &mut Desk<'_>, node: &Node) -> Option<WebsocketSpec> {
    let url = node.text("url").and_then(|text| element::url::websocket(text).ok());
    let headers = read::headers(desk, node, "headers", element::header::opening_name);
    let auth = http::auth(desk, node, url.as_ref());
    let tls = read::tls(desk, node, "tls");
    let dialogue = node.list("dialogue").iter().filter_map(|step| line(desk, step, false, true));
    let dialogue = dialogue.collect();
    let in_clear = url.as_ref().is_some_and(|url| url.scheme() == "ws");
    read::cert_needs_tls(desk, node, !in_clear, "TLS: write a URL of `wss`");
    Some(WebsocketSpec {
        url: url?,
        headers,
        auth: auth?,
        tls,
        subprotocol: node.text("subprotocol").map(str::to_owned),
        dialogue,
        cert: read::cert(node.get("expect")),
    })
}
