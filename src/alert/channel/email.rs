//! E-mail over SMTP (RFC 5321): one connection, one recipient, one message.
//!
//! The dialogue is our own on lettre's connection, so that a refusal of this recipient is told
//! apart from a server that can't take anything now.

mod careful;

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

use careful::Careful;

use super::hide::Secrets;
use super::{SenderError, Sent};
use crate::alert::message::{Message, tamed};
use crate::model::alerting::channel::{Email, MailSecurity};
use crate::model::bytes::hex;
use crate::model::secret::Secret;
use crate::model::time::Millis;

/// How long a server may take to say goodbye: the message is its own by then.
const QUIT_WAIT: Duration = Duration::from_millis(500);

/// Answers that say who we are is not enough (RFC 4954, RFC 3207): not about the message.
const NOT_TRUSTED: [u16; 4] = [530, 534, 535, 538];

/// How far an attempt has come, for people who ask why it failed.
const STAGES: [&str; 7] = ["connect", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "message"];
const CONNECT: usize = 0;
const STARTTLS: usize = 1;
const AUTH: usize = 2;
const MAIL: usize = 3;
const RCPT: usize = 4;
const DATA: usize = 5;
const BODY: usize = 6;

/// A mail server, ready to be asked.
pub struct EmailSender {
    host: String,
    port: u16,
    security: MailSecurity,
    /// `None`: plain text.
    tls: Option<TlsParameters>,
    login: Option<(String, Secret)>,
    from: Mailbox,
    timeout: Duration,
}

impl fmt::Debug for EmailSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailSender").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Why an attempt ended.
enum Trouble {
    Smtp(SmtpError),
    Later(String),
    Refused(String),
}

impl From<SmtpError> for Trouble {
    fn from(error: SmtpError) -> Self {
        Self::Smtp(error)
    }
}

impl EmailSender {
    /// Makes it ready: reads the sender and the root certificates.
    pub fn new(email: &Email, timeout: Duration) -> Result<Self, SenderError> {
        let tls = match email.security {
            MailSecurity::None => None,
            _ => Some(tls(email)?),
        };
        Ok(Self {
            host: email.host.clone(),
            port: email.port,
            security: email.security,
            tls,
            login: email.login.clone(),
            from: email.from.parse().map_err(|_| SenderError::From)?,
            timeout,
        })
    }

    /// Sends `message` to the mailbox `to` within the timeout.
    pub async fn send(&self, to: &str, message: &Message, now: Millis) -> Sent {
        let Ok(to) = to.trim().parse::<Mailbox>() else {
            return Sent::refused("the address is not a mailbox");
        };
        let mail = match self.written(&to, message, now) {
            Ok(mail) => mail,
            Err(why) => return Sent::refused(why),
        };
        let secrets = self.secrets(&to, message);
        let stage = AtomicUsize::new(CONNECT);
        let ended = tokio::time::timeout(self.timeout, self.attempt(&to, &mail, &stage)).await;
        let at = stage.load(Ordering::Relaxed);
        let stage = STAGES.get(at).copied().unwrap_or_default();
        match ended {
            Err(_) => Sent::later(format!("{stage}: no end within {:?}", self.timeout)),
            Ok(Err(trouble)) => told(trouble, at, &secrets),
            Ok(Ok((mut connection, response))) => {
                tokio::time::timeout(QUIT_WAIT, connection.quit()).await.ok();
                Sent::Accepted { id: response.first_line().map(|it| tamed(&secrets.hide(it))) }
            }
        }
    }

