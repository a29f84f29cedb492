//! `kind = tcp`: a connection, TLS if asked for, and a dialogue of lines.
//!
//! `send` is the time of what we say, `wait` the time until the first byte after we began to
//! expect something, `receive` the rest until a line matches. A peer that keeps the line open
//! and never says it ends in `timeout_wait` or `timeout_receive`; the explanation shows what
//! it said last.

mod lines;
mod wire;

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, dial, or_slow, resolve, screen, tls};
use crate::model::check::Check;
use crate::model::how::How;
use crate::model::observation::{Detail, Observation};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::{Line, TcpSpec, TlsClient};
use crate::model::text::Pattern;
use crate::model::time::Millis;
use lines::{ADDED_BYTES_MAX, Groups, Lines, TooMuch};
use wire::Wire;

/// Bytes read at a time.
const READ_BYTES: usize = 4 << 10;

/// Connects, and says and hears what the check says.
pub(super) async fn run(
    spec: &TcpSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let watch = Stopwatch::start(check.timeout);
    let mut run = Run {
        spec,
        net,
        now,
        watch,
        detail: Box::default(),
        lines: Lines::default(),
        groups: Groups::default(),
    };
    let end = run.talk(how).await;
    let mut observation = conclude(end, run.watch.read(), run.detail);
    observation.bytes = u32::try_from(run.lines.heard()).unwrap_or(u32::MAX);
    or_slow(&mut observation, check);
    observation
}

struct Run<'a> {
    spec: &'a TcpSpec,
    net: &'a Net,
    now: Millis,
    watch: Stopwatch,
    detail: Box<Detail>,
    lines: Lines,
    groups: Groups,
}

impl Run<'_> {
    async fn talk(&mut self, how: How) -> Result<(), Fault> {
        let (watch, detail) = (&mut self.watch, &mut *self.detail);
        let peer = &self.spec.peer;
        let addresses = resolve::resolve(&peer.host, how, self.net, watch, detail).await?;
        let stream = dial::connect(&addresses, peer.port, how, self.net, watch, detail).await?;
        let mut wire = Wire::Plain(stream);
        if let Some(client) = &self.spec.tls {
            wire = self.encrypt(wire, client).await?;
        }
        for line in &self.spec.dialogue {
            match line {
                Line::Send(written) => self.say(&mut wire, written).await?,
                Line::Expect(pattern) => self.hear(&mut wire, pattern).await?,
                Line::StartTls(client) => wire = self.encrypt(wire, client).await?,
            }
        }
        Ok(())
    }

    async fn encrypt(&mut self, wire: Wire, client: &TlsClient) -> Result<Wire, Fault> {
        let Wire::Plain(stream) = wire else {
            return Err(Fault::new(Reason::Internal, "the dialogue starts TLS inside TLS"));
        };
        // What came in clear after the agreement may be anybody's (CVE-2011-0411).
        if !self.lines.is_empty() {
            let why = "more came in clear after the peer agreed to start TLS";
            return Err(Fault::new(Reason::DialogueMismatch, why));
        }
        let terms = tls::Terms {
            host: &self.spec.peer.host,
            client,
            alpn: tls::ALPN_NONE,
            expect: self.spec.cert,
            now: self.now,
        };
        let (watch, detail) = (&mut self.watch, &mut *self.detail);
        let stream = tls::handshake(stream, terms, self.net, watch, detail).await?;
        Ok(Wire::Tls(Box::new(stream)))
    }

    async fn say(&mut self, wire: &mut Wire, written: &[u8]) -> Result<(), Fault> {
        let said = lines::fill(written, &self.groups).ok_or_else(|| {
            let why = format!("groups add more than {ADDED_BYTES_MAX} bytes to what is sent");
            Fault::new(Reason::DialogueMismatch, why)
        })?;
        let said = async {
            wire.write(&said).await.map_err(|error| {
                let why = format!("the connection ended while we were sending: {error}");
                Fault::new(Reason::DialogueClosed, why)
            })
        };
        self.watch.run(Phase::Send, said).await
    }

    /// Reads until a line matches. What is left when the peer closes is a line as well.
    async fn hear(&mut self, wire: &mut Wire, pattern: &Pattern) -> Result<(), Fault> {
        let mut phase = Phase::Wait;
        let mut buffer = vec![0; READ_BYTES];
        self.watch.enter(phase);
        loop {
            while let Some(line) = self.lines.next().map_err(|error| unheard(pattern, error))? {
                if self.matches(pattern, &line) {
                    return Ok(());
                }
            }
            let read = async { Ok(wire.read(&mut buffer).await) };
            let read =
                self.watch.run(phase, read).await.map_err(|fault| self.late(&fault, pattern));
            match read? {
                Ok(0) => return self.hear_rest(pattern, "the peer closed the connection"),
                Err(error) => return self.hear_rest(pattern, &error.to_string()),
                Ok(length) => {
                    phase = Phase::Receive;
                    let pushed = self.lines.push(&buffer[..length]);
                    pushed.map_err(|error| unheard(pattern, error))?;
                }
            }
        }
    }

    fn hear_rest(&mut self, pattern: &Pattern, end: &str) -> Result<(), Fault> {
        if let Some(line) = self.lines.rest()
            && self.matches(pattern, &line)
        {
            return Ok(());
        }
        let why = format!("{end}, before a line matched `{}`{}", pattern.as_str(), self.last());
        Err(Fault::new(Reason::DialogueClosed, why))
    }

    fn matches(&mut self, pattern: &Pattern, line: &[u8]) -> bool {
        // The last lines are the ones that explain a failure.
        if self.detail.answer.len() == screen::LINES_MAX {
            self.detail.answer.remove(0);
        }
        self.detail.answer.push(screen::line(line));
        match lines::groups(pattern, line) {
            Some(groups) => {
                self.groups = groups;
                true
            }
            None => false,
        }
    }

    fn late(&self, fault: &Fault, pattern: &Pattern) -> Fault {
        let why = format!("{}: no line matched `{}`", fault.why, pattern.as_str());
        Fault::new(fault.reason, why + &self.last())
    }

    fn last(&self) -> String {
        self.detail.answer.last().map_or_else(
            || "; nothing was said".to_owned(),
            |line| format!("; the last line was `{line}`"),
        )
    }
}

fn unheard(pattern: &Pattern, error: TooMuch) -> Fault {
    let why = format!("{error}, and none matched `{}`", pattern.as_str());
    Fault::new(Reason::DialogueMismatch, why)
}
