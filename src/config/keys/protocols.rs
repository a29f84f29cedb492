//! Keys of the other kinds of check.

use super::http::AUTH;
use super::shared::{CERT_EXPECT, HEADER_VALUE, TLS_CLIENT, TLS_SWITCH};
use super::{
    Choice, DAY, Form, Key, PATTERN, PATTERNS, PLAIN, SECOND, Shape, TEXTS, Table, duration,
    optional, plain, required,
};

/// What a `tcp` check has besides the common keys.
pub(crate) static TCP: &[Key] = &[
    required("address", Shape::Text(Form::Peer), r#""mail.example.gov.vn:25""#, "Host and port."),
    optional("tls", TLS_SWITCH, "false", "true", "TLS from the first byte, perhaps with settings."),
    optional(
        "dialogue",
        Shape::List { of: &Shape::Table(&STEP), min: 1 },
        "none: connecting is enough",
        r#"[{ expect = "^220 " }, { send = "QUIT\r\n" }]"#,
        "What is said, in order.",
    ),
    optional("expect", Shape::Table(&CERT_EXPECT), "nothing more", "", "Where TLS is spoken."),
];

static STEP: Table = Table {
    title: "dialogue",
    doc: "One step of a dialogue; one of the three.",
    keys: &[
        optional(
            "send",
            Shape::Text(Form::Bytes),
            "-",
            r#""EHLO giamsat\r\n""#,
            "Sends exactly this: write the line's end too. `$1` to `$9` stand for groups of the \
             last match.",
        ),
        optional(
            "expect",
            PATTERN,
            "-",
            r#""^250 ""#,
            "Reads lines until one matches; others are passed over.",
        ),
        optional("starttls", TLS_SWITCH, "-", "true", "Starts TLS, perhaps with settings."),
    ],
    kinds: &[],
    choice: Choice::One(&["send", "expect", "starttls"]),
};

/// What a `unix` check has besides the common keys.
pub(crate) static UNIX: &[Key] = &[
    required(
        "path",
        Shape::Text(Form::SocketPath),
        r#""/run/hotich/app.sock""#,
        "Where the socket is, relative to the file it is written in; at most 107 bytes. With `@` \
         before it, a name in Linux' abstract namespace.",
    ),
    optional(
        "tls",
        TLS_SWITCH,
        "false",
        r#"{ server_name = "hotich.example.gov.vn" }"#,
        "TLS from the first byte. There is no host, so `server_name` must be written unless \
         `verify = false`.",
    ),
    optional(
        "dialogue",
        Shape::List { of: &Shape::Table(&STEP), min: 1 },
        "none: connecting is enough",
        r#"[{ send = "PING\r\n" }, { expect = '^\+PONG$' }]"#,
        "What is said, in order.",
    ),
    optional("expect", Shape::Table(&CERT_EXPECT), "nothing more", "", "Where TLS is spoken."),
];

/// What a `websocket` check has besides the common keys.
pub(crate) static WEBSOCKET: &[Key] = &[
    required(
        "url",
        Shape::Text(Form::WebsocketUrl),
        r#""wss://dichvucong.example.gov.vn/ws""#,
        "Where to: `ws` or `wss`, without user, password or fragment.",
    ),
    optional(
        "headers",
        Shape::Map { of_keys: Form::HeaderName, of: &HEADER_VALUE },
        "none but our own",
        r#"{ origin = "https://dichvucong.example.gov.vn" }"#,
        "Headers of the opening request. Those that carry credentials take a secret only. `host` \
         replaces the URL's.",
    ),
    optional("auth", Shape::Table(&AUTH), "none", "", "How the run proves who it is."),
    optional("tls", Shape::Table(&TLS_CLIENT), "its defaults", "", "For `wss` URLs."),
    optional(
        "subprotocol",
        Shape::Text(Form::Subprotocol),
        "none",
        r#""v12.stomp""#,
        "The subprotocol to ask for; another one, or none, is `header_mismatch`.",
    ),
    optional(
        "dialogue",
        Shape::List { of: &Shape::Table(&MESSAGE_STEP), min: 1 },
        "none: the switch to WebSocket is enough",
        r#"[{ send = "2" }, { expect = "^3$" }]"#,
        "What is said, in order, a message at a time.",
    ),
    optional("expect", Shape::Table(&CERT_EXPECT), "nothing more", "", "For `wss` URLs."),
];

static MESSAGE_STEP: Table = Table {
    title: "dialogue (websocket)",
    doc: "One step of a dialogue over a WebSocket; one of the two.",
    keys: &[
        optional(
            "send",
            Shape::Text(Form::Bytes),
            "-",
            r#""40""#,
            "Sends exactly this, as one message of text. `$1` to `$9` stand for groups of the last \
             match.",
        ),
        optional(
            "expect",
            PATTERN,
            "-",
            r#"'^0\{"sid"'"#,
            "Reads messages, of text or bytes, until one matches; others are passed over. At most \
             1,000 messages and 1 MiB come in one run, and at most 256 KiB in one message.",
        ),
    ],
    kinds: &[],
    choice: Choice::One(&["send", "expect"]),
};

/// What a `tls` check has besides the common keys.
pub(crate) static TLS: &[Key] = &[
    required(
        "address",
        Shape::Text(Form::PeerOr(443)),
        r#""vneid.gov.vn""#,
        "Host, and the port if it is not 443.",
    ),
    optional("tls", Shape::Table(&TLS_CLIENT), "its defaults", "", "How to speak TLS."),
    optional(
        "starttls",
        Shape::Word(&["smtp", "imap", "pop3", "ftp", "postgres"]),
        "none: TLS from the first byte",
        r#""smtp""#,
        "The protocol that asks for TLS first.",
    ),
    optional("expect", Shape::Table(&CERT_EXPECT), "a valid certificate", "", "What it must be."),
];

/// What a `dns` check has besides the common keys.
pub(crate) static DNS: &[Key] = &[
    required("query", Shape::Text(Form::DnsName), r#""vneid.gov.vn""#, "The name asked for."),
    optional(
        "record",
        Shape::Text(Form::RecordType),
        "A",
        r#""AAAA""#,
        "The record type asked for, by name, or as `TYPE65`.",
    ),
    optional(
        "server",
        Shape::Text(Form::PeerOr(53)),
        "the monitor's first resolver",
        r#""8.8.8.8:53""#,
        "Whom to ask; port 53 if none is written (853 with `transport = \"tls\"`).",
    ),
    optional(
        "transport",
        Shape::Word(&["udp", "tcp", "tls"]),
        "udp",
        r#""tcp""#,
        "Over what. A truncated answer over UDP is asked again over TCP.",
    ),
    optional("tls", Shape::Table(&TLS_CLIENT), "its defaults", "", "With `transport = \"tls\"`."),
    optional("recursion", Shape::Bool, "true", "false", "Whether to ask for recursion."),
    optional("expect", Shape::Table(&DNS_EXPECT), "NOERROR", "", "What must come back."),
];

static DNS_EXPECT: Table = plain(
    "expect (dns)",
    "What must come back. Everything written must hold.",
    &[
        optional(
            "rcodes",
            Shape::List { of: &Shape::Text(Form::Rcode), min: 1 },
            r#"["NOERROR"]"#,
            r#"["NXDOMAIN"]"#,
            "Allowed response codes, by name.",
        ),
        optional(
            "authenticated",
            Shape::Bool,
            "false",
            "true",
            "Whether the answer must be validated by DNSSEC (the AD bit).",
        ),
        optional("answer", Shape::Table(&SECTION), "no rules", "", "The answer section."),
        optional("authority", Shape::Table(&SECTION), "no rules", "", "The authority section."),
        optional("additional", Shape::Table(&SECTION), "no rules", "", "The additional section."),
    ],
);

static SECTION: Table = plain(
    "expect.answer",
    "Rules on one section (`answer`, `authority`, `additional`). A record is matched as its text \
     in a zone file, `name TTL class type data`.",
    &[
        optional(
            "contains",
            TEXTS,
            "none",
            r#"["192.0.2.1"]"#,
            "Record data that must each be there.",
        ),
        optional("matches", PATTERNS, "none", r"['\sA\s']", "Each matches some record."),
        optional("all_match", PATTERNS, "none", r"['\s192\.0\.2\.']", "Each matches all records."),
        optional("none_matches", PATTERNS, "none", r"['\s127\.']", "None matches any record."),
        optional(
            "count_min",
            Shape::Integer { min: 1, max: 1_000, unit: "records" },
            "none",
            "2",
            "Fewest records.",
        ),
    ],
);

/// What an `icmp` check has besides the common keys.
pub(crate) static ICMP: &[Key] = &[
    required("host", Shape::Text(Form::Host), r#""192.0.2.1""#, "Whom to ask."),
    optional(
        "payload",
        Shape::Integer { min: 8, max: 65_000, unit: "bytes" },
        "56",
        "1400",
        "Bytes of payload.",
    ),
    optional(
        "ttl",
        Shape::Integer { min: 1, max: 255, unit: "hops" },
        "the system's",
        "8",
        "Most hops that the echo may take. One that runs out of them is `icmp_no_reply`.",
    ),
    optional(
        "dont_fragment",
        Shape::Bool,
        "false",
        "true",
        "Whether the echo must pass in one piece; one that can't is `icmp_no_reply`.",
    ),
];

/// What a `grpc` check has besides the common keys.
pub(crate) static GRPC: &[Key] = &[
    required("address", Shape::Text(Form::Peer), r#""api.example.gov.vn:8443""#, "Host and port."),
    optional("tls", TLS_SWITCH, "false", "true", "TLS, perhaps with settings; `false`: in clear."),
    optional(
        "service",
        PLAIN,
        "the server as a whole",
        r#""hotich.v1.TraCuu""#,
        "The service whose health is asked.",
    ),
    optional(
        "metadata",
        Shape::Map { of_keys: Form::MetadataName, of: &HEADER_VALUE },
        "none",
        r#"{ authorization = { env = "GRPC_TOKEN" } }"#,
        "Metadata sent with the call; credentials as secrets only.",
    ),
    optional("expect", Shape::Table(&CERT_EXPECT), "nothing more", "", "Where TLS is spoken."),
];

/// What a `heartbeat` check has besides the common keys.
pub(crate) static HEARTBEAT: &[Key] = &[
    required("token", Shape::Secret, r#"{ file = "beat-token" }"#, "What a beat must carry."),
    required(
        "max_age",
        duration(SECOND, 35 * DAY),
        r#""10m""#,
        "How old the last beat may be before the check is bad.",
    ),
];
