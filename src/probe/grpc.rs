//! `kind = grpc`: one call of the health service, `grpc.health.v1.Health/Check`.
//!
//! HTTP/2 by ALPN over TLS, or in clear with prior knowledge (RFC 9113, section 3.3). `send`
//! is the preface and the call, `wait` the time to the response's headers, `receive` its
//! message and trailers.

mod health;
mod call;
mod judge;
mod metered;

use tokio_rustls::rustls;

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, dial, or_slow, resolve, tls};
use crate::model::check::Check;
use crate::model::how::How;
use crate::model::kept::Kept;
use crate::model::observation::{Detail, Observation};
use crate::model::reason::Reason;
use crate::model::spec::GrpcSpec;
use crate::model::time::Millis;
use judge::Verdict;

/// HTTP/2 and nothing else (RFC 9113, section 3.1).
const ALPN_H2: tls::Alpn = &[b"h2"];

/// Connects, calls, and holds the answer against SERVING.
pub(super) async fn run(
    spec: &GrpcSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let mut watch = Stopwatch::start(check.timeout);
    let mut detail = Box::<Detail>::default();
    let verdict = match ask(spec, how, net, now, &mut watch, &mut detail).await {
        Ok(verdict) => verdict,
        Err(fault) => Verdict { end: Err(fault), status: None, bytes: 0, serving: None },
    };
    let Verdict { end, status, bytes, serving } = verdict;
    if how.keep {
        detail.kept = Some(Box::new(Kept::Grpc { serving }));
    }
    let mut observation = conclude(end, watch.read(), detail);
    observation.status = status;
    observation.bytes = bytes;
    or_slow(&mut observation, check);
    observation
}

async fn ask(
    spec: &GrpcSpec,
    how: How,
    net: &Net,
    now: Millis,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Verdict, Fault> {
    let request = call::request(spec, &net.settings.user_agent)?;
    let host = &spec.peer.host;
    let addresses = resolve::resolve(host, how, net, watch, detail).await?;
    let stream = dial::connect(&addresses, spec.peer.port, how, net, watch, detail).await?;
    let answer = match &spec.tls {
        None => call::call(stream, request, &spec.service, watch).await?,
        Some(client) => {
            let terms = tls::Terms { host, client, alpn: ALPN_H2, expect: spec.cert, now };
            let stream = tls::handshake(stream, terms, net, watch, detail).await?;
            agreed_on_h2(stream.get_ref().1)?;
            call::call(stream, request, &spec.service, watch).await?
        }
    };
    detail.http_version = Some("2");
    Ok(judge::judge(&answer, detail))
}

fn agreed_on_h2(connection: &rustls::ClientConnection) -> Result<(), Fault> {
    if connection.alpn_protocol() == Some(b"h2") {
        return Ok(());
    }
    let why = "the server did not agree on HTTP/2 (by ALPN), which gRPC needs";
    Err(Fault::new(Reason::HttpProtocol, why))
}