    /// What of an answer is not told: who talks to whom, and how a page is acknowledged.
    fn secrets(&self, to: &Mailbox, message: &Message) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add_recipient(to.email.as_ref());
        secrets.add_recipient(self.from.email.as_ref());
        if let Some((name, password)) = &self.login {
            secrets.add(name);
            secrets.add(password.reveal());
        }
        secrets.add_links(message);
        secrets
    }

    /// The mail as it goes over the wire; ASCII only.
    fn written(&self, to: &Mailbox, message: &Message, now: Millis) -> Result<Vec<u8>, String> {
        let domain = self.from.email.domain();
        let thread = format!("<{}@{domain}>", fingerprint(&message.incident));
        let seconds = u64::try_from(now.0 / 1_000).unwrap_or(0);
        let parts = MultiPart::alternative_plain_html(message.text.clone(), message.html.clone());
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(to.clone())
            .date(UNIX_EPOCH + Duration::from_secs(seconds))
            .subject(tamed_header(&message.subject))
            .message_id(Some(format!("<{}@{domain}>", fingerprint(&message.key))))
            .in_reply_to(thread.clone())
            .references(thread)
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Thongsuot-Key", &tamed_header(&message.key)))
            .raw_header(header("X-Thongsuot-Incident", &tamed_header(&message.incident)))
            .multipart(parts)
            .map_err(|error| format!("the message can't be written: {error}"))?;
        Ok(mail.formatted())
    }

    /// The dialogue. The connection comes back open, the message taken over.
    async fn attempt(
        &self,
        to: &Mailbox,
        mail: &[u8],
        stage: &AtomicUsize,
    ) -> Result<(AsyncSmtpConnection, Response), Trouble> {
        let hello = hello();
        let mut connection = self.connect(&hello, stage).await?;
        stage.store(AUTH, Ordering::Relaxed);
        if let Some((name, password)) = &self.login {
            if !connection.is_encrypted() && self.security != MailSecurity::None {
                let why = "AUTH: no password is sent on plain text";
                return Err(Trouble::Later(why.to_owned()));
            }
            let login = Credentials::new(name.clone(), password.reveal().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &login).await?;
        }
        stage.store(MAIL, Ordering::Relaxed);
        let international = [&self.from, to].iter().any(|it| !it.email.to_string().is_ascii());
        let mut options = Vec::new();
        if international {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let why = "RCPT: the server does not know addresses with accents (SMTPUTF8)";
                return Err(Trouble::Refused(why.to_owned()));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        connection.command(Mail::new(Some(self.from.email.clone()), options)).await?;
        stage.store(RCPT, Ordering::Relaxed);
        connection.command(Rcpt::new(to.email.clone(), Vec::new())).await?;
        stage.store(DATA, Ordering::Relaxed);
        connection.command(Data).await?;
        stage.store(BODY, Ordering::Relaxed);
        let response = connection.message(mail).await?;
        Ok((connection, response))
    }

    /// A connection as secret as it must be.
    async fn connect(
        &self,
        hello: &ClientId,
        stage: &AtomicUsize,
    ) -> Result<AsyncSmtpConnection, Trouble> {
        let implicit = self.tls.clone().filter(|_| self.security == MailSecurity::Implicit);
        let server = (self.host.as_str(), self.port);
        if matches!(self.security, MailSecurity::None | MailSecurity::Implicit) {
            let tls = implicit;
            return Ok(AsyncSmtpConnection::connect_tokio1(server, None, hello, tls, None).await?);
        }
        let stream = TcpStream::connect(server).await;
        let stream = stream.map_err(|error| Trouble::Later(format!("connect: {error}")))?;
        let stream = Box::new(Careful::new(stream));
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, hello).await?;
        stage.store(STARTTLS, Ordering::Relaxed);
        match (self.security, &self.tls) {
            (MailSecurity::StartTls, Some(tls)) => {
                if !connection.can_starttls() {
                    return Err(Trouble::Later("the server does not offer STARTTLS".to_owned()));
                }
                connection.starttls(tls.clone(), hello).await?;
            }
            (MailSecurity::Opportunistic, Some(tls)) if connection.can_starttls() => {
                connection.starttls(tls.clone(), hello).await?;
            }
            _ => {}
        }
        Ok(connection)
    }
}

/// Who we say we are: this host if its name is a full one, else an address literal, which servers
/// that want full names take too (RFC 5321, section 4.1.4).
fn hello() -> ClientId {
    match ClientId::default() {
        ClientId::Domain(name) if !name.contains('.') => ClientId::Ipv4(Ipv4Addr::LOCALHOST),
        it => it,
    }
}

fn tls(email: &Email) -> Result<TlsParameters, SenderError> {
    // lettre takes the process's provider, and without one the only one built in: ring.
    let mut tls = TlsParameters::builder(email.host.clone());
    for pem in &email.extra_roots_pem {
        let roots = Certificate::from_pem(pem).map_err(|it| SenderError::Roots(it.to_string()))?;
        tls = tls.add_root_certificate(roots);
    }
    tls.build_rustls().map_err(|it| SenderError::Tls(it.to_string()))
}

/// What a failure means: before the recipient is named, an answer is about us, and can be mended.
/// The words of a server are told, but not those about a password, and no secret that they repeat.
fn told(trouble: Trouble, stage: usize, secrets: &Secrets) -> Sent {
    let name = STAGES.get(stage).copied().unwrap_or_default();
    let error = match trouble {
        Trouble::Later(why) => return Sent::later(why),
        Trouble::Refused(why) => return Sent::refused(why),
        Trouble::Smtp(error) => error,
    };
    let code = error.status().map(u16::from);
    let said = match code {
        Some(code) if stage == AUTH => format!("{name}: {code}"),
        Some(code) => format!("{name}: {code} {}", tamed(&secrets.hide(&deepest(&error)))),
        None => format!("{name}: {}", tamed(&secrets.hide(&deepest(&error)))),
    };
    let about_us = stage < RCPT || code.is_some_and(|it| NOT_TRUSTED.contains(&it));
    if error.is_permanent() && !about_us { Sent::refused(said) } else { Sent::later(said) }
}

/// The first cause: what wraps it only says that something failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |it| it.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// The same text has the same id, which says nothing of the text.
fn fingerprint(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..16])
}

/// One line; long enough for any subject of ours.
fn tamed_header(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
