//! Keys of `[monitor]`.

use super::{
    DAY, Form, ID, MINUTE, PATH, PLAIN, SECOND, Shape, TEXTS, Table, duration, optional, plain,
    required,
};

/// The monitor itself.
pub(crate) static MONITOR: Table = plain(
    "[monitor]",
    "The monitor itself: where it listens, keeps its history, and how it behaves towards others.",
    &[
        optional(
            "listen",
            Shape::Text(Form::Listen),
            "127.0.0.1:9247",
            r#""127.0.0.1:9247""#,
            "Address and port of the status page, the API and `/metrics`. Port 0: any free one. \
             An address that others can reach needs a `token`.",
        ),
        optional(
            "token",
            Shape::Secret,
            "none: everything is open to whoever reaches the address",
            r#"{ file = "/run/secrets/thongsuot-token" }"#,
            "Bearer token for reading from other machines.",
        ),
        optional(
            "data",
            PATH,
            "var",
            r#""/var/lib/thongsuot""#,
            "Directory of the history, relative to this file.",
        ),
        required(
            "vantage",
            ID,
            r#""hn-1""#,
            "Id of this place of measurement (điểm đo). Every result carries it: choose once.",
        ),
        optional(
            "carrier",
            PLAIN,
            "none",
            r#""VNPT""#,
            "Carrier of the line of this place, as dashboards compare carriers by it.",
        ),
        optional(
            "timezone",
            Shape::Text(Form::Zone),
            "Asia/Ho_Chi_Minh",
            r#""Asia/Ho_Chi_Minh""#,
            "Time zone of days and months in figures, by its name in the IANA database.",
        ),
        optional(
            "contact",
            Shape::Text(Form::Mailbox),
            "none",
            r#""giamsat@example.gov.vn""#,
            "Mailbox that owners of systems can write to; named in the default `user_agent`.",
        ),
        optional(
            "user_agent",
            Shape::Text(Form::HeaderValue),
            "`thongsuot/VERSION (+mailto:CONTACT)`",
            r#""thongsuot (VPCP; +mailto:giamsat@example.gov.vn)""#,
            "What HTTP requests call themselves. Never a browser's: ask to be let through.",
        ),
        optional(
            "source",
            Shape::Text(Form::Ip),
            "chosen by the system",
            r#""192.0.2.10""#,
            "Address that probes come from, so that owners can let it through.",
        ),
        optional(
            "resolvers",
            Shape::List { of: &Shape::Text(Form::Resolver), min: 1 },
            "those of the system",
            r#"["203.162.4.190", "203.113.131.1:53"]"#,
            "Name servers to ask, by address; port 53 if none is written.",
        ),
        optional(
            "roots",
            Shape::Word(&["system", "extra-only"]),
            "system",
            r#""system""#,
            "Certificates to trust: those of the system (Mozilla's list if it has none) besides \
             `extra_roots`, or `extra_roots` alone.",
        ),
        optional(
            "extra_roots",
            Shape::List { of: &PATH, min: 1 },
            "none",
            r#"["roots/chuyen-dung.pem"]"#,
            "PEM files with more certificates to trust, for every check.",
        ),
        optional(
            "kill",
            Shape::List { of: &Shape::Text(Form::Host), min: 1 },
            "none",
            r#"["sso.example.gov.vn"]"#,
            "Hosts never to probe, whatever the checks say: the switch for an owner's request.",
        ),
        optional(
            "per_host_per_minute",
            Shape::Integer { min: 1, max: 6_000, unit: "runs a minute" },
            "60",
            "60",
            "Most runs a minute against one host, over all checks. What is above is not run and \
             counts as unknown (`void`).",
        ),
        optional(
            "latency_buckets",
            Shape::List { of: &duration(1, 10 * MINUTE), min: 1 },
            "100ms 250ms 500ms 1s 3s 10s",
            r#"["50ms", "250ms", "1s", "5s"]"#,
            "Bounds of the latency histograms, ascending; at most 10.",
        ),
        optional(
            "grace",
            duration(100, 5 * MINUTE),
            "10s",
            r#""10s""#,
            "How long a shutdown waits for runs in flight.",
        ),
        optional("control", Shape::Table(&CONTROL), "no control checks", "", "Is it us?"),
        optional("history", Shape::Table(&HISTORY), "its defaults", "", "How results are kept."),
        optional(
            "block_signatures",
            Shape::Tables(&BLOCK_SIGNATURE),
            "the built-in ones only",
            "",
            "More pages of firewalls; added to the built-in ones.",
        ),
    ],
);

static CONTROL: Table = plain(
    "[monitor.control]",
    "Control checks: while fewer than two anchors in three can be reached, the fault is ours, and \
     results are `void/self_net`: unknown, never down.",
    &[required(
        "anchors",
        Shape::List { of: &Shape::Text(Form::Anchor), min: 3 },
        r#"["tcp://192.0.2.1:443", "tcp://192.0.2.2:53", "tcp://vnix.example.vn:443"]"#,
        "At least three places that do not fail together: the own gateway, a resolver, something \
         in the country.",
    )],
);

static HISTORY: Table = plain(
    "[monitor.history]",
    "How results are kept.",
    &[
        optional(
            "commit_within",
            duration(10, 10 * SECOND),
            "200ms",
            r#""200ms""#,
            "Longest that a result waits to be written together with others.",
        ),
        optional(
            "raw",
            duration(DAY, 90 * DAY),
            "3d",
            r#""3d""#,
            "How long results stay as plain rows before their day is sealed into blocks; whole \
             days.",
        ),
        optional(
            "results",
            duration(32 * DAY, 3_660 * DAY),
            "400d",
            r#""800d""#,
            "How long results are kept at all; longer than `raw`; whole days.",
        ),
    ],
);

static BLOCK_SIGNATURE: Table = plain(
    "[[monitor.block_signatures]]",
    "The page of a firewall, captcha or rate limit that answers instead of the service. All that \
     is written must hold; at least one of `header` and `body_contains` is needed.",
    &[
        required("name", PLAIN, r#""F5 ASM""#, "Whose page it is, for messages."),
        optional(
            "status",
            super::shared::STATUS,
            "any",
            "[403, 503]",
            "Status codes that it comes with, and ranges of them.",
        ),
        optional("header", Shape::Table(&BLOCK_HEADER), "none", "", "A header that it has."),
        optional(
            "body_contains",
            TEXTS,
            "none",
            r#"["Request Rejected", "support ID"]"#,
            "Texts that are all in its body.",
        ),
    ],
);

static BLOCK_HEADER: Table = plain(
    "[monitor.block_signatures.header]",
    "A header of a block page.",
    &[
        required("name", Shape::Text(Form::HeaderName), r#""server""#, "Its name."),
        required("contains", PLAIN, r#""BigIP""#, "A text in one of its values."),
    ],
);
