//! Keys of the whole file, owners, systems, directives and of what all checks share.

use super::alerting::channel::CHANNEL;
use super::alerting::people::{PERSON, TEAM};
use super::alerting::rules::SYSTEM_ALERT;
use super::alerting::{ALERTING, ALERTMANAGER, PEER};
use super::http::HTTP;
use super::monitor::MONITOR;
use super::protocols::{DNS, GRPC, HEARTBEAT, ICMP, TCP, TLS, UNIX, WEBSOCKET};
use super::terms::{HOLIDAY, MAINTENANCE, NOTICE, SERVICE_HOURS, TERMS};
use super::{
    Choice, DAY, Form, ID, IDS, Kind, MINUTE, PLAIN, SECOND, Shape, Table, duration, optional,
    plain, required,
};

/// Longest time that a run may take.
pub(crate) const TIMEOUT_MAX_MS: i64 = 10 * MINUTE;

/// Shortest time between runs.
pub(crate) const INTERVAL_MIN_MS: i64 = SECOND;

/// Longest time between runs.
pub(crate) const INTERVAL_MAX_MS: i64 = DAY;

/// The main file.
pub(crate) static FILE: Table = plain(
    "the file",
    "One file describes everything: the monitor itself, and who and what is watched.",
    &[
        optional(
            "include",
            Shape::List { of: &Shape::Text(Form::Glob), min: 1 },
            "nothing",
            r#"["targets.d/*.toml"]"#,
            "More files with `[[owner]]`, `[[system]]`, `[[directive]]`, `[[holiday]]`, `[[channel]]`, \
             `[[person]]` and `[[team]]`, \
             relative to this one, read in sorted order. `*` and `?` stand for any text and any character within \
             a name. A pattern with `*` may match nothing; a name without one must exist.",
        ),
        required("monitor", Shape::Table(&MONITOR), "", "The monitor itself."),
        optional("terms", Shape::Table(&TERMS), "its defaults", "", "What is agreed of systems."),
        optional("owner", Shape::Tables(&OWNER), "none", "", "Who answers for systems."),
        optional("system", Shape::Tables(&SYSTEM), "none", "", "What is watched."),
        optional("directive", Shape::Tables(&DIRECTIVE), "none", "", "Tasks that directives set."),
        optional("holiday", Shape::Tables(&HOLIDAY), "none", "", "Days off, and made up for."),
        optional("alerting", Shape::Table(&ALERTING), "its defaults", "", "How alerts behave."),
        optional("alertmanager", Shape::Tables(&ALERTMANAGER), "none", "", "Alertmanagers."),
        optional("channel", Shape::Tables(&CHANNEL), "none", "", "How messages leave."),
        optional("person", Shape::Tables(&PERSON), "none", "", "Who can be called."),
        optional("team", Shape::Tables(&TEAM), "none", "", "Who answers at any hour."),
        optional("peer", Shape::Tables(&PEER), "none", "", "Other monitors to watch."),
    ],
);

/// A file that the main file includes.
pub(crate) static INCLUDED: Table = plain(
    "an included file",
    "A file named by `include` holds owners, systems, directives, days off, channels, people and \
     teams only.",
    &[
        optional("owner", Shape::Tables(&OWNER), "none", "", "Who answers for systems."),
        optional("system", Shape::Tables(&SYSTEM), "none", "", "What is watched."),
        optional("directive", Shape::Tables(&DIRECTIVE), "none", "", "Tasks that directives set."),
        optional("holiday", Shape::Tables(&HOLIDAY), "none", "", "Days off, and made up for."),
        optional("channel", Shape::Tables(&CHANNEL), "none", "", "How messages leave."),
        optional("person", Shape::Tables(&PERSON), "none", "", "Who can be called."),
        optional("team", Shape::Tables(&TEAM), "none", "", "Who answers at any hour."),
    ],
);

