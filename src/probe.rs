//! What touches the network. One file a kind; the decisions on what came are pure.
//!
//! Read in this order: [`stopwatch`] (where a run's time goes), [`net`] (what all runs share),
//! [`resolve`], [`dial`], [`tls`] and [`quic`] (the way to a server), then a file for each kind.

pub mod stopwatch;
pub mod net;
mod resolve;
mod dial;
mod tls;
mod fault;
mod quic;
mod screen;
mod starttls;
pub mod block;
pub mod expect;
mod beside;
mod http;
mod dialogue;
mod tcp;
mod unix;
mod websocket;
mod dns;
mod icmp;
mod grpc;
pub mod heartbeat;

use crate::model::check::Check;
use crate::model::how::How;
use crate::model::observation::{Detail, Observation};
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::spec::Spec;
use crate::model::time::Millis;

pub use net::{Net, NetError, Settings};

use stopwatch::Fault;

/// Runs `check` once, in the way of `how` (a [`crate::model::check::Lane`] will do). `now` is the
/// wall time at the start, by which certificates are
/// judged. Never fails and never outlasts the check's timeout by more than a few milliseconds
/// (besides the time spent aside, which has the same limit of its own).
pub async fn run(check: &Check, how: impl Into<How>, net: &Net, now: Millis) -> Observation {
    let how = how.into();
    match &check.spec {
        // Each on the heap: the futures are large, and one would make every kind's run as large.
        Spec::Http(spec) => Box::pin(http::run(spec, check, how, net, now)).await,
        Spec::Tls(spec) => Box::pin(tls::run(spec, check, how, net, now)).await,
        Spec::Tcp(spec) => Box::pin(tcp::run(spec, check, how, net, now)).await,
        Spec::Unix(spec) => Box::pin(unix::run(spec, check, how, net, now)).await,
        Spec::Websocket(spec) => Box::pin(websocket::run(spec, check, how, net, now)).await,
        Spec::Dns(spec) => Box::pin(dns::run(spec, check, how, net, now)).await,
        Spec::Icmp(spec) => icmp::run(spec, check, how, net).await,
        Spec::Grpc(spec) => Box::pin(grpc::run(spec, check, how, net, now)).await,
        Spec::Heartbeat(spec) => heartbeat::run(&check.id, spec, net.board.as_deref()),
    }
}

/// What a run ends with: its reason, its time, and what was seen on the way.
fn conclude(end: Result<(), Fault>, phases: Phases, mut detail: Box<Detail>) -> Observation {
    let reason = match end {
        Ok(()) => Reason::None,
        Err(fault) => {
            detail.why = Some(expect::clean(&fault.why));
            fault.reason
        }
    };
    for line in &mut detail.answer {
        *line = expect::clean(line);
    }
    let mut observation = Observation::bare(reason, phases);
    observation.tls_not_after =
        detail.tls.as_ref().and_then(|tls| tls.chain.first()).map(|leaf| leaf.not_after);
    observation.detail = detail;
    observation
}

/// `slow`, if a good run took longer than the check allows.
fn or_slow(observation: &mut Observation, check: &Check) {
    let total = observation.phases.total();
    if let Some(slow) = check.slow
        && observation.reason == Reason::None
        && total > slow
    {
        observation.reason = Reason::OverSlow;
        observation.detail.why =
            Some(format!("took {:?}, longer than {:?}", total.duration(), slow.duration()));
    }
}
