//! Channels: how messages leave this monitor.

use std::time::Duration;

use url::Url;

use crate::model::id::ChannelId;
use crate::model::secret::Secret;
use crate::model::spec::Auth;
use crate::model::text::Pattern;

/// One Alertmanager: give every instance of a cluster, never a load balancer before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    /// Base address, such as `http://am-1:9093/`.
    pub url: Url,
    /// How we prove who we are: nothing, basic or bearer.
    pub auth: Auth,
    /// Besides the system's roots, as PEM.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Certificate chain and key for mutual TLS, as one PEM.
    pub identity_pem: Option<Secret>,
    /// Deadline of one request.
    pub timeout: Duration,
}

/// A direct channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Stable id; contacts and metrics name it.
    pub id: ChannelId,
    /// Least time between two messages to one address.
    pub min_gap: Duration,
    /// Deadline of one attempt.
    pub timeout: Duration,
    /// How it sends.
    pub kind: ChannelKind,
}

/// How a channel sends.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// SMTP (RFC 5321).
    Email(Box<Email>),
    /// One HTTP request a message, from templates.
    Http(Box<HttpChannel>),
}

/// A mail server.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// Host name or address.
    pub host: String,
    /// Port: 25, 465 or 587 as a rule.
    pub port: u16,
    /// How the connection is kept secret.
    pub security: MailSecurity,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// Sender, as a mailbox: `Giám sát <giamsat@example.gov.vn>`.
    pub from: String,
    /// Besides the system's roots, as PEM.
    pub extra_roots_pem: Vec<Vec<u8>>,
}

/// How a connection to a mail server is kept secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MailSecurity {
    /// STARTTLS (RFC 3207), or nothing is sent.
    #[default]
    StartTls,
    /// STARTTLS if it is offered; never with a password on plain text.
    Opportunistic,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Plain text: for a relay on the same machine.
    None,
}

/// A request made of templates. In every text, `{{ … }}` and filters are filled from the message
/// (`docs/channels.md` lists the names).
#[derive(Clone, Debug, PartialEq)]
pub struct HttpChannel {
    /// The preset it was made from, for metrics and docs: `webhook`, `zalo-bot`, ….
    pub preset: &'static str,
    /// Template of the address. A secret: tokens sit in addresses.
    pub url: Secret,
    /// Method, upper case.
    pub method: String,
    /// Templates of headers.
    pub headers: Vec<(String, Secret)>,
    /// Template of the body.
    pub body: Secret,
    /// What the body is: the `content-type`.
    pub content_type: String,
    /// Signs the body: header `X-Thongsuot-Signature: sha256=<hex of HMAC-SHA256>`.
    pub signing_key: Option<Secret>,
    /// What the answer must be besides a 2xx.
    pub success: Success,
    /// Named values for the templates, such as `token`.
    pub values: Vec<(String, Secret)>,
    /// A token that is exchanged (Zalo OA and ZNS).
    pub token: Option<TokenExchange>,
    /// Longest text, in characters; longer ones are cut with `…`.
    pub text_chars_max: usize,
}

/// What an answer must be besides a 2xx to count as sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Success {
    /// Nothing.
    Status,
    /// The value at a JSONPath (RFC 9535) is one of these texts, as JSON prints them.
    Json {
        /// The path, such as `$.ok`.
        path: String,
        /// The values, such as `true` or `0` or `"100"`.
        equals: Vec<String>,
    },
    /// The body matches.
    Matches(Pattern),
}

/// A token pair of which the refreshing one works once (OAuth 2, as Zalo does it). The pair in
/// force is kept with the history, saved before it is used.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenExchange {
    /// Where pairs are exchanged.
    pub url: Url,
    /// `app_id`.
    pub app_id: String,
    /// Header `secret_key`.
    pub secret_key: Secret,
    /// The first refresh token, from the authorisation by hand.
    pub refresh_token: Secret,
}
