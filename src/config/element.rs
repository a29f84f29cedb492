//! One file per kind of value: from the text written to the value meant.

pub(super) mod address;
pub(super) mod clock;
pub(super) mod dns;
pub(super) mod duration;
pub(super) mod header;
pub(super) mod people;
pub(super) mod size;
pub(super) mod status;
pub(super) mod template;
pub(super) mod url;
pub(super) mod words;
pub(super) mod zone;

use serde_json_path::JsonPath;
use unicode_normalization::UnicodeNormalization;

use super::keys::Form;
use crate::model::id::{CheckId, NotAnId};
use crate::model::system::Objective;
use crate::model::text::Pattern;

pub(crate) use words::{nearest, nearest_of, quoted_key};

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAn {
    /// An empty text.
    #[error("this text is empty")]
    Empty,
    /// Not an id.
    #[error(transparent)]
    Id(#[from] NotAnId),
    /// Not a length of time.
    #[error("`{written}` is not a length of time: {problem}")]
    Duration {
        /// As written.
        written: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A length of time outside its range.
    #[error("{written} is not within {min} to {max}")]
    DurationRange {
        /// As written.
        written: String,
        /// Least.
        min: String,
        /// Most.
        max: String,
    },
    /// Not a number of bytes.
    #[error("`{written}` is not a number of bytes from 1 to 64 MiB")]
    Size {
        /// As written.
        written: String,
    },
    /// Not a percentage.
    #[error("`{written}` is not a percentage")]
    Percent {
        /// As written.
        written: String,
    },
    /// Not a URL.
    #[error(transparent)]
    Url(#[from] url::NotAUrl),
    /// Not a regular expression.
    #[error("this is not a regular expression: {problem}")]
    Pattern {
        /// The parser's words.
        problem: String,
    },
    /// Not a JSONPath.
    #[error("this is not a JSONPath: {problem}")]
    JsonPath {
        /// The parser's words.
        problem: String,
    },
    /// Not a range of status codes.
    #[error("`{written}` is not a range of status codes")]
    StatusRange {
        /// As written.
        written: String,
    },
    /// Not a header's name.
    #[error("`{written}` is not the name of a header")]
    HeaderName {
        /// As written.
        written: String,
    },
    /// A header that is not for the operator to set.
    #[error("header `{written}` is set by the program itself")]
    OwnHeader {
        /// As written.
        written: String,
    },
    /// Not the name of metadata.
    #[error("`{written}` is not a name of gRPC metadata that can be set")]
    MetadataName {
        /// As written.
        written: String,
    },
    /// Not a header's value. The text itself may be a secret and is not repeated.
    #[error("this text can't stand in a header")]
    HeaderValue,
    /// Not a host.
    #[error("`{written}` is not a host: a name or an IP address")]
    Host {
        /// As written.
        written: String,
    },
    /// Not a host and a port.
    #[error("`{written}` is not a host and a port")]
    Peer {
        /// As written.
        written: String,
    },
    /// A port outside 1 to 65535.
    #[error("port `{written}` is not within 1 to 65535")]
    Port {
        /// As written.
        written: String,
    },
    /// Not an anchor.
    #[error("`{written}` is not `tcp://host:port`")]
    Anchor {
        /// As written.
        written: String,
    },
    /// Not an address to listen on.
    #[error("`{written}` is not an IP address and a port")]
    Listen {
        /// As written.
        written: String,
    },
    /// Not an address.
    #[error("`{written}` is not an IP address")]
    Ip {
        /// As written.
        written: String,
    },
    /// Not a time zone.
    #[error("there is no time zone `{written}`")]
    Zone {
        /// As written.
        written: String,
        /// The zone that looks most like it.
        nearest: Option<String>,
    },
    /// Not the path of a socket.
    #[error("this can't be the path of a socket: {problem}")]
    SocketPath {
        /// What is wrong with it.
        problem: String,
    },
    /// Not a subprotocol.
    #[error("`{written}` is not the name of a subprotocol")]
    Subprotocol {
        /// As written.
        written: String,
    },
    /// Not a pattern of files.
    #[error("`**` is not understood: `*` stands for any text within one name")]
    Glob,
    /// Not the name of an environment variable.
    #[error("`{written}` is not the name of an environment variable")]
    EnvName {
        /// As written.
        written: String,
    },
    /// Not a name in DNS.
    #[error("`{written}` is not a name in DNS")]
    DnsName {
        /// As written.
        written: String,
    },
    /// Not a record type.
    #[error("`{written}` is not a record type")]
    RecordType {
        /// As written.
        written: String,
        /// The one that looks most like it.
        nearest: Option<&'static str>,
    },
    /// Not a response code.
    #[error("`{written}` is not a response code")]
    Rcode {
        /// As written.
        written: String,
        /// The one that looks most like it.
        nearest: Option<&'static str>,
    },
    /// Not a mailbox.
    #[error("`{written}` is not a mailbox")]
    Mailbox {
        /// As written.
        written: String,
    },
    /// Not a day.
    #[error("`{written}` is not a day")]
    Date {
        /// As written.
        written: String,
    },
    /// Not a time of day.
    #[error("`{written}` is not a time of day")]
    ClockMinute {
        /// As written.
        written: String,
    },
    /// Not hours of a day.
    #[error("`{written}` is not a part of a day")]
    ClockRange {
        /// As written.
        written: String,
    },
    /// Not hours that may cross midnight.
    #[error("`{written}` is not a part of a day")]
    ClockWindow {
        /// As written.
        written: String,
    },
    /// Not a point in time.
    #[error("`{written}` is not a point in time")]
    Moment {
        /// As written.
        written: String,
    },
    /// Not the length of a turn.
    #[error("`{written}` is not the length of a turn")]
    Turn {
        /// As written.
        written: String,
    },
    /// Not somebody to call.
    #[error("`{written}` does not say whom to call")]
    Target {
        /// As written.
        written: String,
    },
    /// Not a mobile number.
    #[error("`{written}` is not a mobile number")]
    Phone {
        /// As written.
        written: String,
    },
    /// Not a template. Its text may hold a secret and is not repeated.
    #[error("this is not a template: {problem}")]
    Template {
        /// The engine's words.
        problem: String,
    },
    /// Not a name in templates.
    #[error("`{written}` is not a name for a value")]
    ValueName {
        /// As written.
        written: String,
    },
    /// Not days that come again and again.
    #[error("`{written}` does not say on which days")]
    Every {
        /// As written.
        written: String,
    },
}

impl NotAn {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Empty => "write something, or take the key out".to_owned(),
            Self::Duration { .. } => "write a number and a unit: `500ms`, `30s`, `1h 30m`".into(),
            Self::DurationRange { min, max, .. } => format!("write {min} to {max}"),
            Self::Size { .. } => "write, for example, `1 MiB`, `64 KiB` or `512 B`".into(),
            Self::Percent { .. } => {
                "write, for example, `99.9%`: more than 0, at most 100, at most four decimals"
                    .into()
            }
            Self::Url(not) => return not.help(),
            Self::Pattern { .. } => {
                "between single quotes a backslash is one: '\\d+'; look-around is not known".into()
            }
            Self::JsonPath { .. } => "write, for example, `$.items[?@.status == \"UP\"]`".into(),
            Self::StatusRange { .. } => "write, for example, `300-399`, within 100 to 599".into(),
            Self::HeaderName { .. } => "write letters, digits and `-`".into(),
            Self::OwnHeader { .. } => "take it out".into(),
            Self::MetadataName { .. } => {
                "write a-z, 0-9, `-`, `_` and `.`; not `grpc-…`, not `…-bin`".into()
            }
            Self::HeaderValue => "write one line of visible ASCII characters and blanks".into(),
            Self::Peer { .. } => {
                "write, for example, `mail.example.gov.vn:25` or `[::1]:25`".into()
            }
            Self::Anchor { .. } => "write, for example, `tcp://192.0.2.1:443`".into(),
            Self::Listen { .. } => "write, for example, `127.0.0.1:9247` or `[::1]:9247`".into(),
            Self::Ip { .. } => "write, for example, `192.0.2.1` or `2001:db8::1`".into(),
            Self::Zone { nearest, .. } => match nearest {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a name of the IANA database, such as `Asia/Ho_Chi_Minh`".into(),
            },
            Self::RecordType { nearest, .. } | Self::Rcode { nearest, .. } => {
                format!("did you mean `{}`?", (*nearest)?)
            }
            Self::SocketPath { .. } => {
                "write another path; a symbolic link can make one shorter".into()
            }
            Self::Subprotocol { .. } => "write, for example, `mqtt` or `v12.stomp`".into(),
            Self::Mailbox { .. } => "write, for example, `giamsat@example.gov.vn`".into(),
            Self::Date { .. } => "write year, month and day: `2026-02-16`".into(),
            Self::ClockMinute { .. } => "write `07:30`; `24:00` is the end of the day".into(),
            Self::ClockRange { .. } => {
                "write `07:30-11:30`, the end after the start; over midnight as two days".into()
            }
            Self::ClockWindow { .. } => {
                "write `08:00-17:00`, or `17:00-08:00` over midnight".into()
            }
            Self::Moment { .. } => {
                "write `2027-02-05 08:00`, or `2027-02-05T08:00:00+07:00`".into()
            }
            Self::Turn { .. } => "write hours, days or weeks: `8h`, `1d`, `1w`".into(),
            Self::Target { .. } => {
                "write `oncall`, `everyone`, `person:ID` or `address:CHANNEL:TO`".into()
            }
            Self::Phone { .. } => "write, for example, `0912345678` or `+84912345678`".into(),
            Self::ValueName { .. } => "write a-z, 0-9 and `_`, beginning with a letter".into(),
            Self::Every { .. } => {
                "write `daily`, `mon` to `sun`, or `monthly-1` to `monthly-31`".into()
            }
            _ => return None,
        };
        Some(help)
    }
}

/// Whether `text` is of `form`. A pattern comes back compiled, as that is what costs.
pub(super) fn check(form: Form, text: &str) -> Result<Option<Pattern>, NotAn> {
    if text.is_empty() && form != Form::Bytes {
        return Err(NotAn::Empty);
    }
    if form == Form::Pattern {
        return pattern(text).map(Some);
    }
    check_plain(form, text).map(|()| None)
}

fn check_plain(form: Form, text: &str) -> Result<(), NotAn> {
    match form {
        Form::Plain if text.trim().is_empty() => Err(NotAn::Empty),
        Form::SocketPath => words::socket_path(text),
        Form::Subprotocol => header::subprotocol(text),
        Form::Glob if text.contains("**") => Err(NotAn::Glob),
        Form::Plain | Form::Bytes | Form::Path | Form::Glob => Ok(()),
        Form::Id => CheckId::new(text).map(drop).map_err(NotAn::Id),
        Form::Duration { min_ms, max_ms } => duration::within(text, min_ms, max_ms).map(drop),
        Form::Size => size::bytes(text).map(drop),
        Form::Percent => objective(text).map(drop),
        Form::Url => url::http(text).map(drop),
        Form::WebsocketUrl => url::websocket(text).map(drop),
        Form::ProxyUrl => url::proxy(text).map(drop),
        Form::Pattern => pattern(text).map(drop),
        Form::JsonPath => json_path(text).map(drop),
        Form::StatusRange => status::range(text).map(drop),
        Form::HeaderName => header::name(text).map(drop),
        Form::MetadataName => header::metadata_name(text).map(drop),
        Form::HeaderValue => header::value(text),
        Form::Host => address::host(text).map(drop),
        Form::Peer => address::peer(text, None).map(drop),
        Form::PeerOr(port) => address::peer(text, Some(port)).map(drop),
        Form::Anchor => address::anchor(text).map(drop),
        Form::Listen => address::listen(text).map(drop),
        Form::Ip => address::ip(text).map(drop),
        Form::Resolver => address::resolver(text).map(drop),
        Form::Zone => zone::zone(text).map(drop),
        Form::EnvName => words::env_name(text),
        Form::DnsName => dns::name(text).map(drop),
        Form::RecordType => dns::record_type(text).map(drop),
        Form::Rcode => dns::rcode(text).map(drop),
        Form::Mailbox => words::mailbox(text),
        Form::Date => clock::date(text).map(drop),
        Form::ClockMinute => clock::minute(text).map(drop),
        Form::ClockRange => clock::range(text).map(drop),
        Form::Every => clock::every(text).map(drop),
        Form::ClockWindow => people::window(text).map(drop),
        Form::Moment => people::moment(text, &jiff::tz::TimeZone::UTC).map(drop),
        Form::Turn => people::turn(text).map(drop),
        Form::Target => people::target(text).map(drop),
        Form::Sender => people::sender(text),
        Form::Template => template::syntax(text),
        Form::ValueName => people::value_name(text),
    }
}

/// An availability such as `99.9%`.
pub(super) fn objective(text: &str) -> Result<Objective, NotAn> {
    Objective::parse(text).ok_or_else(|| NotAn::Percent { written: text.to_owned() })
}

/// A regular expression, brought to NFC first.
pub(super) fn pattern(text: &str) -> Result<Pattern, NotAn> {
    Pattern::new(&nfc(text)).map_err(|error| {
        let whole = error.to_string();
        let last = whole.lines().last().unwrap_or_default();
        NotAn::Pattern { problem: last.trim_start_matches("error: ").to_owned() }
    })
}

/// A JSONPath (RFC 9535).
pub(super) fn json_path(text: &str) -> Result<JsonPath, NotAn> {
    JsonPath::parse(text).map_err(|error| NotAn::JsonPath { problem: error.to_string() })
}

/// `text` in NFC.
pub(super) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// Whether `text` is in NFC.
pub(super) fn is_nfc(text: &str) -> bool {
    unicode_normalization::is_nfc(text)
}
