//! `kind = websocket`: the switch from HTTP to WebSocket (RFC 6455), and a dialogue of messages.
//!
//! `send` is the time of the opening request and of what we say later, `wait` the time until the
//! first byte of its answer, `receive` that of the answer and of all that must be heard. What is
//! heard is whole messages, of text or bytes alike; pings are answered on the way.

mod messages;

use tokio::io::{AsyncRead, AsyncWrite};

use super::dialogue::{Talk, shows};
use super::expect::excerpt;
use super::http::Opening;
use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, dial, http, or_slow, resolve, tls};
use crate::model::check::Check;
use crate::model::how::How;
use crate::model::kept::Unmet;
use crate::model::observation::{Detail, Observation};
use crate::model::phases::{Phase, Phases};
use crate::model::reason::Reason;
use crate::model::spec::{Line, WebsocketSpec};
use crate::model::text::Pattern;
use crate::model::time::Millis;
use messages::{Heard, Messages};

/// Connects, switches, and says and hears what the check says.
pub(super) async fn run(
    spec: &WebsocketSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let mut detail = Box::<Detail>::default();
    let mut opening = Opening::of(spec, how, net, now);
    let prepared = opening.prepare(check.timeout, &mut detail).await;
    let watch = Stopwatch::start(check.timeout);
    let talk = Talk::default();
    let mut run = Run { spec, how, net, now, opening, watch, detail, talk, heard: 0, phases: None };
    let end = match prepared {
        Ok(()) => run.reach().await,
        Err(fault) => Err(fault),
    };
    run.end(end, check)
}

struct Run<'a> {
    spec: &'a WebsocketSpec,
    how: How,
    net: &'a Net,
    now: Millis,
    opening: Opening<'a>,
    watch: Stopwatch,
    detail: Box<Detail>,
    talk: Talk,
    /// Bytes that came as WebSocket.
    heard: usize,
    /// Where the time went up to the goodbye, which is not part of the run.
    phases: Option<Phases>,
}

impl Run<'_> {
    fn end(mut self, end: Result<(), Fault>, check: &Check) -> Observation {
        self.detail.kept = self.talk.kept(self.how);
        let phases = self.phases.unwrap_or_else(|| self.watch.read());
        let mut observation = conclude(end, phases, self.detail);
        observation.bytes = u32::try_from(self.heard).unwrap_or(u32::MAX);
        self.opening.tell(&mut observation);
        or_slow(&mut observation, check);
        observation
    }

    async fn reach(&mut self) -> Result<(), Fault> {
        let Self { spec, how, net, now, .. } = *self;
        let (watch, detail) = (&mut self.watch, &mut *self.detail);
        let host = http::host_of(&spec.url)?;
        let port = spec.url.port_or_known_default().unwrap_or(80);
        let addresses = resolve::resolve(&host, how, net, watch, detail).await?;
        let stream = dial::connect(&addresses, port, how, net, watch, detail).await?;
        if spec.url.scheme() != "wss" {
            return self.switch(stream).await;
        }
        let (alpn, expect) = (http::ALPN_1, spec.cert);
        let terms = tls::Terms { host: &host, client: &spec.tls, alpn, expect, now };
        let stream = tls::handshake(stream, terms, net, watch, detail).await?;
        self.switch(stream).await
    }

    async fn switch<S>(&mut self, stream: S) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let (stream, read) = self.opening.ask(stream, &mut self.watch).await?;
        self.talk.upgraded();
        let mut messages = Messages::new(stream, &read);
        let end = self.converse(&mut messages).await;
        self.heard = messages.heard();
        self.phases = Some(self.watch.read());
        messages.close(self.watch.deadline()).await;
        end
    }

    async fn converse<S>(&mut self, messages: &mut Messages<S>) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        for line in &self.spec.dialogue {
            match line {
                Line::Send(_) | Line::SendExpanded(_) => {
                    let said = self.talk.says(line)?;
                    self.watch.run(Phase::Send, messages.send(said)).await?;
                }
                Line::Expect(pattern) => self.hear(messages, pattern).await?,
                Line::ExpectBytes(bytes) => self.hear_bytes(messages, bytes).await?,
                Line::Label { name, value } => self.talk.labels(name, value)?,
                Line::StartTls(_) => {
                    let why = "a dialogue over a WebSocket can't start TLS: use `wss`";
                    return Err(Fault::new(Reason::Internal, why));
                }
            }
        }
        Ok(())
    }

    /// Reads until a message matches.
    async fn hear<S>(&mut self, messages: &mut Messages<S>, pattern: &Pattern) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let wanted = || format!("no message matched `{}`", pattern.as_str());
            match self.next(messages, wanted).await? {
                Heard::Message(text) => {
                    if self.talk.hears(pattern, &text, &mut self.detail) {
                        return Ok(());
                    }
                }
                Heard::Closed(end) => {
                    self.talk.misses(Unmet::Pattern);
                    let pattern = pattern.as_str();
                    let why = format!("{end}, before a message matched `{pattern}`{}", self.last());
                    return Err(Fault::new(Reason::DialogueClosed, why));
                }
            }
        }
    }

    /// Reads one message, which must be `expected`.
    async fn hear_bytes<S>(
        &mut self,
        messages: &mut Messages<S>,
        expected: &[u8],
    ) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let wanted = || format!("the message `{}` did not come", excerpt(expected));
        match self.next(messages, wanted).await? {
            Heard::Message(text) => {
                shows(&text, &mut self.detail);
                if text == expected {
                    return Ok(());
                }
                self.talk.misses(Unmet::Bytes);
                let why = format!("expected the message `{}`{}", excerpt(expected), self.last());
                Err(Fault::new(Reason::DialogueMismatch, why))
            }
            Heard::Closed(end) => {
                let why = format!("{end}, before the message `{}` came", excerpt(expected));
                Err(Fault::new(Reason::DialogueClosed, why))
            }
        }
    }

    async fn next<S>(
        &mut self,
        messages: &mut Messages<S>,
        wanted: impl Fn() -> String,
    ) -> Result<Heard, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let heard = self.watch.run(Phase::Receive, messages.next()).await;
        heard.map_err(|fault| {
            let why = format!("{}: {}{}", fault.why, wanted(), self.last());
            Fault::new(fault.reason, why)
        })
    }

    fn last(&self) -> String {
        self.detail.answer.last().map_or_else(
            || "; no message came".to_owned(),
            |text| format!("; the last message was `{text}`"),
        )
    }
}