/// An agency.
pub(crate) static OWNER: Table = plain(
    "[[owner]]",
    "An agency that answers for systems (cơ quan chủ quản).",
    &[
        required("id", ID, r#""bca""#, "Stable id; history and metrics are kept under it."),
        required("name", PLAIN, r#""Bộ Công an""#, "Official name, as it stands in reports."),
    ],
);

/// A system.
pub(crate) static SYSTEM: Table = plain(
    "[[system]]",
    "A system that the public or officials use. It is down if any of its critical checks is.",
    &[
        required("id", ID, r#""vneid""#, "Stable id; history and metrics are kept under it."),
        required("owner", ID, r#""bca""#, "Id of the owner who answers for it."),
        required("name", PLAIN, r#""Định danh và xác thực điện tử""#, "Official name."),
        optional(
            "objective",
            Shape::Text(Form::Percent),
            "none: measured, held to nothing",
            r#""99.9%""#,
            "Availability it is held to: more than 0, at most 100, at most four decimals.",
        ),
        optional(
            "depends_on",
            IDS,
            "nothing",
            r#"["csdl-hotich"]"#,
            "Ids of systems it can't work without. Circles are refused.",
        ),
        optional(
            "hours",
            SERVICE_HOURS,
            "those of `[terms]`",
            r#""office""#,
            "Agreed service hours; time outside of them is in no figure.",
        ),
        optional(
            "notice",
            NOTICE,
            "that of `[terms]`",
            r#""48h""#,
            "How long before its start maintenance must be recorded to be left out.",
        ),
        optional(
            "coverage",
            Shape::Text(Form::Percent),
            "that of `[terms]`",
            r#""98%""#,
            "Least share of the time that must be known for one figure.",
        ),
        optional(
            "maintenance",
            Shape::Tables(&MAINTENANCE),
            "none",
            "",
            "Maintenance that comes again and again.",
        ),
        optional(
            "alert",
            Shape::Table(&SYSTEM_ALERT),
            "as `[alerting.rules]`, to the first team",
            "",
            "What is told of it, and to whom.",
        ),
        optional("check", Shape::Tables(&CHECK), "none", "", "How it is watched."),
    ],
);

/// A directive's task.
pub(crate) static DIRECTIVE: Table = plain(
    "[[directive]]",
    "A task that a directive sets, tracked beside the figures of its systems.",
    &[
        required("id", ID, r#""cd-111-vneid""#, "Stable id."),
        required("document", PLAIN, r#""Công điện số 111/CĐ-TTg ngày 17/7/2025""#, "As cited."),
        required("task", PLAIN, r#""Bảo đảm VNeID thông suốt 24/7""#, "In the document's words."),
        optional(
            "deadline",
            PLAIN,
            "none is set",
            r#""trước ngày 20/7/2025""#,
            "In the document's words.",
        ),
        required("systems", IDS, r#"["vneid"]"#, "Ids of the systems it is about."),
    ],
);

/// A check.
pub(crate) static CHECK: Table = Table {
    title: "[[system.check]]",
    doc: "One thing that is tried again and again. Its `kind` decides which further keys it has.",
    keys: &[
        required("id", ID, r#""vneid-home""#, "Stable id, unique over all systems."),
        required(
            "kind",
            Shape::Word(&[
                "http",
                "tcp",
                "unix",
                "websocket",
                "tls",
                "dns",
                "icmp",
                "grpc",
                "heartbeat",
            ]),
            r#""http""#,
            "What is done.",
        ),
        optional("name", PLAIN, "the id", r#""Trang chủ VNeID""#, "Name for people."),
        optional(
            "enabled",
            Shape::Bool,
            "true",
            "false",
            "Whether it runs. Its history is kept either way. `false` needs a `reason`.",
        ),
        optional(
            "reason",
            PLAIN,
            "none",
            r#""chờ văn bản đồng ý của chủ quản""#,
            "Why it does not run.",
        ),
        optional(
            "critical",
            Shape::Bool,
            "true",
            "false",
            "Whether its failure is the failure of the system. A system without an enabled \
             critical check is not judged (không giám sát).",
        ),
        optional(
            "interval",
            duration(INTERVAL_MIN_MS, INTERVAL_MAX_MS),
            "60s",
            r#""60s""#,
            "Time between runs. The effective step is 1 % to 5 % shorter.",
        ),
        optional(
            "timeout",
            duration(1, TIMEOUT_MAX_MS),
            "10s, or the interval if that is shorter",
            r#""10s""#,
            "The one deadline of a run, from its start to its end; at most the interval.",
        ),
        optional(
            "slow",
            duration(1, TIMEOUT_MAX_MS),
            "never slow",
            r#""2s""#,
            "A good run that takes longer is `slow` (chậm); less than the timeout.",
        ),
        optional(
            "confirm",
            Shape::Integer { min: 1, max: 10, unit: "results" },
            "3",
            "3",
            "Consecutive bad results that confirm an outage, with one vantage.",
        ),
        optional(
            "ip",
            Shape::Word(&["any", "v4", "v6", "both"]),
            "any",
            r#""both""#,
            "Address families measured: `any` one address, IPv4 first; `both` each with results \
             of its own.",
        ),
        optional(
            "platform",
            ID,
            "none",
            r#""igate""#,
            "The shared platform it runs on: groups faults of one cause. Written like an id.",
        ),
    ],
    kinds: &[
        Kind { name: "http", doc: "One HTTP request, with its redirects.", keys: HTTP },
        Kind { name: "tcp", doc: "A TCP connection and a dialogue on it.", keys: TCP },
        Kind {
            name: "unix",
            doc: "A stream socket in the file system of the monitor's machine, and a dialogue on \
                  it. It goes over no network: the caps and kill switches of hosts are not about \
                  it, and it has no `ip`.",
            keys: UNIX,
        },
        Kind {
            name: "websocket",
            doc: "A WebSocket (RFC 6455) and a dialogue of messages on it. An answer that is not \
                  the switch (101) is bad; redirects are not followed.",
            keys: WEBSOCKET,
        },
        Kind { name: "tls", doc: "A TLS handshake and its certificate.", keys: TLS },
        Kind { name: "dns", doc: "One question to a name server.", keys: DNS },
        Kind { name: "icmp", doc: "One ICMP echo (ping).", keys: ICMP },
        Kind { name: "grpc", doc: "The health service of gRPC.", keys: GRPC },
        Kind { name: "heartbeat", doc: "A beat that the owner pushes to us.", keys: HEARTBEAT },
    ],
    choice: Choice::Free,
};
