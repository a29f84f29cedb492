//! `kind = tcp`: a connection, TLS if asked for, and a dialogue of lines.

use super::dialogue::{Dialogue, Terms};
use super::net::Net;
use super::stopwatch::Fault;
use super::{dial, resolve};
use crate::model::check::Check;
use crate::model::how::How;
use crate::model::observation::Observation;
use crate::model::spec::{Peer, TcpSpec};
use crate::model::time::Millis;

/// Connects, and says and hears what the check says.
pub(super) async fn run(
    spec: &TcpSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let terms = Terms {
        lines: &spec.dialogue,
        tls: spec.tls.as_ref(),
        host: &spec.peer.host,
        cert: spec.cert,
        now,
    };
    let mut dialogue = Dialogue::begin(terms, check, net);
    let end = talk(&mut dialogue, &spec.peer, how, net).await;
    dialogue.end(end, check, how)
}

async fn talk(dialogue: &mut Dialogue<'_>, peer: &Peer, how: How, net: &Net) -> Result<(), Fault> {
    let (watch, detail) = (&mut dialogue.watch, &mut *dialogue.detail);
    let addresses = resolve::resolve(&peer.host, how, net, watch, detail).await?;
    let stream = dial::connect(&addresses, peer.port, how, net, watch, detail).await?;
    dialogue.hold(stream).await
}
