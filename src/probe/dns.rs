//! `kind = dns`: one question to one name server.
//!
//! The message goes over sockets of our own, so that each phase is timed; `dns` is the name of
//! the *server* being looked up. Whoever is asked, an answer other than expected is the
//! service's error. Silence is the server's fault only if the check names the server: of the
//! monitor's own resolver it is `void/self_dns`.

mod judge;
mod question;
mod wire;
mod zone;

use std::net::SocketAddr;

use hickory_proto::op::Message;
use hickory_proto::rr::{RData, Record};
use tokio::net::UdpSocket;
use url::Host;

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, dial, fault, or_slow, resolve, screen, tls};
use crate::model::check::{Check, Lane};
use crate::model::expect::CertExpect;
use crate::model::how::How;
use crate::model::kept::{DnsKept, Kept};
use crate::model::observation::{Detail, Observation};
use crate::model::outcome::Outcome;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::{DnsSpec, DnsTransport, TlsClient};
use crate::model::time::Millis;
use question::Question;
use wire::{Answer, Datagram};

/// Asks, and holds the answer against what is expected.
pub(super) async fn run(
    spec: &DnsSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let watch = Stopwatch::start(check.timeout);
    let mut run = Run { how, net, now, watch, detail: Box::default() };
    let asked = run.ask(spec).await;
    let phases = run.watch.read();
    let (end, answer) = match asked {
        Ok(answer) => {
            run.detail.answer = lines(&answer.message);
            if how.keep {
                run.detail.kept = Some(Box::new(Kept::Dns(kept(&answer.message))));
            }
            (judge::judge(&spec.expect, &answer.message), Some(answer))
        }
        Err(fault) => (Err(blame(spec, fault)), None),
    };
    let mut observation = conclude(end, phases, run.detail);
    observation.status = answer.as_ref().map(|it| it.message.metadata.response_code.into());
    observation.bytes = answer.map_or(0, |it| u32::from(it.bytes));
    or_slow(&mut observation, check);
    observation
}

struct Run<'a> {
    how: How,
    net: &'a Net,
    now: Millis,
    watch: Stopwatch,
    detail: Box<Detail>,
}

