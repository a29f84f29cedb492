//! One run: probe, and decide whether what came says anything about the target.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Poll;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::clock::Clock;
use crate::model::check::Check;
use crate::model::observation::Observation;
use crate::model::outcome::Testimony;
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::spec::Spec;
use crate::model::time::{Micros, Millis};
use crate::probe::{self, Net};
use crate::schedule::core::Job;

use super::absence::{Absences, Start};
use super::control::{self, Control};
use super::pipeline::Event;

/// A run that outlasts its deadline by more than this was held up by us, not by the target.
const OWN_DELAY_US: u32 = 500_000;

/// What every run needs.
#[derive(Debug)]
pub(super) struct Runs {
    pub(super) clock: Clock,
    pub(super) absences: Absences,
    pub(super) events: mpsc::Sender<Event>,
    /// Replaced whole by a reload; a run keeps what it began with.
    pub(super) outside: RwLock<Arc<Outside>>,
    /// How many may run at once, so that descriptors are left for the daemon itself.
    pub(super) room: Semaphore,
    /// How many of those others may ask for at once, so that some are left for our own.
    pub(super) asked: Semaphore,
    /// Cuts runs short when the daemon can't wait for them any longer.
    pub(super) cut: CancellationToken,
}

/// How the outside is reached.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) net: Net,
    pub(super) control: Control,
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) started: Millis,
    pub(super) lateness: Micros,
    pub(super) observation: Observation,
}

impl Runs {
    /// Takes a new way to the outside into use.
    pub(super) fn replace(&self, outside: Outside) {
        let mut place = self.outside.write().unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(outside);
    }

    /// The way to the outside that is in use.
    pub(super) fn outside(&self) -> Arc<Outside> {
        Arc::clone(&self.outside.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `job` and hands its end to the pipeline.
    pub(super) async fn run(&self, job: Job) {
        let outside = self.outside();
        let start = Start::now(&self.clock);
        let started_us = self.clock.now_us();
        let started = Millis(started_us.div_euclid(1_000));
        let lateness = job.lateness(started_us);
        let mut observation = tokio::select! {
            seen = guarded(&job.check, Box::pin(self.probe(&job, &outside.net, started))) => seen,
            () = self.cut.cancelled() => Observation::bare(Reason::Stopped, Phases::default()),
        };
        let late_us = observation.phases.total().0.saturating_sub(job.check.timeout.0);
        if let Some(reason) =
            self.own_fault(&job.check.spec, &observation, late_us, start, &outside).await
        {
            observation.reason = reason;
        }
        // A token or a proxy's name came first: the run speaks for when it asked the service.
        let aside_us = i64::from(observation.detail.aside.0);
        let started = Millis((started_us + aside_us).div_euclid(1_000));
        let finished = Finished { job, started, lateness, observation };
        // The pipeline is gone only when the daemon is ending, and the run with it.
        let _ = self.events.send(Event::Finished(Box::new(finished))).await;
    }

    /// Probes if there is room. Waiting for some would only delay, and blame the target.
    async fn probe(&self, job: &Job, net: &Net, started: Millis) -> Observation {
        // A heartbeat is looked up, and opens nothing.
        let opens = !matches!(job.check.spec, Spec::Heartbeat(_));
        let _permit = match self.room.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_full) if opens => {
                let mut none = Observation::bare(Reason::Fd, Phases::default());
                let why = "as many runs are under way as may have files open; raise `ulimit -n`";
                none.detail.why = Some(why.to_owned());
                return none;
            }
            Err(_full) => None,
        };
        probe::run(&job.check, job.lane, net, started).await
    }

    /// The fault of ours that makes a run say nothing, if there was one. A good answer is
    /// evidence even where the anchors are silent: only a bad one is put down to us.
    async fn own_fault(
        &self,
        spec: &Spec,
        observation: &Observation,
        late_us: u32,
        start: Start,
        outside: &Outside,
    ) -> Option<Reason> {
        let testimony = observation.reason.outcome().testimony()?;
        if late_us > OWN_DELAY_US || self.absences.touch(start, &self.clock) {
            return Some(Reason::Suspend);
        }
        if testimony == Testimony::Good {
            return None;
        }
        let since = Instant::now() - believed(spec, observation.reason)?;
        outside.control.blind(since).await.then_some(Reason::SelfNet)
    }
}

/// How old the anchors' answer may be that decides on a bad result; `None`: they say nothing of it,
/// as a socket of this machine is not reached over the network.
const fn believed(spec: &Spec, reason: Reason) -> Option<Duration> {
    match (spec, reason) {
        (Spec::Unix(_), _) => None,
        // An error of the network itself is likely ours, and wants a fresh answer.
        (_, Reason::ConnectUnreachable) => Some(Duration::ZERO),
        _ => Some(control::BELIEVED),
    }
}

/// Runs `probe`; a panic in it is a bug of ours, which must cost one result and not the check.
pub(super) async fn guarded(
    check: &Check,
    mut probe: Pin<Box<impl Future<Output = Observation>>>,
) -> Observation {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| probe.as_mut().poll(context)));
        polled.unwrap_or_else(|_panic| {
            error!(check = %check.id, "a probe panicked: a bug of ours, please report it");
            let mut void = Observation::bare(Reason::Internal, Phases::default());
            void.detail.why = Some("the probe panicked: a bug of ours".to_owned());
            Poll::Ready(void)
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::IpChoice;
    use crate::model::expect::CertExpect;
    use crate::model::id::{CheckId, OwnerId, SystemId};
    use crate::model::spec::{IcmpSpec, UnixSpec};

    fn icmp() -> Spec {
        let host = url::Host::Domain("h".into());
        Spec::Icmp(IcmpSpec { host, payload_bytes: 8, ttl: None, dont_fragment: false })
    }

    #[test]
    fn a_socket_of_this_machine_is_bad_whether_the_network_is_there_or_not() {
        let icmp = icmp();
        assert_eq!(believed(&icmp, Reason::ConnectUnreachable), Some(Duration::ZERO));
        assert_eq!(believed(&icmp, Reason::ConnectRefused), Some(control::BELIEVED));
        let (path, cert) = ("/run/a.sock".into(), CertExpect::default());
        let unix = UnixSpec { path, tls: None, dialogue: Vec::new(), cert };
        assert_eq!(believed(&Spec::Unix(Box::new(unix)), Reason::ConnectRefused), None);
    }

    #[tokio::test]
    async fn a_panic_in_a_probe_is_one_void_result() {
        let check = Check {
            id: CheckId::new("a").unwrap(),
            system: SystemId::new("s").unwrap(),
            owner: OwnerId::new("o").unwrap(),
            name: "a".to_owned(),
            disabled: None,
            critical: true,
            interval_ms: 1_000,
            timeout: Micros(1_000),
            slow: None,
            confirm: 3,
            ip: IpChoice::Any,
            platform: None,
            spec: icmp(),
        };
        let seen = guarded(&check, Box::pin(async { panic!("on purpose") })).await;
        assert_eq!(seen.reason, Reason::Internal);
    }
}
