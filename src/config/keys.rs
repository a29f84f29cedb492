//! The table of keys: the one source for the reader, the JSON Schema and the reference.
//!
//! A key is described once: its name, the shape of its value, its default, what it means and
//! an example. What is not described here is a mistake in a file.

pub(super) mod alerting;
pub(super) mod http;
pub(super) mod protocols;
pub(super) mod shared;
pub(super) mod monitor;
pub(super) mod roster;
pub(super) mod terms;

/// A table of the configuration.
#[derive(Debug)]
pub(super) struct Table {
    /// How it is called in messages and headings, such as `[monitor]`.
    pub title: &'static str,
    /// What it stands for.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
    /// Keys that depend on the value of `kind`; empty: it has no kinds.
    pub kinds: &'static [Kind],
    /// Keys that exclude each other.
    pub choice: Choice,
}

/// A kind of a table, chosen by its key `kind`.
#[derive(Debug)]
pub(super) struct Kind {
    /// The word written.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The keys that this kind has besides the common ones.
    pub keys: &'static [Key],
}

/// Keys that exclude each other.
#[derive(Debug)]
pub(super) enum Choice {
    /// None do.
    Free,
    /// Exactly one of these is written.
    One(&'static [&'static str]),
    /// At most one of these is written.
    AtMostOne(&'static [&'static str]),
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// As written.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be written, and what holds if it is not.
    pub need: Need,
    /// What it means: one or more sentences.
    pub doc: &'static str,
    /// A value as it may be written; empty for tables, which have a section of their own.
    pub example: &'static str,
}

/// Whether a key must be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// It must.
    Required,
    /// It need not; this is what holds then, in words.
    Default(&'static str),
}

