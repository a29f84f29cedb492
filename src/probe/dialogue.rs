//! A conversation over a stream of bytes: what is said, what must be heard, and TLS on the way.
//!
//! `send` is the time of what we say, `wait` the time until the first byte after we began to
//! expect something, `receive` the rest until a line matches. A peer that keeps the line open
//! and never says it ends in `timeout_wait` or `timeout_receive`; the explanation shows what
//! it said last.

mod lines;
mod talk;
mod template;
mod wire;

use tokio::io::{AsyncRead, AsyncWrite};
use url::Host;

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, expect, or_slow, tls};
use crate::model::check::Check;
use crate::model::expect::CertExpect;
use crate::model::how::How;
use crate::model::kept::Unmet;
use crate::model::observation::{Detail, Observation};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::{Line, TlsClient};
use crate::model::text::Pattern;
use crate::model::time::Millis;
use lines::{Lines, TooMuch};
use wire::Wire;

pub(super) use talk::{Talk, shows};

/// Bytes read at a time.
const READ_BYTES: usize = 4 << 10;

/// What is to be said, and how TLS is spoken on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    /// What is said, in order.
    pub(super) lines: &'a [Line],
    /// TLS from the first byte.
    pub(super) tls: Option<&'a TlsClient>,
    /// The name that certificates are for, unless the TLS settings name another.
    pub(super) host: &'a Host<String>,
    /// What the certificate must be.
    pub(super) cert: CertExpect,
    /// The wall time by which certificates are judged.
    pub(super) now: Millis,
}

/// One run of a dialogue, from before it connects.
#[derive(Debug)]
pub(super) struct Dialogue<'a> {
    terms: Terms<'a>,
    net: &'a Net,
    /// The run's time.
    pub(super) watch: Stopwatch,
    /// What was seen so far.
    pub(super) detail: Box<Detail>,
    lines: Lines,
    talk: Talk,
}

impl<'a> Dialogue<'a> {
    /// Starts the run's time.
    pub(super) fn begin(terms: Terms<'a>, check: &Check, net: &'a Net) -> Self {
        Self {
            terms,
            net,
            watch: Stopwatch::start(check.timeout),
            detail: Box::default(),
            lines: Lines::default(),
            talk: Talk::default(),
        }
    }

    /// What the run ends with.
    pub(super) fn end(mut self, end: Result<(), Fault>, check: &Check, how: How) -> Observation {
        self.detail.kept = self.talk.kept(how);
        let mut observation = conclude(end, self.watch.read(), self.detail);
        observation.bytes = u32::try_from(self.lines.heard()).unwrap_or(u32::MAX);
        or_slow(&mut observation, check);
        observation
    }