impl Run<'_> {
    async fn ask(&mut self, spec: &DnsSpec) -> Result<Answer, Fault> {
        let question = Question::new(spec, rand::random())?;
        let whom = self.server(spec).await?;
        let answer = self.ask_for(&question, &spec.transport, &whom).await?;
        match question.without_edns(&answer.message)? {
            Some(plain) => self.ask_for(&plain, &spec.transport, &whom).await,
            None => Ok(answer),
        }
    }

    async fn ask_for(
        &mut self,
        question: &Question,
        transport: &DnsTransport,
        (host, server): &(Host<String>, SocketAddr),
    ) -> Result<Answer, Fault> {
        match transport {
            DnsTransport::Udp => match self.over_udp(*server, question).await? {
                Datagram::Answer(answer) => Ok(answer),
                Datagram::Truncated => self.over_tcp(*server, question).await.map_err(|fault| {
                    let why = format!("the answer over UDP was cut short; {}", fault.why);
                    Fault::new(fault.reason, why)
                }),
            },
            DnsTransport::Tcp => self.over_tcp(*server, question).await,
            DnsTransport::Tls(client) => self.over_tls(host, client, *server, question).await,
        }
    }

    /// Whom to ask, at its first address.
    async fn server(&mut self, spec: &DnsSpec) -> Result<(Host<String>, SocketAddr), Fault> {
        let none =
            |why: &str| Fault::new(Reason::Internal, format!("no name server to ask: {why}"));
        if let Some(peer) = &spec.server {
            let (watch, detail) = (&mut self.watch, &mut *self.detail);
            let found = resolve::resolve(&peer.host, self.how, self.net, watch, detail).await?;
            let first = found.first().ok_or_else(|| none("its name has no address"))?;
            return Ok((peer.host.clone(), SocketAddr::new(*first, peer.port)));
        }
        let fits = |server: &&SocketAddr| match self.how.lane {
            Lane::Any => true,
            Lane::V4 => server.is_ipv4(),
            Lane::V6 => server.is_ipv6(),
        };
        let own = self.net.resolvers.iter().find(fits);
        let mut own = *own.ok_or_else(|| none("the monitor has no resolver of this family"))?;
        if matches!(spec.transport, DnsTransport::Tls(_)) {
            own.set_port(DNS_OVER_TLS_PORT);
        }
        let host = match own {
            SocketAddr::V4(v4) => Host::Ipv4(*v4.ip()),
            SocketAddr::V6(v6) => Host::Ipv6(*v6.ip()),
        };
        Ok((host, own))
    }

    async fn over_udp(
        &mut self,
        server: SocketAddr,
        question: &Question,
    ) -> Result<Datagram, Fault> {
        self.watch.enter(Phase::Connect);
        self.detail.remote = Some(server);
        let local = resolve::local(server, self.how.source.or(self.net.settings.source));
        let fault = |error| fault::of_io(&format!("UDP to {server}"), &error);
        let socket = UdpSocket::bind(local).await.map_err(fault)?;
        socket.connect(server).await.map_err(fault)?;
        wire::udp(&mut self.watch, &socket, server, question).await
    }

    async fn over_tcp(&mut self, server: SocketAddr, question: &Question) -> Result<Answer, Fault> {
        let (watch, detail) = (&mut self.watch, &mut *self.detail);
        let mut stream =
            dial::connect(&[server.ip()], server.port(), self.how, self.net, watch, detail).await?;
        wire::stream(watch, &mut stream, question).await
    }

    async fn over_tls(
        &mut self,
        host: &Host<String>,
        client: &TlsClient,
        server: SocketAddr,
        question: &Question,
    ) -> Result<Answer, Fault> {
        let (watch, detail) = (&mut self.watch, &mut *self.detail);
        let stream =
            dial::connect(&[server.ip()], server.port(), self.how, self.net, watch, detail).await?;
        let expect = CertExpect::default();
        let terms = tls::Terms { host, client, alpn: tls::ALPN_NONE, expect, now: self.now };
        let mut stream = tls::handshake(stream, terms, self.net, watch, detail).await?;
        wire::stream(watch, &mut stream, question).await
    }
}

/// Where resolvers listen for TLS (RFC 7858, section 3.1).
const DNS_OVER_TLS_PORT: u16 = 853;

/// If our own resolver gave no answer, nothing is known about the name asked for.
fn blame(spec: &DnsSpec, fault: Fault) -> Fault {
    let silent = matches!(fault.reason.outcome(), Outcome::Unreachable | Outcome::Hang);
    if spec.server.is_none() && silent {
        return Fault::new(Reason::SelfDns, format!("our own resolver: {}", fault.why));
    }
    fault
}

/// The whole answer, each record with tabs between its parts.
fn kept(message: &Message) -> DnsKept {
    let section = |records: &[Record]| records.iter().map(zone::tabbed).collect();
    let serial = |record: &Record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    };
    DnsKept {
        answer: section(&message.answers),
        authority: section(&message.authorities),
        additional: section(&message.additionals),
        serial: message.answers.iter().filter_map(serial).next_back(),
    }
}

/// The records as a zone file shows them, with a comment before each further section.
fn lines(message: &Message) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, records) in [
        (None, &message.answers),
        (Some(";; authority"), &message.authorities),
        (Some(";; additional"), &message.additionals),
    ] {
        let head = name.filter(|_| !records.is_empty()).map(str::to_owned);
        let shown = records.iter().take(screen::LINES_MAX);
        lines.extend(head);
        lines.extend(shown.map(|record| screen::line(zone::line(record).as_bytes())));
    }
    lines.truncate(screen::LINES_MAX);
    lines
}
