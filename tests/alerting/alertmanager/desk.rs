//! A monitor reduced to its book of incidents and its clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZoneDatabase;
use thongsuot::alert::book::{Book, Ending, Escalation, Incident, IncidentId, Said};
use thongsuot::alert::channel::alertmanager::alerts::alerts;
use thongsuot::alert::channel::alertmanager::status::Status;
use thongsuot::alert::channel::alertmanager::{Alerts, AmAlert, Client};
use thongsuot::alert::condition::{Kind, Thread};
use thongsuot::clock::Clock;
use thongsuot::model::alerting::Alerting;
use thongsuot::model::alerting::channel::Alertmanager;
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::id::{CheckId, OwnerId, SystemId};
use thongsuot::model::spec::Auth;
use thongsuot::model::system::{AlertTerms, Owner, Roster, System};
use thongsuot::model::terms::Terms;
use thongsuot::model::time::Millis;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::until;

/// The deadline of a request: short, so that a hung instance is noticed soon.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// The book, and a client for each instance.
pub(super) struct Desk {
    book: Book,
    /// Changes are not given to the clients yet.
    drafting: bool,
    /// Alerts that no book would give.
    pub(super) odd: Vec<AmAlert>,
    wanted: watch::Sender<Arc<Alerts>>,
    clients: JoinSet<Result<(), String>>,
    statuses: Vec<watch::Receiver<Status>>,
    stop: CancellationToken,
}

/// The settings for the instance at `address`.
pub(super) fn settings(address: SocketAddr) -> Alertmanager {
    Alertmanager {
        url: format!("http://{address}/").parse().unwrap(),
        auth: Auth::None,
        extra_roots_pem: Vec::new(),
        identity_pem: None,
        timeout: TIMEOUT,
    }
}

pub(super) fn now() -> Millis {
    Clock::System.now()
}

pub(super) fn id(number: u32) -> IncidentId {
    IncidentId(format!("SC-2026-{number:04}"))
}

fn roster() -> Roster {
    let owner = |id: &str, name: &str| Owner { id: OwnerId::new(id).unwrap(), name: name.into() };
    let system = |id: &str, owner: &str, name: &str| System {
        id: SystemId::new(id).unwrap(),
        owner: OwnerId::new(owner).unwrap(),
        name: name.into(),
        objective: None,
        terms: Terms::default(),
        depends_on: Vec::new(),
        alert: AlertTerms::default(),
        checks: Vec::new(),
    };
    Roster {
        owners: vec![owner("bca", "Bộ Công an"), owner("btp", "Bộ Tư pháp")],
        systems: vec![
            system("vneid", "bca", "VNeID – Đăng nhập"),
            system("ho-tich", "btp", "Hộ tịch điện tử"),
        ],
        ..Roster::default()
    }
}

impl Desk {
    /// With an empty book and these instances.
    pub(super) fn new(instances: &[Alertmanager]) -> Self {
        Self::with_clock(instances, now)
    }

    /// The same, by another clock.
    pub(super) fn with_clock(instances: &[Alertmanager], clock: fn() -> Millis) -> Self {
        let (wanted, _) = watch::channel(Arc::new(Alerts::default()));
        let mut desk = Self {
            book: Book::default(),
            drafting: false,
            odd: Vec::new(),
            wanted,
            clients: JoinSet::new(),
            statuses: Vec::new(),
            stop: CancellationToken::new(),
        };
        desk.publish();
        for settings in instances {
            let client = Client::new(settings).unwrap();
            let (tell, status) = watch::channel(client.status(clock()));
            let run = client.run(desk.wanted.subscribe(), clock, tell, desk.stop.clone());
            desk.clients.spawn(run);
            desk.statuses.push(status);
        }
        desk
    }

    /// Gives the clients several changes as one.
    pub(super) fn together(&mut self, changes: impl FnOnce(&mut Self)) {
        self.drafting = true;
        changes(self);
        self.drafting = false;
        self.publish();
    }

    /// Opens an incident of `system`, or makes it so.
    pub(super) fn open(&mut self, number: u32, system: &str, kind: Kind, severity: Severity) {
        let at = now();
        let system = SystemId::new(system).unwrap();
        let thread = match kind {
            Kind::Coverage => Thread::Coverage(system),
            Kind::Certificate => Thread::Certificate(CheckId::new("tls").unwrap()),
            _ => Thread::Service(system),
        };
        let reason = Some("connect_refused".to_owned());
        let since = at.plus_ms(-30_000);
        let said =
            Said { kind, severity, since, checks: Vec::new(), reason, why: None, number: None };
        let id = id(number);
        let opened = self.book.incidents.get(&id).map_or(at, |it| it.opened);
        let incident = Incident {
            id: id.clone(),
            thread,
            team: None,
            kind,
            severity,
            since,
            opened,
            now: vec![said],
            calm_since: None,
            closed: None,
            ending: None,
            cause: None,
            returns: Vec::new(),
            flapping: false,
            maintained: false,
            paged: true,
            held_until: None,
            ack: None,
            escalation: Escalation::default(),
            parts: Vec::new(),
            log: Vec::new(),
        };
        self.book.incidents.insert(id, incident);
        self.publish();
    }

    /// Changes an incident.
    pub(super) fn change(&mut self, number: u32, change: impl FnOnce(&mut Incident)) {
        change(self.book.incidents.get_mut(&id(number)).unwrap());
        self.publish();
    }

    /// Closes an incident.
    pub(super) fn close(&mut self, number: u32) {
        self.change(number, |it| {
            it.now.clear();
            it.closed = Some(now());
            it.ending = Some(Ending::Recovered);
        });
    }

    /// Gives the clients what should stand now.
    pub(super) fn publish(&mut self) {
        if self.drafting {
            return;
        }
        let zone = TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap();
        let alerting = Alerting {
            public_url: Some("https://giamsat.example.gov.vn/".parse().unwrap()),
            ..Alerting::default()
        };
        let mut all = alerts(&self.book, &roster(), &alerting, &zone, (now(), now()));
        all.all.extend(self.odd.iter().cloned().map(Arc::new));
        self.wanted.send_replace(Arc::new(all));
    }

    /// How the instance in this place is doing.
    pub(super) fn status(&self, place: usize) -> Status {
        self.statuses[place].borrow().clone()
    }

    /// Waits until the instance in this place is doing so.
    pub(super) async fn status_is(
        &self,
        place: usize,
        what: &str,
        is: impl Fn(&Status) -> bool,
    ) -> Status {
        until(what, async || Some(self.status(place)).filter(&is)).await
    }

    /// Waits until the instance in this place has accepted all.
    pub(super) async fn accepted(&self, place: usize) -> Status {
        let done = |it: &Status| it.last_accepted.is_some() && it.waiting == 0;
        // The client may not have looked at the newest set yet: wanted and accepted must agree.
        let firing = self.wanted.borrow().all.iter().filter(|it| it.is_firing()).count();
        self.status_is(place, "accepted all", |it| done(it) && it.firing == firing).await
    }

    /// Asks the clients to stop and waits for them.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.clients.join_next().await {
            assert_eq!(ended.unwrap(), Ok(()));
        }
    }
}
