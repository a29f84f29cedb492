//! The way through a proxy: its name is looked up apart from the run, and `https` asks it for a
//! tunnel (RFC 9110, section 9.3.6).

use std::net::IpAddr;

use http::{HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Host;

use crate::model::check::Lane;
use crate::model::how::How;
use crate::model::observation::Detail;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::Proxy;
use crate::model::time::Micros;
use crate::probe::net::Net;
use crate::probe::stopwatch::{Fault, Stopwatch};
use crate::probe::{dial, resolve};

use super::request::basic;

/// Most bytes of a proxy's answer to `CONNECT`.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// The proxy's addresses. The proxy is ours, so a name that can't be found says nothing of the
/// target.
pub(super) async fn find(proxy: &Proxy, timeout: Micros, net: &Net) -> Result<Vec<IpAddr>, Fault> {
    let mut watch = Stopwatch::start(timeout);
    let mut unused = Detail::default();
    resolve::resolve(&proxy.peer.host, How::from(Lane::Any), net, &mut watch, &mut unused)
        .await
        .map_err(|fault| Fault::new(Reason::SelfNet, format!("finding the proxy: {}", fault.why)))
}

/// Connects to the proxy, and through it to the host and port of `tunnel`. Time goes to
/// `connect`.
///
/// # Errors
///
/// `self_net` if the proxy can't be reached, `self_secret` if it wants another password or a
/// header can't be sent, `proxy_refused` if it would not connect us, `timeout_connect`.
pub(super) async fn connect(
    proxy: &Proxy,
    addresses: &[IpAddr],
    tunnel: Option<(&Host<String>, u16)>,
    how: How,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<TcpStream, Fault> {
    let stream = dial::connect(addresses, proxy.peer.port, how, net, watch, detail).await.map_err(
        |fault| match fault.reason {
            Reason::Fd => fault,
            _ => Fault::new(Reason::SelfNet, format!("the proxy: {}", fault.why)),
        },
    )?;
    match tunnel {
        None => Ok(stream),
        Some((host, port)) => watch.run(Phase::Connect, ask(stream, proxy, host, port)).await,
    }
}

async fn ask(
    mut stream: TcpStream,
    proxy: &Proxy,
    host: &Host<String>,
    port: u16,
) -> Result<TcpStream, Fault> {
    let broken =
        |error: std::io::Error| Fault::new(Reason::ProxyRefused, format!("proxy: {error}"));
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some((user, password)) = &proxy.auth {
        request.push_str("Proxy-Authorization: ");
        request.push_str(&basic(user, password.reveal()));
        request.push_str("\r\n");
    }
    for (name, value) in &proxy.connect_headers {
        let sound = HeaderName::from_bytes(name.as_bytes()).is_ok()
            && HeaderValue::from_bytes(value.reveal().as_bytes()).is_ok();
        if !sound {
            let why = "a header for the proxy holds a line break or another control";
            return Err(Fault::new(Reason::SelfSecret, why));
        }
        request.push_str(name);
        request.push_str(": ");
        request.push_str(value.reveal());
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= ANSWER_BYTES_MAX {
            return Err(Fault::new(Reason::ProxyRefused, "the proxy's answer has no end"));
        }
        // One byte at a time: what follows the answer belongs to the tunnel.
        answer.push(stream.read_u8().await.map_err(broken)?);
    }
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    match status.and_then(|text| text.parse::<u16>().ok()) {
        Some(200..=299) => Ok(stream),
        Some(407) => Err(Fault::new(Reason::SelfSecret, "the proxy does not take our password")),
        Some(status) => Err(Fault::new(Reason::ProxyRefused, format!("proxy: status {status}"))),
        None => Err(Fault::new(Reason::ProxyRefused, "the proxy's answer is not HTTP")),
    }
}
