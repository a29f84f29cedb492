//! Keys of `http` checks.

use super::shared::{CERT_DAYS, CHAIN_DAYS, HEADER_VALUE, STATUS, TLS_CLIENT};
use super::{
    Choice, Form, Key, PATH, PATTERN, PATTERNS, PLAIN, SIZE, Shape, TEXTS, Table, duration,
    optional, plain, required,
};

/// What an `http` check has besides the common keys.
pub(crate) static HTTP: &[Key] = &[
    required(
        "url",
        Shape::Text(Form::Url),
        r#""https://vneid.gov.vn/""#,
        "What to ask for: `http` or `https`, without user, password or fragment.",
    ),
    optional(
        "method",
        Shape::Word(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
        "GET",
        r#""HEAD""#,
        "Method. Anything but `GET` and `HEAD` may change something over there.",
    ),
    optional(
        "headers",
        Shape::Map { of_keys: Form::HeaderName, of: &HEADER_VALUE },
        "none but our own",
        r#"{ accept = "text/html", x-api-key = { file = "key" } }"#,
        "Headers to send. Those that carry credentials (`authorization`, `cookie`, `x-api-key` \
         and the like) take a secret only. `host` replaces the URL's.",
    ),
    optional(
        "body",
        Shape::Either(&[Shape::Text(Form::Bytes), Shape::Table(&SEND_BODY)]),
        "none",
        r#"{ file = "request.json" }"#,
        "Body to send: the text, or a file with it.",
    ),
    optional("auth", Shape::Table(&AUTH), "none", "", "How the run proves who it is."),
    optional("tls", Shape::Table(&TLS_CLIENT), "its defaults", "", "For `https` URLs."),
    optional(
        "proxy",
        Shape::Either(&[Shape::Text(Form::ProxyUrl), Shape::Table(&PROXY)]),
        "none",
        r#""http://10.0.0.1:3128""#,
        "An HTTP proxy to go through.",
    ),
    optional(
        "redirects",
        Shape::Table(&REDIRECTS),
        "at most 5, to the same host",
        "",
        "What to do with redirects.",
    ),
    optional(
        "http_version",
        Shape::Word(&["auto", "1.1", "2", "3"]),
        "auto",
        r#""1.1""#,
        "Versions to offer: `auto` is 2 and 1.1 over TLS, 1.1 in clear. `3` goes over QUIC: only \
         for `https`, through no proxy, and never back to an older one.",
    ),
    optional(
        "compressed",
        Shape::Bool,
        "true",
        "false",
        "Whether to ask for a compressed body. Expectations see the decoded one.",
    ),
    optional(
        "body_cap",
        SIZE,
        "1 MiB",
        r#""64 KiB""#,
        "Most bytes of the decoded body that are read; a larger one is `body_too_large`.",
    ),
    optional(
        "blocked",
        Shape::Bool,
        "true",
        "false",
        "Whether pages of firewalls and 429 are told from the service's own answers. `false`: \
         the answer is judged by the expectations alone.",
    ),
    optional("expect", Shape::Table(&EXPECT), "status 200 to 299", "", "What must come back."),
];

static SEND_BODY: Table = plain(
    "body",
    "The body of a request, from a file.",
    &[required("file", PATH, r#""request.json""#, "At most 1 MiB, sent as it is.")],
);

/// How a request proves who we are.
pub(crate) static AUTH: Table = Table {
    title: "auth",
    doc: "How the run proves who it is; one of the three.",
    keys: &[
        optional("basic", Shape::Table(&BASIC), "-", "", "User and password (RFC 7617)."),
        optional("bearer", Shape::Secret, "-", r#"{ env = "API_TOKEN" }"#, "A token (RFC 6750)."),
        optional("oauth2", Shape::Table(&OAUTH2), "-", "", "A token by the client's credentials."),
    ],
    kinds: &[],
    choice: Choice::One(&["basic", "bearer", "oauth2"]),
};

/// User and password.
pub(crate) static BASIC: Table = plain(
    "auth.basic",
    "User and password (RFC 7617).",
    &[
        required("user", PLAIN, r#""giamsat""#, "User name, without a colon."),
        required("password", Shape::Secret, r#"{ file = "password" }"#, "Password."),
    ],
);

static OAUTH2: Table = plain(
    "auth.oauth2",
    "A token fetched with the client's credentials (RFC 6749, section 4.4), kept until it expires; \
     its fetch is timed apart from the run.",
    &[
        required(
            "token_url",
            Shape::Text(Form::Url),
            r#""https://api.ngsp.gov.vn/token""#,
            "The token endpoint.",
        ),
        required("client_id", PLAIN, r#""giamsat""#, "Client id."),
        required("client_secret", Shape::Secret, r#"{ env = "NGSP_SECRET" }"#, "Client secret."),
        optional("scopes", TEXTS, "none", r#"["read"]"#, "Scopes to ask for."),
    ],
);

static PROXY: Table = plain(
    "proxy",
    "An HTTP proxy with settings.",
    &[
        required(
            "url",
            Shape::Text(Form::ProxyUrl),
            r#""http://10.0.0.1:3128""#,
            "Where it listens: `http`, host and port.",
        ),
        optional("user", PLAIN, "none", r#""giamsat""#, "User name; needs `password`."),
        optional("password", Shape::Secret, "none", r#"{ file = "proxy" }"#, "Password."),
        optional(
            "connect_headers",
            Shape::Map { of_keys: Form::HeaderName, of: &HEADER_VALUE },
            "none but our own",
            r#"{ user-agent = "thongsuot" }"#,
            "Headers to send with `CONNECT`, which asks for the tunnel of an `https` URL. Those \
             that carry credentials take a secret only.",
        ),
    ],
);

static REDIRECTS: Table = plain(
    "redirects",
    "What to do with redirects. One from `https` to `http` is always refused.",
    &[
        optional(
            "max",
            Shape::Integer { min: 0, max: 20, unit: "hops" },
            "5",
            "0",
            "Most hops; 0: a redirect is an answer like any other.",
        ),
        optional(
            "to",
            Shape::Either(&[
                Shape::Word(&["same-host", "anywhere"]),
                Shape::List { of: &Shape::Text(Form::Host), min: 1 },
            ]),
            "same-host",
            r#"["sso.dancuquocgia.gov.vn"]"#,
            "Where one may lead: the same host (any port), anywhere, or the same host and these.",
        ),
    ],
);

static EXPECT: Table = plain(
    "expect (http)",
    "What must come back. Everything written must hold.",
    &[
        optional(
            "status",
            STATUS,
            r#"["200-299"]"#,
            r#"[200, "300-399"]"#,
            "Allowed status codes and ranges of them.",
        ),
        optional(
            "versions",
            Shape::List { of: &Shape::Word(&["1.0", "1.1", "2", "3"]), min: 1 },
            "any",
            r#"["2"]"#,
            "Allowed HTTP versions of the answer.",
        ),
        optional(
            "headers",
            Shape::List {
                of: &Shape::Either(&[Shape::Text(Form::HeaderName), Shape::Table(&HEADER_RULE)]),
                min: 1,
            },
            "none",
            r#"["strict-transport-security", { name = "server", absent = true }]"#,
            "Rules on headers; a name alone means that the header is there.",
        ),
        optional(
            "body_contains",
            TEXTS,
            "none",
            r#"["Đăng nhập"]"#,
            "Texts that must each be in the body, whether it is in NFC or NFD.",
        ),
        optional(
            "body_absent",
            TEXTS,
            "none",
            r#"["Hệ thống đang bảo trì"]"#,
            "Texts that must not be in the body.",
        ),
        optional(
            "body_matches",
            PATTERNS,
            "none",
            r#"['id="root"']"#,
            "Patterns that must each match the body.",
        ),
        optional(
            "body_not_matches",
            PATTERNS,
            "none",
            r#"["(?i)exception"]"#,
            "Patterns that must not match the body.",
        ),
        optional("body_min", SIZE, "none", r#""2 KiB""#, "Fewest bytes of the decoded body."),
        optional("body_max", SIZE, "none", r#""64 KiB""#, "Most bytes of the decoded body."),
        optional(
            "json",
            Shape::List {
                of: &Shape::Either(&[Shape::Text(Form::JsonPath), Shape::Table(&JSON_RULE)]),
                min: 1,
            },
            "none",
            r#"["$.items[0]", { path = "$.status", equals = "UP" }]"#,
            "Rules on the body as JSON; a path alone means that it selects something.",
        ),
        optional(
            "response_time",
            duration(1, super::roster::TIMEOUT_MAX_MS),
            "none",
            r#""5s""#,
            "Longest run, less than the timeout; a longer one is an error, not merely slow.",
        ),
        optional(
            "tls",
            Shape::Bool,
            "either",
            "true",
            "Whether the last hop, after all redirects, must be over TLS (`true`) or must be in \
             clear (`false`); otherwise it is `tls_unexpected`.",
        ),
        CERT_DAYS,
        CHAIN_DAYS,
    ],
);

static HEADER_RULE: Table = Table {
    title: "expect.headers",
    doc: "A rule on one header. With the name alone, it must be there.",
    keys: &[
        required("name", Shape::Text(Form::HeaderName), r#""content-type""#, "Its name."),
        optional("matches", PATTERN, "-", r#""^text/html""#, "At least one value matches."),
        optional("not_matches", PATTERN, "-", r#""(?i)php""#, "No value matches."),
        optional("absent", Shape::Bool, "-", "true", "`true`: it is not there."),
        optional(
            "optional",
            Shape::Bool,
            "false",
            "true",
            "With `matches`: a missing header passes.",
        ),
    ],
    kinds: &[],
    choice: Choice::AtMostOne(&["matches", "not_matches", "absent"]),
};

static JSON_RULE: Table = Table {
    title: "expect.json",
    doc: "A rule on the nodes that a JSONPath selects. With the path alone, it selects something.",
    keys: &[
        required("path", Shape::Text(Form::JsonPath), r#""$.status""#, "JSONPath (RFC 9535)."),
        optional("equals", Shape::Any, "-", r#""UP""#, "Each node equals this value."),
        optional("matches", PATTERN, "-", r#""^(UP|OK)$""#, "The text of each node matches."),
        optional("absent", Shape::Bool, "-", "true", "`true`: it selects nothing."),
    ],
    kinds: &[],
    choice: Choice::AtMostOne(&["equals", "matches", "absent"]),
};
