//! Keys of `[alerting]`, of Alertmanagers and of other monitors.

pub(crate) mod channel;
pub(crate) mod people;
pub(crate) mod rules;

use super::http::BASIC;
use super::{
    Choice, DAY, Form, HOUR, ID, MINUTE, PATH, PLAIN, SECOND, Shape, Table, duration, optional,
    plain, required,
};
use rules::RULES;

/// Names of weekdays, as [`crate::model::terms::weekday`] reads them.
pub(crate) const WEEKDAY: Shape = Shape::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);

/// The alerting part itself.
pub(crate) static ALERTING: Table = plain(
    "[alerting]",
    "How alerts behave, for all systems. Who hears of them stands in `[[channel]]`, `[[person]]` \
     and `[[team]]`.",
    &[
        optional("language", Shape::Word(&["vi", "en"]), "vi", r#""en""#, "Language of messages."),
        optional(
            "public_url",
            Shape::Text(Form::Url),
            "none: messages have no links",
            r#""https://giamsat.example.gov.vn/""#,
            "Where people reach this monitor: the base of acknowledge links and of links to \
             incidents.",
        ),
        optional(
            "seen_from",
            PLAIN,
            "none: nobody is named",
            r#""Viettel, Hà Nội""#,
            "Whose users see what this monitor sees: the carrier of its line, its place. Messages \
             about a service say that these are hit; of others one monitor knows nothing.",
        ),
        optional(
            "grafana_url",
            Shape::Text(Form::Url),
            "none",
            r#""https://grafana.example.gov.vn/d/thongsuot?var-system={system}""#,
            "A Grafana panel to link to; `{system}` stands for the system's id.",
        ),
        optional(
            "templates",
            PATH,
            "the built-in ones",
            r#""mau-tin""#,
            "Directory with templates of messages that replace the built-in ones of the same name.",
        ),
        optional(
            "link_key",
            Shape::Secret,
            "made once, kept with the history",
            r#"{ file = "/run/secrets/link-key" }"#,
            "Signs acknowledge links; at least 16 bytes. Give two monitors the same one if links of \
             one must work on the other.",
        ),
        optional(
            "pager",
            Shape::Word(&["direct", "alertmanager"]),
            "direct",
            r#""alertmanager""#,
            "Who wakes people: this monitor over its channels, or Alertmanager. If no Alertmanager \
             accepts anything for a minute, this monitor pages by itself.",
        ),
        optional(
            "resolve_after",
            duration(0, HOUR),
            "2m",
            r#""2m""#,
            "How long all must be quiet before an incident is closed.",
        ),
        optional(
            "dependency_wait",
            duration(0, 10 * MINUTE),
            "30s",
            r#""30s""#,
            "Longest that a page of a system waits for a fresh result of what it depends on.",
        ),
        optional(
            "ack_timeout",
            duration(MINUTE, DAY),
            "30m",
            r#""30m""#,
            "How long after an acknowledgement people are paged anew if it is still not over.",
        ),
        optional("flapping", Shape::Table(&FLAPPING), "its defaults", "", "Chập chờn."),
        optional("heartbeat", Shape::Table(&DEAD_MAN), "none", "", "A dead man's switch."),
        optional("drill", Shape::Table(&DRILL), "none", "", "A test page, each week."),
        optional("rules", Shape::Table(&RULES), "its defaults", "", "What is worth telling."),
    ],
);

static FLAPPING: Table = plain(
    "[alerting.flapping]",
    "When what comes and goes is one incident (chập chờn) instead of many.",
    &[
        optional(
            "times",
            Shape::Integer { min: 2, max: 100, unit: "returns" },
            "3",
            "3",
            "How often it came back",
        ),
        optional("within", duration(MINUTE, 7 * DAY), "1h", r#""1h""#, "within this time."),
        optional(
            "calm",
            duration(0, DAY),
            "15m",
            r#""15m""#,
            "Then it is over only after so long without a fault.",
        ),
    ],
);

static DEAD_MAN: Table = plain(
    "[alerting.heartbeat]",
    "A dead man's switch: a service elsewhere that calls people when this monitor falls silent. It \
     is told only while probing, history and alerting all work.",
    &[
        required(
            "url",
            Shape::Secret,
            r#"{ file = "/run/secrets/heartbeat-url" }"#,
            "Where to POST. A secret: it often holds a token.",
        ),
        optional("every", duration(10 * SECOND, HOUR), "1m", r#""1m""#, "How often."),
    ],
);

static DRILL: Table = plain(
    "[alerting.drill]",
    "A test page along the real path, each week; whether it was acknowledged is recorded.",
    &[
        optional("day", WEEKDAY, "mon", r#""mon""#, "The day."),
        optional(
            "at",
            Shape::Text(Form::ClockMinute),
            "09:00",
            r#""09:00""#,
            "The time, by the clock of `[monitor] timezone`.",
        ),
    ],
);

/// An Alertmanager.
pub(crate) static ALERTMANAGER: Table = plain(
    "[[alertmanager]]",
    "An Alertmanager that is told of every open incident. Name each instance of a cluster, never \
     a load balancer before them.",
    &[
        required(
            "url",
            Shape::Text(Form::Url),
            r#""https://am-1.example.gov.vn:9093/""#,
            "Its base address, with its path prefix if it has one.",
        ),
        optional("auth", Shape::Table(&AM_AUTH), "none", "", "How we prove who we are."),
        optional(
            "roots",
            PATH,
            "none",
            r#""roots/noi-bo.pem""#,
            "PEM file with more certificates to trust.",
        ),
        optional(
            "identity",
            Shape::Secret,
            "none",
            r#"{ file = "/run/secrets/am-client.pem" }"#,
            "PEM with our own certificate chain and its private key, for mutual TLS.",
        ),
        optional("timeout", duration(100, MINUTE), "10s", r#""10s""#, "Deadline of one request."),
    ],
);

static AM_AUTH: Table = Table {
    title: "auth (alertmanager)",
    doc: "How we prove who we are to an Alertmanager; one of the two.",
    keys: &[
        optional("basic", Shape::Table(&BASIC), "-", "", "User and password (RFC 7617)."),
        optional("bearer", Shape::Secret, "-", r#"{ env = "AM_TOKEN" }"#, "A token (RFC 6750)."),
    ],
    kinds: &[],
    choice: Choice::One(&["basic", "bearer"]),
};

/// Another monitor.
pub(crate) static PEER: Table = plain(
    "[[peer]]",
    "Another monitor, watched by this one: does it answer, and does it still measure? Two that \
     watch each other from two sites tell of each other's end.",
    &[
        required("id", ID, r#""hcm-1""#, "Its name, written like an id."),
        required(
            "url",
            Shape::Text(Form::Url),
            r#""https://giamsat-2.example.gov.vn/""#,
            "Its base address.",
        ),
        optional(
            "token",
            Shape::Secret,
            "none",
            r#"{ file = "/run/secrets/peer-token" }"#,
            "Its bearer token.",
        ),
    ],
);

/// A name for people, used by several tables.
const NAME: Shape = PLAIN;