    /// Holds the conversation over `stream`.
    ///
    /// # Errors
    ///
    /// `dialogue_mismatch`, `dialogue_closed`, a reason of TLS, or a timeout by phase.
    pub(super) async fn hold<S>(&mut self, stream: S) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut wire = Wire::Plain(stream);
        if let Some(client) = self.terms.tls {
            wire = self.encrypt(wire, client).await?;
        }
        for line in self.terms.lines {
            match line {
                Line::Send(_) | Line::SendExpanded(_) => self.say(&mut wire, line).await?,
                Line::Expect(pattern) => self.hear(&mut wire, pattern).await?,
                Line::ExpectBytes(bytes) => self.hear_bytes(&mut wire, bytes).await?,
                Line::Label { name, value } => self.talk.labels(name, value)?,
                Line::StartTls(client) => wire = self.encrypt(wire, client).await?,
            }
        }
        Ok(())
    }

    async fn encrypt<S>(&mut self, wire: Wire<S>, client: &TlsClient) -> Result<Wire<S>, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Wire::Plain(stream) = wire else {
            return Err(Fault::new(Reason::Internal, "the dialogue starts TLS inside TLS"));
        };
        // What came in clear after the agreement may be anybody's (CVE-2011-0411).
        if !self.lines.is_empty() {
            let why = "more came in clear after the peer agreed to start TLS";
            return Err(Fault::new(Reason::DialogueMismatch, why));
        }
        let Terms { host, cert, now, .. } = self.terms;
        let terms = tls::Terms { host, client, alpn: tls::ALPN_NONE, expect: cert, now };
        let (watch, detail) = (&mut self.watch, &mut *self.detail);
        let stream = tls::handshake(stream, terms, self.net, watch, detail).await?;
        Ok(Wire::Tls(Box::new(stream)))
    }

    async fn say<S>(&mut self, wire: &mut Wire<S>, line: &Line) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let said = self.talk.says(line)?;
        let said = async {
            wire.write(&said).await.map_err(|error| {
                let why = format!("the connection ended while we were sending: {error}");
                Fault::new(Reason::DialogueClosed, why)
            })
        };
        self.watch.run(Phase::Send, said).await
    }

    /// Reads until a line matches. What is left when the peer closes is a line as well.
    async fn hear<S>(&mut self, wire: &mut Wire<S>, pattern: &Pattern) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let unheard = |error: TooMuch| {
            let why = format!("{error}, and none matched `{}`", pattern.as_str());
            Fault::new(Reason::DialogueMismatch, why)
        };
        let mut phase = Phase::Wait;
        self.watch.enter(phase);
        loop {
            while let Some(line) = self.lines.next().map_err(unheard)? {
                if self.talk.hears(pattern, &line, &mut self.detail) {
                    return Ok(());
                }
            }
            let came = self.read(wire, phase).await.map_err(|fault| {
                let why = format!("{}: no line matched `{}`", fault.why, pattern.as_str());
                Fault::new(fault.reason, why + &self.last())
            })?;
            match came {
                Came::Bytes(pushed) => pushed.map_err(unheard)?,
                Came::End(end) => return self.hear_rest(pattern, end.as_deref()),
            }
            phase = Phase::Receive;
        }
    }

    fn hear_rest(&mut self, pattern: &Pattern, error: Option<&str>) -> Result<(), Fault> {
        if let Some(line) = self.lines.rest()
            && self.talk.hears(pattern, &line, &mut self.detail)
        {
            return Ok(());
        }
        if error.is_none() {
            self.talk.misses(Unmet::Pattern);
        }
        let end = error.unwrap_or(CLOSED);
        let why = format!("{end}, before a line matched `{}`{}", pattern.as_str(), self.last());
        Err(Fault::new(Reason::DialogueClosed, why))
    }

    /// Reads as many bytes as `expected`, or until they differ.
    async fn hear_bytes<S>(&mut self, wire: &mut Wire<S>, expected: &[u8]) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut phase = Phase::Wait;
        self.watch.enter(phase);
        loop {
            let ahead = self.lines.ahead(expected.len());
            if ahead == expected {
                shows(ahead, &mut self.detail);
                self.lines.skip(expected.len());
                return Ok(());
            }
            let wanted = || expect::excerpt(expected);
            if !expected.starts_with(ahead) {
                shows(ahead, &mut self.detail);
                let why = format!("expected the bytes `{}`{}", wanted(), self.last());
                self.talk.misses(Unmet::Bytes);
                return Err(Fault::new(Reason::DialogueMismatch, why));
            }
            let came = self.read(wire, phase).await.map_err(|fault| {
                let why = format!("{}: the bytes `{}` did not come", fault.why, wanted());
                Fault::new(fault.reason, why)
            })?;
            match came {
                Came::Bytes(pushed) => pushed.map_err(|error| {
                    Fault::new(Reason::DialogueMismatch, format!("{error}, unlike `{}`", wanted()))
                })?,
                Came::End(error) => {
                    let end = error.as_deref().unwrap_or(CLOSED);
                    let why = format!("{end}, before the bytes `{}` came", wanted());
                    return Err(Fault::new(Reason::DialogueClosed, why));
                }
            }
            phase = Phase::Receive;
        }
    }

    /// Waits in `phase` for more.
    async fn read<S>(&mut self, wire: &mut Wire<S>, phase: Phase) -> Result<Came, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffer = vec![0; READ_BYTES];
        let read = async { Ok(wire.read(&mut buffer).await) };
        Ok(match self.watch.run(phase, read).await? {
            Ok(0) => Came::End(None),
            Err(error) => Came::End(Some(error.to_string())),
            Ok(length) => Came::Bytes(self.lines.push(&buffer[..length])),
        })
    }

    fn last(&self) -> String {
        self.detail.answer.last().map_or_else(
            || "; nothing was said".to_owned(),
            |line| format!("; the last line was `{line}`"),
        )
    }
}

/// How a peer that closes in good order is told of.
const CLOSED: &str = "the peer closed the connection";

/// What came.
enum Came {
    /// Bytes, which were taken in.
    Bytes(Result<(), TooMuch>),
    /// The end, with its error if it was not in good order.
    End(Option<String>),
}
