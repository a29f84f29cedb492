//! What an answer must be: the expectations of each kind, as data.

use serde_json_path::JsonPath;

use super::text::Pattern;
use super::time::Micros;

/// A set of numbers as single values and inclusive ranges: `[200, "300-399"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSet(Vec<(u16, u16)>);

impl CodeSet {
    /// From inclusive ranges, `first <= last`; `None` if empty or a range is reversed.
    #[must_use]
    pub fn new(ranges: Vec<(u16, u16)>) -> Option<Self> {
        (!ranges.is_empty() && ranges.iter().all(|(first, last)| first <= last))
            .then_some(Self(ranges))
    }

    /// Whether `code` is in it.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&code))
    }

    /// As written in messages: `200, 300-399`.
    #[must_use]
    pub fn describe(&self) -> String {
        let one = |(first, last): &(u16, u16)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// What an HTTP answer must be. Every field empty: status 200 to 299 and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpExpect {
    /// Allowed status codes; default 200 to 299.
    pub status: CodeSet,
    /// Allowed HTTP versions; empty: any.
    pub versions: Vec<HttpVersion>,
    /// Rules on headers.
    pub headers: Vec<HeaderRule>,
    /// Texts that must each be in the body (compared in NFC and in NFD).
    pub body_contains: Vec<String>,
    /// Texts that must not be in the body (compared in NFC and in NFD).
    pub body_absent: Vec<String>,
    /// Patterns that must each match the body.
    pub body_matches: Vec<Pattern>,
    /// Patterns that must not match the body.
    pub body_not_matches: Vec<Pattern>,
    /// Fewest bytes of the decoded body.
    pub body_bytes_min: Option<u64>,
    /// Most bytes of the decoded body.
    pub body_bytes_max: Option<u64>,
    /// Rules on the body as JSON.
    pub json: Vec<JsonRule>,
    /// Longest run, shorter than the timeout; a longer one is an error, not merely slow.
    pub response_time: Option<Micros>,
    /// Whether the last hop must be over TLS (`true`) or must be in clear (`false`); `None`:
    /// either.
    pub tls: Option<bool>,
    /// What the certificate must be.
    pub cert: CertExpect,
    /// Whether block pages and 429 are told from the service's own answers. With `false`
    /// an answer is judged by the expectations alone.
    pub blocked: bool,
}

impl Default for HttpExpect {
    /// Status 200 to 299 and nothing else; block pages are told apart.
    fn default() -> Self {
        Self {
            status: CodeSet(vec![(200, 299)]),
            versions: Vec::new(),
            headers: Vec::new(),
            body_contains: Vec::new(),
            body_absent: Vec::new(),
            body_matches: Vec::new(),
            body_not_matches: Vec::new(),
            body_bytes_min: None,
            body_bytes_max: None,
            json: Vec::new(),
            response_time: None,
            tls: None,
            cert: CertExpect::default(),
            blocked: true,
        }
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
    /// HTTP/3 (RFC 9114).
    Http3,
}

impl HttpVersion {
    /// As in messages and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
            Self::Http3 => "3",
        }
    }
}

/// A rule on one header of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRule {
    /// Name, lower case.
    pub name: String,
    /// What must hold.
    pub must: HeaderMust,
}

/// What must hold of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderMust {
    /// It is there, whatever it says.
    BePresent,
    /// It is not there.
    BeAbsent,
    /// At least one of its values matches.
    Match {
        /// The pattern.
        pattern: Pattern,
        /// Whether a missing header passes.
        allow_missing: bool,
    },
    /// None of its values matches; a missing header passes.
    NotMatch(Pattern),
}

/// A rule on the body read as JSON (RFC 8259), by a JSONPath (RFC 9535).
#[derive(Clone, Debug, PartialEq)]
pub struct JsonRule {
    /// The path, which selects nodes.
    pub path: JsonPath,
    /// As written.
    pub written: String,
    /// What must hold of the nodes.
    pub must: JsonMust,
}

/// What must hold of the nodes that a path selects.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonMust {
    /// At least one node.
    Select,
    /// No node.
    SelectNothing,
    /// At least one node, and each equals this value.
    Equal(serde_json::Value),
    /// At least one node, and the text of each matches (numbers and booleans as written).
    Match(Pattern),
}

/// What a certificate must be, beyond being valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertExpect {
    /// Fewest whole days until the leaf's `notAfter`.
    pub leaf_days_min: Option<u32>,
    /// Fewest whole days until the verified chain ends (its earliest `notAfter`; of several
    /// valid chains the one that lasts longest).
    pub chain_days_min: Option<u32>,
}

/// What a DNS answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsExpect {
    /// Allowed response codes (RFC 6895, section 2.3); default NOERROR.
    pub rcodes: Vec<u16>,
    /// Rules on the answer section.
    pub answer: DnsSection,
    /// Rules on the authority section.
    pub authority: DnsSection,
    /// Rules on the additional section.
    pub additional: DnsSection,
    /// Whether the answer must carry the AD bit: validated by DNSSEC (RFC 4035, section 3.2.3).
    pub authenticated: bool,
}

/// Rules on one section of a DNS answer. A record is matched as its text in a zone file,
/// `name TTL class type data`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsSection {
    /// Record data that must each be there, such as an address.
    pub contains: Vec<String>,
    /// Patterns that must each match at least one record.
    pub matches: Vec<Pattern>,
    /// Patterns that every record must match; an empty section fails.
    pub all_match: Vec<Pattern>,
    /// Patterns that no record may match.
    pub none_matches: Vec<Pattern>,
    /// Fewest records of the section.
    pub count_min: Option<u32>,
}