/// What a value looks like.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text of some form.
    Text(Form),
    /// `true` or `false`.
    Bool,
    /// A whole number from `min` to `max`.
    Integer {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
        /// What is counted; may be empty.
        unit: &'static str,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any value that JSON has too.
    Any,
    /// A list with at least `min` items.
    List {
        /// What each item looks like.
        of: &'static Shape,
        /// Fewest items.
        min: usize,
    },
    /// A table.
    Table(&'static Table),
    /// Tables, each under a header in double brackets or in a list.
    Tables(&'static Table),
    /// A table with keys of the operator's choice.
    Map {
        /// What the keys are.
        of_keys: Form,
        /// What each value looks like.
        of: &'static Shape,
    },
    /// A secret: `{ file = "..." }` or `{ env = "NAME" }`, never the text itself.
    Secret,
    /// One of several shapes, told apart by the TOML type of the value.
    Either(&'static [Shape]),
}

impl Shape {
    fn collect(&'static self, tables: &mut Vec<&'static Table>) {
        match self {
            Self::Table(table) | Self::Tables(table) => table.collect(tables),
            Self::List { of, .. } | Self::Map { of, .. } => of.collect(tables),
            Self::Either(shapes) => shapes.iter().for_each(|it| it.collect(tables)),
            Self::Secret => shared::SECRET.collect(tables),
            _ => {}
        }
    }
}

/// What a text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Any text but the empty one.
    Plain,
    /// Any text, empty too.
    Bytes,
    /// An id.
    Id,
    /// A length of time such as `1h 30m`, within these milliseconds.
    Duration {
        /// Least, in milliseconds.
        min_ms: i64,
        /// Most, in milliseconds.
        max_ms: i64,
    },
    /// A number of bytes such as `64 KiB`, 1 byte to 64 MiB.
    Size,
    /// An availability such as `99.9%`.
    Percent,
    /// A URL of `http` or `https`.
    Url,
    /// A URL of `ws` or `wss`.
    WebsocketUrl,
    /// A URL of `http`: a proxy.
    ProxyUrl,
    /// A regular expression.
    Pattern,
    /// A JSONPath.
    JsonPath,
    /// A range of status codes such as `300-399`.
    StatusRange,
    /// The name of a header.
    HeaderName,
    /// The name of metadata of gRPC.
    MetadataName,
    /// A host: a name or an address.
    Host,
    /// A host and a port.
    Peer,
    /// A host, and a port if it is not this one.
    PeerOr(u16),
    /// `tcp://host:port`.
    Anchor,
    /// An IP address and a port to listen on; port 0: any free one.
    Listen,
    /// An IP address.
    Ip,
    /// An IP address, and a port if it is not 53.
    Resolver,
    /// A time zone of the IANA database.
    Zone,
    /// A path, relative to the file it is written in.
    Path,
    /// The path of a socket, or `@` and a name.
    SocketPath,
    /// The name of a subprotocol of WebSocket.
    Subprotocol,
    /// A path in which `*` and `?` stand for any text and any character of a name.
    Glob,
    /// The name of an environment variable.
    EnvName,
    /// A name in DNS.
    DnsName,
    /// A record type of DNS such as `A` or `TYPE65`.
    RecordType,
    /// A response code of DNS such as `NXDOMAIN`.
    Rcode,
    /// A mailbox.
    Mailbox,
    /// A line that can stand in a header: visible ASCII and blanks.
    HeaderValue,
    /// A day such as `2026-02-16`.
    Date,
    /// A time of day such as `07:30`.
    ClockMinute,
    /// Hours of a day such as `07:30-11:30`.
    ClockRange,
    /// `daily`, a weekday, or `monthly-15`.
    Every,
    /// Hours such as `17:00-08:00`, perhaps over midnight.
    ClockWindow,
    /// A point in time: `2027-02-05 08:00`, or RFC 3339.
    Moment,
    /// The length of a turn: `8h`, `1d`, `2w`.
    Turn,
    /// Who is called: `oncall`, `everyone`, `person:an`, `address:zalo:1a2b`.
    Target,
    /// A sender: a mailbox, perhaps with a name before it.
    Sender,
    /// A template of a message.
    Template,
    /// The name of a value in templates.
    ValueName,
}

impl Table {
    /// The key `name` of the table or, with a `kind`, of that kind.
    #[must_use]
    pub(super) fn key(&self, name: &str, kind: Option<&str>) -> Option<&'static Key> {
        self.keys_of(kind).find(|key| key.name == name)
    }

    /// The common keys and those of `kind`.
    pub(super) fn keys_of(&self, kind: Option<&str>) -> impl Iterator<Item = &'static Key> {
        let kind = self.kinds.iter().find(|it| Some(it.name) == kind);
        self.keys.iter().chain(kind.map_or(&[][..], |it| it.keys))
    }

    /// This table and all that it mentions, in the order of mention, each once.
    pub(super) fn with_all_below(&'static self) -> Vec<&'static Self> {
        let mut tables = Vec::new();
        self.collect(&mut tables);
        tables
    }

    fn collect(&'static self, tables: &mut Vec<&'static Self>) {
        if tables.iter().any(|known| known.title == self.title) {
            return;
        }
        tables.push(self);
        let kinds = self.kinds.iter().flat_map(|kind| kind.keys);
        for key in self.keys.iter().chain(kinds) {
            key.shape.collect(tables);
        }
    }

    /// Whether the table or one of its kinds has a key called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.key(name, None).is_some() || !self.kinds_with(name).is_empty()
    }

    /// The kinds that have a key called `name`.
    #[must_use]
    pub(super) fn kinds_with(&self, name: &str) -> Vec<&'static str> {
        let has = |kind: &&Kind| kind.keys.iter().any(|key| key.name == name);
        self.kinds.iter().filter(has).map(|kind| kind.name).collect()
    }
}

const fn required(
    name: &'static str,
    shape: Shape,
    example: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, shape, need: Need::Required, doc, example }
}

const fn optional(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    example: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, shape, need: Need::Default(default), doc, example }
}

const fn plain(title: &'static str, doc: &'static str, keys: &'static [Key]) -> Table {
    Table { title, doc, keys, kinds: &[], choice: Choice::Free }
}

const PLAIN: Shape = Shape::Text(Form::Plain);
const ID: Shape = Shape::Text(Form::Id);
const PATH: Shape = Shape::Text(Form::Path);
const PATTERN: Shape = Shape::Text(Form::Pattern);
const TEXTS: Shape = Shape::List { of: &PLAIN, min: 1 };
const IDS: Shape = Shape::List { of: &ID, min: 1 };
const PATTERNS: Shape = Shape::List { of: &PATTERN, min: 1 };
const SIZE: Shape = Shape::Either(&[
    Shape::Integer { min: 1, max: 64 << 20, unit: "bytes" },
    Shape::Text(Form::Size),
]);

const fn duration(min_ms: i64, max_ms: i64) -> Shape {
    Shape::Text(Form::Duration { min_ms, max_ms })
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
