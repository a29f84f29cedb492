//! Probers `tcp`, `unix` and `websocket`: the dialogue, line by line.

use std::path::PathBuf;

use url::Url;

use crate::model::expect::CertExpect;
use crate::model::spec::{
    Line, Spec, TcpSpec, TlsClient, UNIX_PATH_BYTES_MAX, UnixSpec, WebsocketSpec,
};

use super::super::module::{Dialogue, Exchange, Expect, Websocket};
use super::{Refusal, target};

/// The connection and dialogue of prober `tcp`; TLS is for `hostname` unless the module says for
/// whom.
pub(super) fn tcp(
    module: &Dialogue,
    target: &str,
    hostname: Option<&str>,
) -> Result<Spec, Refusal> {
    let mut tls = module.tls_config.clone();
    let named = hostname.filter(|it| !it.is_empty()).map(str::to_owned);
    tls.server_name = tls.server_name.or(named);
    Ok(Spec::Tcp(Box::new(TcpSpec {
        peer: target::peer(target, None)?,
        dialogue: lines(&module.exchanges, Some(&tls), "\n"),
        tls: module.tls.then_some(tls),
        cert: CertExpect::default(),
    })))
}

/// The connection and dialogue of prober `unix`, whose target is a path.
pub(super) fn unix(module: &Dialogue, target: &str) -> Result<Spec, Refusal> {
    if target.len() > UNIX_PATH_BYTES_MAX {
        let why =
            format!("`{target}` is longer than {UNIX_PATH_BYTES_MAX} bytes, which no socket is");
        return Err(Refusal::Target(why));
    }
    Ok(Spec::Unix(Box::new(UnixSpec {
        path: PathBuf::from(target),
        tls: module.tls.then(|| module.tls_config.clone()),
        dialogue: lines(&module.exchanges, Some(&module.tls_config), "\n"),
        cert: CertExpect::default(),
    })))
}

/// The connection and dialogue of prober `websocket`, whose target is a `ws` or `wss` URL.
pub(super) fn websocket(module: &Websocket, target: &str) -> Result<Spec, Refusal> {
    let refused = |why: &dyn std::fmt::Display| {
        Refusal::Target(format!("`{target}` is no ws or wss URL: {why}"))
    };
    let mut url = Url::parse(target).map_err(|error| refused(&error))?;
    if !matches!(url.scheme(), "ws" | "wss") {
        return Err(refused(&format!("the scheme is `{}`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(&"it holds a user; write it into the module's `basic_auth`"));
    }
    url.set_fragment(None);
    Ok(Spec::Websocket(Box::new(WebsocketSpec {
        url,
        headers: module.headers.clone(),
        auth: module.auth.clone(),
        tls: module.tls.clone(),
        subprotocol: None,
        dialogue: lines(&module.exchanges, None, ""),
        cert: CertExpect::default(),
    })))
}

/// What is said and heard; `end` comes after each line that is sent.
fn lines(exchanges: &[Exchange], tls: Option<&TlsClient>, end: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for exchange in exchanges {
        let mut groups = false;
        match &exchange.expect {
            Some(Expect::Line(pattern)) => {
                lines.push(Line::Expect(pattern.clone()));
                groups = true;
            }
            Some(Expect::Bytes(bytes)) => lines.push(Line::ExpectBytes(bytes.clone())),
            None => {}
        }
        if groups {
            lines.extend(exchange.labels.iter().map(|label| Line::Label {
                name: label.name.clone(),
                value: label.value.clone().into_bytes(),
            }));
        }
        if !exchange.send.is_empty() {
            // Where nothing was matched, a dollar is a dollar.
            let send =
                if groups { exchange.send.clone() } else { exchange.send.replace('$', "$$") };
            lines.push(Line::SendExpanded((send + end).into_bytes()));
        }
        if let Some(tls) = tls.filter(|_| exchange.starttls) {
            lines.push(Line::StartTls(tls.clone()));
        }
    }
    lines
}
