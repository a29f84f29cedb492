//! The closed list of mistakes, each with its values, its text and its mend.

use super::element;
use crate::model::alerting::presets::FIELDS;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum What {
    /// A file can't be read.
    #[error("can't read `{path}`: {problem}")]
    Unreadable {
        /// Its path.
        path: String,
        /// The system's words.
        problem: String,
    },
    /// A file is larger than allowed.
    #[error("`{path}` is larger than {max_bytes} bytes")]
    TooLarge {
        /// Its path.
        path: String,
        /// The limit.
        max_bytes: u64,
    },
    /// A file is not UTF-8.
    #[error("`{path}` is not UTF-8 text: byte {byte} does not belong")]
    NotUtf8 {
        /// Its path.
        path: String,
        /// The first bad byte, from 0.
        byte: usize,
    },
    /// Not TOML.
    #[error("this is not TOML: {problem}")]
    Syntax {
        /// The parser's words.
        problem: String,
    },
    /// A name in `include` leads nowhere.
    #[error("`include` names `{pattern}`, and there is no such file")]
    IncludeMissing {
        /// As written.
        pattern: String,
    },
    /// More files than allowed.
    #[error("`include` names more than {max} files")]
    TooManyFiles {
        /// The limit.
        max: usize,
    },
    /// A key that may only stand in the main file.
    #[error("`{key}` may stand only in the main file, and this one is included")]
    OnlyInMain {
        /// The key.
        key: String,
    },
    /// An unknown key.
    #[error("unknown key `{key}` in `{table}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table.
        table: &'static str,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
        /// Other tables that have it.
        elsewhere: Vec<&'static str>,
        /// All known keys.
        known: Vec<&'static str>,
    },
    /// A key of another kind.
    #[error("`{key}` is not a key of `{kind}` {of}")]
    OtherKind {
        /// What has kinds: checks or channels.
        of: &'static str,
        /// The key.
        key: String,
        /// The kind of this one.
        kind: String,
        /// The kinds that have it.
        kinds: Vec<&'static str>,
        /// The key of this kind that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A key that must be there is not.
    #[error("`{table}` has no `{key}`")]
    Missing {
        /// The key.
        key: &'static str,
        /// The table.
        table: &'static str,
        /// How it may be written.
        example: &'static str,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {wanted}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What it must be.
        wanted: String,
        /// What it is.
        found: &'static str,
        /// How it may be written.
        example: &'static str,
    },
    /// Not one of the words allowed.
    #[error("`{key}` can't be `{written}`")]
    NotAWord {
        /// The key.
        key: String,
        /// As written.
        written: String,
        /// The words allowed.
        words: &'static [&'static str],
    },
    /// A number outside its range.
    #[error("`{key}` must be {min} to {max}, not {written}")]
    OutOfRange {
        /// The key.
        key: String,
        /// As written.
        written: i64,
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// A list with too few items.
    #[error(
        "`{key}` {}",
        if *.found == 0 {
            "is empty".to_owned()
        } else {
            format!("needs at least {min} items, not {found}")
        }
    )]
    TooFew {
        /// The key.
        key: String,
        /// Fewest.
        min: usize,
        /// How many there are.
        found: usize,
    },
    /// A text that is not of its form.
    #[error("{0}")]
    Element(#[from] element::NotAn),
    /// Not exactly one of keys that exclude each other.
    #[error(
        "`{table}` needs {} of {}, not {found}",
        if *.at_most { "at most one" } else { "one" },
        listed(.keys)
    )]
    Choose {
        /// The table.
        table: &'static str,
        /// The keys.
        keys: &'static [&'static str],
        /// Whether none is fine too.
        at_most: bool,
        /// How many are there.
        found: usize,
    },
    /// A secret is written into the file.
    #[error("`{key}` is a secret and must not stand in the file")]
    PlainSecret {
        /// The key.
        key: String,
    },
    /// An environment variable that is not set.
    #[error("environment variable `{name}` is not set")]
    NoSuchEnv {
        /// Its name.
        name: String,
    },
    /// A secret that is empty.
    #[error("the secret in {place} is empty")]
    EmptySecret {
        /// Where it was looked for.
        place: String,
    },
    /// A secret that can't stand where it is sent.
    #[error("the secret in {place} has characters that can't stand in a header")]
    SecretNotPrintable {
        /// Where it was looked for.
        place: String,
    },
    /// An id used twice.
    #[error("the {of} `{id}` is described twice")]
    Duplicate {
        /// What it names.
        of: &'static str,
        /// The id.
        id: String,
    },
    /// An id that names nothing.
    #[error("there is no {of} `{id}`")]
    NoSuch {
        /// What it should name.
        of: &'static str,
        /// The id.
        id: String,
        /// The one that looks most like it.
        nearest: Option<String>,
    },
    /// Systems that depend on each other in a circle.
    #[error("systems depend on each other in a circle: {}", .circle.join(" -> "))]
    Circle {
        /// The systems; the first is also the last.
        circle: Vec<String>,
    },
    /// A length of time that another one forbids.
    #[error(
        "`{key}` {length} must be {} the {other}, {bound}",
        if *.or_equal { "at most" } else { "less than" }
    )]
    TooLong {
        /// The key.
        key: &'static str,
        /// Its value.
        length: String,
        /// The other key.
        other: &'static str,
        /// Its value.
        bound: String,
        /// Whether they may be equal.
        or_equal: bool,
    },
    /// A check that does not run and doesn't say why.
    #[error("a check with `enabled = false` needs a `reason`")]
    DisabledWithoutReason,
    /// A reason without effect.
    #[error("`reason` says why a check does not run, and this one does")]
    ReasonWithoutEffect,
    /// Everyone can read everything.
    #[error("others can reach `listen = \"{listen}\"`, and there is no `token`")]
    OpenListen {
        /// As written.
        listen: String,
    },
    /// A key without the one that it needs.
    #[error("`{key}` does nothing without {needs}")]
    Needs {
        /// The key.
        key: String,
        /// What it needs.
        needs: &'static str,
    },
    /// A file that holds no certificate or key.
    #[error("`{path}` holds no {wanted} in PEM")]
    BadPem {
        /// Its path.
        path: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Values that must rise.
    #[error("`{key}` must rise: `{later}` comes after `{earlier}`")]
    NotRising {
        /// The key.
        key: &'static str,
        /// The one before.
        earlier: String,
        /// The one after.
        later: String,
    },
    /// A least that is above a most.
    #[error("`{min_key}` {min} is more than `{max_key}` {max}")]
    Reversed {
        /// The key of the least.
        min_key: &'static str,
        /// Its value.
        min: String,
        /// The key of the most.
        max_key: &'static str,
        /// Its value.
        max: String,
    },
    /// An expectation on TLS that no answer can meet.
    #[error(
        "`tls = {expected}` can never hold: {}",
        if *expected {
            "the URL is `http`, and no redirect is followed"
        } else {
            "the URL is `https`, and a redirect to `http` is always refused"
        }
    )]
    TlsNever {
        /// What is written.
        expected: bool,
    },
    /// A window without length.
    #[error("this maintenance has no length")]
    EmptyWindow,
    /// Days in a row that are not.
    #[error("`until` must be from `date` to {} days later", .days - 1)]
    HolidaySpan {
        /// Most days.
        days: i32,
    },
    /// An objective that no burn rate can exceed.
    #[error("no burn-rate rule could ever alert on an objective of {objective}")]
    NoRuleCanFire {
        /// The objective.
        objective: String,
    },
    /// A team without anybody.
    #[error("team `{team}` has nobody")]
    NobodyInTeam {
        /// The team.
        team: String,
    },
    /// A layer whose hours never come.
    #[error("this layer never names anybody: no such day comes")]
    NeverOnCall,
    /// A time of day that is the end of it.
    #[error("`24:00` is the end of a day, and nothing begins then")]
    EndOfDay,
    /// An end that is not after its start.
    #[error("`to` must be after `from`")]
    EndsBeforeStart,
    /// A key that is too short.
    #[error("the secret in {place} has fewer than {bytes_min} bytes")]
    ShortSecret {
        /// Where it was looked for.
        place: String,
        /// Fewest bytes.
        bytes_min: usize,
    },
    /// A secret that should be a URL.
    #[error("the secret in {place} is not a URL of `http` or `https`")]
    SecretNotUrl {
        /// Where it was looked for.
        place: String,
    },
    /// The address of a channel by templates is none.
    #[error("this does not make a URL of `http` or `https`")]
    TemplateNotUrl,
    /// A base address with a query.
    #[error("a base address has no query")]
    BaseHasQuery,
    /// A name in a template that messages don't have.
    #[error("messages have no `{name}`")]
    NoSuchName {
        /// The name.
        name: String,
        /// The one that looks most like it.
        nearest: Option<String>,
    },
    /// A value that would hide a field of messages.
    #[error("every message has a `{name}` already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A block signature that matches everything.
    #[error("a block signature needs `header` or `body_contains`: a status alone says nothing")]
    EmptySignature,
}

