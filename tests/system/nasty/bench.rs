//! A probe and what every run of it must hold.

use std::net::SocketAddr;
use std::time::Duration;

use thongsuot::clock::Clock;
use thongsuot::model::check::{Check, IpChoice, Lane};
use thongsuot::model::expect::{CertExpect, HttpExpect};
use thongsuot::model::id::{CheckId, OwnerId, SystemId};
use thongsuot::model::observation::Observation;
use thongsuot::model::phases::{Phase, Phases};
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::{
    Auth, HttpOffer, HttpSpec, Peer, RedirectTo, Redirects, Spec, TlsClient, TlsSpec,
};
use thongsuot::model::time::{Micros, Millis};
use thongsuot::probe::{self, Net, Settings};
use tokio::time::Instant;
use url::Host;

/// The timeout of runs that are expected to end by it.
pub(super) const SHORT: Micros = Micros(400_000);

/// How much longer than its timeout a run may say that it took.
const OVER: Duration = Duration::from_millis(50);

/// How much longer it may really take on a busy machine.
const BUSY: Duration = Duration::from_millis(250);

/// Largest body of the tests.
pub(super) const BODY_CAP: u64 = 1 << 20;

/// A net, and the time by which certificates are judged.
pub(super) struct Bench {
    pub(super) net: Net,
    pub(super) now: Millis,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            user_agent: "thongsuot/test".to_owned(),
            // Never asked: the tests name only `localhost`, or bring a server of their own.
            resolvers: vec![SocketAddr::from(([127, 0, 0, 1], 9))],
            source: None,
            system_roots: false,
            extra_roots_pem: Vec::new(),
            block_signatures: Vec::new(),
            kill: std::collections::BTreeSet::new(),
        };
        change(&mut settings);
        Self { net: Net::new(settings).expect("sound settings"), now: Clock::System.now() }
    }

    pub(super) fn trusting(root_pem: &str) -> Self {
        Self::with(|settings| settings.extra_roots_pem.push(root_pem.as_bytes().to_vec()))
    }

    /// Runs `check` once, and nothing else.
    pub(super) async fn net_run(&self, check: &Check) -> Reason {
        probe::run(check, Lane::Any, &self.net, self.now).await.reason
    }

    /// Runs `check` once and holds it to what no run may break.
    pub(super) async fn probe(&self, check: &Check) -> Observation {
        self.probe_in(check, Lane::Any).await
    }

    pub(super) async fn probe_in(&self, check: &Check, lane: Lane) -> Observation {
        let start = Instant::now();
        let seen = probe::run(check, lane, &self.net, self.now).await;
        let elapsed = start.elapsed();
        let (total, aside) = (seen.phases.total().duration(), seen.detail.aside.duration());
        let limit = check.timeout.duration();
        let told = format!("{seen:#?}");
        assert!(total <= limit + OVER, "too long: {told}");
        assert!(elapsed <= limit + aside + OVER + BUSY, "really took {elapsed:?}: {told}");
        assert!(total + aside <= elapsed, "more than passed, {elapsed:?}: {told}");
        assert!(
            elapsed.saturating_sub(total + aside) <= BUSY,
            "time missing of {elapsed:?}: {told}"
        );
        if !seen.detail.hops.is_empty() {
            let mut sum = Phases::default();
            seen.detail.hops.iter().for_each(|hop| sum.add(hop.phases));
            assert_eq!(sum, seen.phases, "hops don't sum to the run: {told}");
        }
        if let Spec::Http(spec) = &check.spec {
            assert!(u64::from(seen.bytes) <= spec.body_bytes_cap, "{told}");
        }
        let why = seen.detail.why.as_deref().unwrap_or_default();
        assert!(why.chars().count() <= 700 && !why.contains(char::is_control), "{told}");
        assert_eq!(why.is_empty(), seen.reason == Reason::None, "{told}");
        seen
    }

    /// Runs a check of `url` and expects `reason`.
    pub(super) async fn expect(&self, check: &Check, reason: Reason) -> Observation {
        let seen = self.probe(check).await;
        assert_eq!(seen.reason, reason, "{seen:#?}");
        seen
    }
}

/// Asserts that most of a run's time went to `phase`: on a busy machine all else takes long too.
#[track_caller]
pub(super) fn spent_in(seen: &Observation, phase: Phase) {
    let (part, total) = (seen.phases.get(phase), seen.phases.total());
    assert!(part.0 >= total.0 / 2, "not in {phase:?}: {seen:#?}");
}

/// A GET of `url` that expects nothing but 200 to 299.
pub(super) fn get(url: &str) -> Check {
    check(Spec::Http(Box::new(http(url))), Micros(5_000_000))
}

/// The same with a timeout that is meant to pass.
pub(super) fn get_soon(url: &str) -> Check {
    Check { timeout: SHORT, ..get(url) }
}

/// A GET with its settings changed.
pub(super) fn get_with(url: &str, change: impl FnOnce(&mut HttpSpec)) -> Check {
    let mut spec = http(url);
    change(&mut spec);
    check(Spec::Http(Box::new(spec)), Micros(5_000_000))
}

/// A check of the certificate of `localhost`.
pub(super) fn tls_at(port: u16, change: impl FnOnce(&mut TlsSpec)) -> Check {
    let mut spec = TlsSpec {
        peer: Peer { host: Host::Domain("localhost".to_owned()), port },
        tls: TlsClient::default(),
        starttls: None,
        cert: CertExpect::default(),
    };
    change(&mut spec);
    check(Spec::Tls(Box::new(spec)), Micros(5_000_000))
}

fn check(spec: Spec, timeout: Micros) -> Check {
    Check {
        id: CheckId::new("c").expect("an id"),
        system: SystemId::new("s").expect("an id"),
        owner: OwnerId::new("o").expect("an id"),
        name: "c".to_owned(),
        disabled: None,
        critical: true,
        interval_ms: 30_000,
        timeout,
        slow: None,
        confirm: 3,
        ip: IpChoice::Any,
        platform: None,
        spec,
    }
}

fn http(url: &str) -> HttpSpec {
    HttpSpec {
        url: url.parse().expect("a URL"),
        method: "GET".to_owned(),
        headers: Vec::new(),
        body: None,
        auth: Auth::None,
        tls: TlsClient::default(),
        proxy: None,
        redirects: Redirects { hops_max: 5, to: RedirectTo::SameHost, downgrade: false },
        offer: HttpOffer::Auto,
        compressed: true,
        body_bytes_cap: BODY_CAP,
        expect: expect(),
    }
}

/// Status 200 to 299 and nothing else.
pub(super) fn expect() -> HttpExpect {
    HttpExpect::default()
}
