//! Keys of `[[channel]]`: how messages leave this monitor.

use crate::config::keys::shared::{HEADER_VALUE, SECRET};
use crate::config::keys::{
    Choice, Form, HOUR, ID, Key, Kind, MINUTE, PATH, PATTERN, PLAIN, Shape, Table, duration,
    optional, plain, required,
};

/// Kinds of channel, in the order of the reference.
pub(crate) const KINDS: &[&str] = &[
    "email",
    "webhook",
    "zalo-bot",
    "zalo-oa",
    "zalo-zns",
    "sms-viettel",
    "sms-vnpt",
    "sms-esms",
    "teams",
    "slack",
    "mattermost",
    "telegram",
    "http",
];

/// A channel.
pub(crate) static CHANNEL: Table = Table {
    title: "[[channel]]",
    doc: "A way that messages leave this monitor. Its `kind` decides which further keys it has.",
    keys: &[
        required("id", ID, r#""zalo""#, "Stable id; contacts and metrics name it."),
        required("kind", Shape::Word(KINDS), r#""zalo-bot""#, "What it is."),
        optional(
            "min_gap",
            duration(0, HOUR),
            "60s for SMS and ZNS, 1s for chats and `http`, 0s for e-mail and `webhook`",
            r#""60s""#,
            "Least time between two messages to one address; what is between is bundled.",
        ),
        optional("timeout", duration(100, MINUTE), "10s", r#""10s""#, "Deadline of one attempt."),
    ],
    kinds: &[
        Kind { name: "email", doc: "Mail over SMTP. Addresses are mailboxes.", keys: EMAIL },
        Kind {
            name: "webhook",
            doc: "The message as JSON, signed if there is a `secret`. Addresses are handed on in `to`.",
            keys: WEBHOOK,
        },
        Kind {
            name: "zalo-bot",
            doc: "A Zalo bot. Addresses are chat ids: a person must have written to the bot first.",
            keys: ZALO_BOT,
        },
        Kind {
            name: "zalo-oa",
            doc: "A Zalo Official Account. Addresses are user ids, or `group:` and a group's id. It \
                  reaches only people who wrote to the account lately.",
            keys: ZALO_OA,
        },
        Kind {
            name: "zalo-zns",
            doc: "A Zalo ZNS template, approved beforehand and paid by message. Addresses are \
                  mobile numbers.",
            keys: ZALO_ZNS,
        },
        Kind {
            name: "sms-viettel",
            doc: "SMS under a brand name by Viettel (SOAP). Addresses are mobile numbers.",
            keys: SMS_VIETTEL,
        },
        Kind {
            name: "sms-vnpt",
            doc: "SMS under a brand name by VNPT, with a registered template of one parameter. \
                  Addresses are mobile numbers.",
            keys: SMS_VNPT,
        },
        Kind {
            name: "sms-esms",
            doc: "SMS under a brand name by eSMS. Addresses are mobile numbers.",
            keys: SMS_ESMS,
        },
        Kind { name: "teams", doc: "A workflow of Microsoft Teams.", keys: HOOK },
        Kind {
            name: "slack",
            doc: "An incoming webhook of Slack. An address is a mention such as `<@U024BE7LH>`.",
            keys: HOOK,
        },
        Kind {
            name: "mattermost",
            doc: "An incoming webhook of Mattermost. An address is a channel, or `@name`.",
            keys: HOOK,
        },
        Kind {
            name: "telegram",
            doc: "A Telegram bot, where carriers let it through. Addresses are chat ids.",
            keys: TELEGRAM,
        },
        Kind { name: "http", doc: "Any HTTP API, by templates.", keys: HTTP },
    ],
    choice: Choice::Free,
};

/// A base address that is known, and may be another one.
const BASE: Key = optional(
    "url",
    Shape::Text(Form::Url),
    "the public one",
    r#""https://proxy.example.gov.vn/zalo""#,
    "Where to send instead: a relay that is let through, or a stand-in for tests.",
);

const PASSWORD: Key =
    required("password", Shape::Secret, r#"{ file = "/run/secrets/sms" }"#, "Its password.");

const BRAND: Key = required("brand", PLAIN, r#""VPCP""#, "The brand name it is sent under.");

const BOT_TOKEN: Key =
    required("token", Shape::Secret, r#"{ file = "/run/secrets/bot" }"#, "The bot's token.");

static EMAIL: &[Key] = &[
    required(
        "server",
        Shape::Text(Form::Peer),
        r#""mail.example.gov.vn:587""#,
        "The mail server: host and port.",
    ),
    optional(
        "security",
        Shape::Word(&["starttls", "opportunistic", "tls", "none"]),
        "starttls",
        r#""tls""#,
        "`starttls`, or nothing is sent; `opportunistic`: if it is offered, and never a password \
         in clear; `tls` from the first byte; `none`: for a relay on the same machine.",
    ),
    optional("user", PLAIN, "no login", r#""giamsat""#, "User name; needs `password`."),
    optional("password", Shape::Secret, "none", r#"{ file = "/run/secrets/smtp" }"#, "Password."),
    required(
        "from",
        Shape::Text(Form::Sender),
        r#""Giám sát <giamsat@example.gov.vn>""#,
        "The sender.",
    ),
    optional(
        "roots",
        PATH,
        "none",
        r#""roots/noi-bo.pem""#,
        "PEM file with more certificates to trust.",
    ),
];

const HEADERS: Key = optional(
    "headers",
    Shape::Map { of_keys: Form::HeaderName, of: &HEADER_VALUE },
    "none",
    r#"{ authorization = { env = "HOOK_AUTH" } }"#,
    "More headers. Those that carry credentials take a secret only.",
);

static WEBHOOK: &[Key] = &[
    required(
        "url",
        Shape::Either(&[Shape::Text(Form::Url), Shape::Table(&SECRET)]),
        r#""https://truc.example.gov.vn/thongsuot""#,
        "Where to POST; a secret if it holds one.",
    ),
    optional(
        "secret",
        Shape::Secret,
        "not signed",
        r#"{ file = "/run/secrets/webhook" }"#,
        "Signs the body: header `X-Thongsuot-Signature: sha256=` and the HMAC-SHA256 in hex.",
    ),
    HEADERS,
];

static ZALO_BOT: &[Key] = &[BOT_TOKEN, BASE];

static TELEGRAM: &[Key] = &[BOT_TOKEN, BASE];

const APP_ID: Key = required("app_id", PLAIN, r#""1234567890""#, "Id of the app.");

const SECRET_KEY: Key =
    required("secret_key", Shape::Secret, r#"{ file = "/run/secrets/zalo-app" }"#, "Its key.");

const REFRESH_TOKEN: Key = required(
    "refresh_token",
    Shape::Secret,
    r#"{ file = "/run/secrets/zalo-refresh" }"#,
    "The refresh token of the authorisation by hand. It works once: the pairs that follow are kept \
     with the history, and this one counts again only when it changes.",
);

const OAUTH_URL: Key = optional(
    "oauth_url",
    Shape::Text(Form::Url),
    "the public one",
    r#""https://proxy.example.gov.vn/zalo-oauth""#,
    "Where tokens are exchanged.",
);

static ZALO_OA: &[Key] = &[APP_ID, SECRET_KEY, REFRESH_TOKEN, BASE, OAUTH_URL];

static ZALO_ZNS: &[Key] = &[
    APP_ID,
    SECRET_KEY,
    REFRESH_TOKEN,
    required("template", PLAIN, r#""313579""#, "Id of the approved template."),
    optional(
        "data",
        Shape::Map { of_keys: Form::Plain, of: &Shape::Text(Form::Template) },
        "`ma` = incident, `he_thong` = system, `noi_dung` = subject",
        r#"{ ma = "{{ incident }}", he_thong = "{{ system|cut(30) }}" }"#,
        "The parameters of the template, by name.",
    ),
    BASE,
    OAUTH_URL,
];

static SMS_VIETTEL: &[Key] = &[
    required("user", PLAIN, r#""smsbrand_vpcp""#, "The account."),
    PASSWORD,
    BRAND,
    required("cp_code", PLAIN, r#""VPCP""#, "`CPCode` of the contract."),
    BASE,
];

static SMS_VNPT: &[Key] = &[
    required(
        "url",
        Shape::Text(Form::Url),
        r#""http://10.0.0.5:8888/smsbn/api""#,
        "The address that VNPT gave out.",
    ),
    required("user", PLAIN, r#""apivpcp""#, "`APIUSER`."),
    PASSWORD,
    required("brand", PLAIN, r#""12345""#, "`LABELID` of the brand name."),
    required("account", PLAIN, r#""vpcp""#, "`USERNAME`."),
    required("agent", PLAIN, r#""244""#, "`AGENTID`."),
    required("contract", PLAIN, r#""3001""#, "`CONTRACTID`."),
    optional("contract_type", PLAIN, "1", r#""1""#, "`CONTRACTTYPEID`; 1: to customers."),
    required("template", PLAIN, r#""780011""#, "`TEMPLATEID` of a template of one parameter."),
];

static SMS_ESMS: &[Key] = &[
    required("user", Shape::Secret, r#"{ file = "/run/secrets/esms-key" }"#, "`ApiKey`."),
    required("password", Shape::Secret, r#"{ file = "/run/secrets/esms" }"#, "`SecretKey`."),
    BRAND,
    BASE,
];

static HOOK: &[Key] = &[required(
    "url",
    Shape::Secret,
    r#"{ file = "/run/secrets/hook-url" }"#,
    "The webhook's address. A secret: whoever has it can write there.",
)];

static HTTP: &[Key] = &[
    required(
        "url",
        Shape::Either(&[Shape::Text(Form::Template), Shape::Table(&SECRET)]),
        r#""https://sms.example.vn/send?to={{ to|form }}""#,
        "Template of the address; a secret if it holds one.",
    ),
    optional(
        "method",
        Shape::Word(&["POST", "PUT", "PATCH", "GET"]),
        "POST",
        r#""PUT""#,
        "Method.",
    ),
    HEADERS,
    optional(
        "body",
        Shape::Either(&[Shape::Text(Form::Template), Shape::Table(&BODY)]),
        "none",
        r#"'{"phone":{{ to|json }},"content":{{ short|json }},"key":{{ token|json }}}'"#,
        "Template of the body. Filters: `json`, `form`, `xml`, `markdown`, `unaccent`, `cut(n)`.",
    ),
    optional(
        "content_type",
        Shape::Text(Form::HeaderValue),
        "application/json; charset=utf-8",
        r#""application/x-www-form-urlencoded""#,
        "What the body is.",
    ),
    optional(
        "success",
        Shape::Table(&SUCCESS),
        "any 2xx",
        "",
        "What the answer must be besides a 2xx.",
    ),
    optional(
        "values",
        Shape::Map {
            of_keys: Form::ValueName,
            of: &Shape::Either(&[Shape::Text(Form::Plain), Shape::Table(&SECRET)]),
        },
        "none",
        r#"{ token = { file = "/run/secrets/sms" }, brand = "VPCP" }"#,
        "Names for the templates, with their values.",
    ),
    optional(
        "text_max",
        Shape::Integer { min: 1, max: 100_000, unit: "characters" },
        "4000",
        "160",
        "Longest text; a longer one is cut.",
    ),
    optional(
        "address",
        Shape::Word(&["any", "phone", "none"]),
        "any",
        r#""phone""#,
        "What contacts write in `to`: a text, a mobile number (sent as `84…`), or nothing.",
    ),
];

static BODY: Table = plain(
    "[channel.body]",
    "The template of a body, from a file.",
    &[required("file", PATH, r#""sms.json""#, "At most 1 MiB.")],
);

static SUCCESS: Table = Table {
    title: "[channel.success]",
    doc: "What an answer must be besides a 2xx: a value in its JSON, or a pattern in its text.",
    keys: &[
        optional("json", Shape::Text(Form::JsonPath), "-", r#""$.code""#, "Where the value is."),
        optional(
            "equals",
            Shape::Any,
            "true",
            r#"["0", 0]"#,
            "What it must be; a list: one of these.",
        ),
        optional("matches", PATTERN, "-", r#""^OK""#, "What the body must match."),
    ],
    kinds: &[],
    choice: Choice::One(&["json", "matches"]),
};