impl What {
    /// What stands at the arrow.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::DisabledWithoutReason => "in this one",
            Self::UnknownKey { .. } => "unknown",
            Self::Duplicate { .. } => "again here",
            Self::PlainSecret { .. } => "written here",
            _ => "here",
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::UnknownKey { nearest: Some(nearest), .. } => did_you_mean(nearest),
            Self::UnknownKey { key, elsewhere, .. } if !elsewhere.is_empty() => {
                format!("`{key}` is a key of {}", listed(elsewhere))
            }
            Self::UnknownKey { known, .. } => format!("it has: {}", known.join(", ")),
            Self::OtherKind { of, kinds, nearest, .. } => {
                let has = format!("it is a key of {} {of}", listed(kinds));
                nearest.map_or(has.clone(), |near| format!("{has}; {}", did_you_mean(near)))
            }
            Self::Missing { key, example, .. } if !example.is_empty() => {
                format!("write, for example, `{key} = {example}`")
            }
            Self::Missing { table: "the file", .. } => "begin the file with `[monitor]`".to_owned(),
            Self::WrongType { key, example, .. } if !example.is_empty() => {
                format!("write, for example, `{key} = {example}`")
            }
            Self::WrongType { key, .. } if key == "system" => {
                "write `[[system]]`, with two brackets, before its `[[system.check]]`".to_owned()
            }
            Self::WrongType { wanted, .. } if wanted.contains("[[") => {
                format!("write {wanted}, with two brackets")
            }
            Self::WrongType { key, wanted, found: "a list", .. } if wanted == "a table" => {
                format!("write `{key} = {{ … }}`, or one header in single brackets")
            }
            Self::NotAWord { written, words, .. } => match element::nearest(written, words) {
                Some(near) => did_you_mean(near),
                None => format!("write one of {}", words.join(", ")),
            },
            Self::Element(not) => return not.help(),
            Self::Choose { keys, at_most: false, .. } => format!("write one of {}", listed(keys)),
            Self::Choose { at_most: true, .. } => "write them as rules of their own".to_owned(),
            Self::PlainSecret { key } => {
                let key = element::quoted_key(key);
                format!(
                    "write `{key} = {{ file = \"…\" }}` or `{key} = {{ env = \"NAME\" }}`, and \
                     change the secret: it has been in a file"
                )
            }
            Self::NoSuchEnv { name } => format!("set `{name}`, or use `{{ file = \"…\" }}`"),
            Self::EmptySecret { .. } => "put the secret there".to_owned(),
            Self::SecretNotPrintable { .. } => {
                "keep it to one line of visible ASCII characters".to_owned()
            }
            Self::Duplicate { of: "header" | "contact" | "Alertmanager", .. } => {
                "write it once".to_owned()
            }
            Self::Duplicate { of, .. } => format!("give each {of} an id of its own"),
            Self::NoSuch { nearest: Some(nearest), .. } => did_you_mean(nearest),
            Self::NoSuch { of, id, .. } => format!("add a `[[{of}]]` with `id = \"{id}\"`"),
            Self::Circle { .. } => "take one of them out of `depends_on`".to_owned(),
            Self::TooLong { key, other, .. } => format!("lower `{key}` or raise `{other}`"),
            Self::DisabledWithoutReason => {
                "write, for example, `reason = \"chờ văn bản đồng ý của chủ quản\"`".to_owned()
            }
            Self::ReasonWithoutEffect => "add `enabled = false`, or take `reason` out".to_owned(),
            Self::OpenListen { .. } => {
                "add `token = { file = \"…\" }` to `[monitor]`, or listen on `127.0.0.1`".to_owned()
            }
            Self::OnlyInMain { key } => format!("move `{key}` to the main file"),
            Self::IncludeMissing { .. } => {
                "create it, or write a pattern with `*`, which may match nothing".to_owned()
            }
            Self::NotRising { .. } => "write them in ascending order, each once".to_owned(),
            _ => return self.help_meaning().or_else(|| self.help_alerting()),
        };
        Some(help)
    }

    /// The same for what is well written and means nothing.
    fn help_meaning(&self) -> Option<String> {
        let help = match self {
            Self::EmptyWindow => "write `to` other than `from`; `from` at most 23:59",
            Self::NoRuleCanFire { .. } => {
                "raise it to what the system is really held to, or take it out"
            }
            Self::TlsNever { .. } => "take it out, or ask another URL",
            _ => return None,
        };
        Some(help.to_owned())
    }
}

impl What {
    /// The same for alerting.
    fn help_alerting(&self) -> Option<String> {
        let help = match self {
            Self::NobodyInTeam { .. } => {
                "give it a `[[team.layer]]`, a `[[team.step]]` or a `fallback`"
            }
            Self::NeverOnCall => {
                "mind `days` and `which`; days worked for others are `[[holiday]]`"
            }
            Self::EndOfDay => "write `00:00`",
            Self::ShortSecret { .. } => "put a longer one there: `openssl rand -hex 32`",
            Self::SecretNotUrl { .. } => "put the whole address there, such as `https://…`",
            Self::TemplateNotUrl => "begin it with `https://` and a host",
            Self::NoSuchName { nearest: Some(nearest), .. } => return Some(did_you_mean(nearest)),
            Self::NoSuchName { .. } => {
                return Some(format!("they have: {}; and your `values`", FIELDS.join(", ")));
            }
            Self::NameTaken { .. } => "choose another name",
            Self::BaseHasQuery => "take it out",
            _ => return None,
        };
        Some(help.to_owned())
    }
}

fn did_you_mean(nearest: &str) -> String {
    format!("did you mean `{nearest}`?")
}

/// `a`, `b` or `c`.
fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
