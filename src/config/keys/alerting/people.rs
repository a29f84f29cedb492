//! Keys of people and teams: who is called, and when.

use super::{NAME, WEEKDAY};
use crate::config::keys::{
    DAY, Form, HOUR, ID, IDS, PLAIN, Shape, Table, duration, optional, plain, required,
};

/// Somebody who can be called.
pub(crate) static PERSON: Table = plain(
    "[[person]]",
    "Somebody who can be called.",
    &[
        required("id", ID, r#""an""#, "Stable id; the journal names people by it."),
        required("name", NAME, r#""Đ/c Nguyễn Văn An""#, "Name and rank, as colleagues write it."),
        required(
            "contacts",
            Shape::List { of: &Shape::Table(&CONTACT), min: 1 },
            r#"[{ channel = "zalo", to = "1a2b3c" }, { channel = "sms", to = "0912345678" }]"#,
            "How to reach them, in the order to try.",
        ),
    ],
);

static CONTACT: Table = plain(
    "[[person.contacts]]",
    "One way to reach a person.",
    &[
        required("channel", ID, r#""zalo""#, "Id of the channel."),
        optional(
            "to",
            PLAIN,
            "none, where the channel itself says where messages go",
            r#""0912345678""#,
            "The address on it: a mailbox, a chat id, a mobile number.",
        ),
        optional(
            "after",
            duration(0, DAY),
            "0s for the first, 2m after the one before for others",
            r#""5m""#,
            "How long after a step of the escalation it is used, if nobody has answered.",
        ),
        optional(
            "from",
            Shape::Word(&["page", "ticket"]),
            "ticket for e-mail, page for others",
            r#""page""#,
            "The quietest that it is used for.",
        ),
    ],
);

/// Who answers at any hour.
pub(crate) static TEAM: Table = plain(
    "[[team]]",
    "Who answers for systems at any hour. The first team answers for every system that names none.",
    &[
        required("id", ID, r#""truc-dvc""#, "Stable id; systems name it."),
        required("name", NAME, r#""Tổ trực dịch vụ công""#, "Name for people."),
        optional(
            "fallback",
            IDS,
            "everybody of its layers",
            r#"["binh"]"#,
            "Ids of people who are called when all else found nobody.",
        ),
        optional(
            "repeat",
            Shape::Integer { min: 0, max: 20, unit: "times" },
            "2",
            "2",
            "How often the steps are gone through again if nobody answers.",
        ),
        optional("layer", Shape::Tables(&LAYER), "none", "", "Who takes turns."),
        optional("override", Shape::Tables(&OVERRIDE), "none", "", "Who stands in."),
        optional(
            "step",
            Shape::Tables(&STEP),
            "`oncall` at once, `everyone` after 10m",
            "",
            "Who is called, one step after the other.",
        ),
    ],
);

static LAYER: Table = plain(
    "[[team.layer]]",
    "People who take turns (lịch trực). Of several layers, the last that names somebody counts.",
    &[
        required("people", IDS, r#"["an", "binh"]"#, "Ids of the people, in order."),
        required(
            "start",
            Shape::Text(Form::Date),
            r#""2026-11-02""#,
            "The first day of the first person's turn.",
        ),
        optional(
            "handover",
            Shape::Text(Form::ClockMinute),
            "08:00",
            r#""07:30""#,
            "When turns change hands, by the clock of `[monitor] timezone`.",
        ),
        optional(
            "turn",
            Shape::Text(Form::Turn),
            "1w",
            r#""8h""#,
            "Length of a turn: hours, days or weeks.",
        ),
        optional("only", Shape::Table(&WINDOW), "around the clock", "", "Only in these hours."),
    ],
);

static WINDOW: Table = plain(
    "[team.layer.only]",
    "The hours of a layer; outside of them it names nobody.",
    &[
        optional(
            "days",
            Shape::List { of: &WEEKDAY, min: 1 },
            "all",
            r#"["mon", "fri"]"#,
            "On which days they begin.",
        ),
        optional(
            "which",
            Shape::Word(&["any", "working", "off"]),
            "any",
            r#""off""#,
            "Working days only, or days off only, by weekday and `[[holiday]]`.",
        ),
        optional(
            "hours",
            Shape::Text(Form::ClockWindow),
            "the whole day",
            r#""17:00-08:00""#,
            "From when to when; an end that is not after the start is on the next day.",
        ),
    ],
);

static OVERRIDE: Table = plain(
    "[[team.override]]",
    "Somebody stands in (trực thay). Of several that overlap, the last one counts.",
    &[
        required("person", ID, r#""binh""#, "Id of the one who is on call."),
        optional("instead_of", ID, "whoever it is", r#""an""#, "Only in place of this one."),
        required(
            "from",
            Shape::Text(Form::Moment),
            r#""2027-02-05 08:00""#,
            "From when: local time, or RFC 3339 with an offset.",
        ),
        required("to", Shape::Text(Form::Moment), r#""2027-02-08 08:00""#, "Until when."),
    ],
);

static STEP: Table = plain(
    "[[team.step]]",
    "A step of the escalation.",
    &[
        optional(
            "after",
            duration(0, 12 * HOUR),
            "0s for the first, 10m for others",
            r#""10m""#,
            "How long after the step before it, if nobody has answered.",
        ),
        required(
            "targets",
            Shape::List { of: &Shape::Text(Form::Target), min: 1 },
            r#"["oncall", "person:an", "address:zalo:1a2b3c"]"#,
            "Who is called: `oncall`, `everyone` of the layers, `person:` and an id, or \
             `address:`, a channel's id, `:` and an address on it that is nobody's own.",
        ),
    ],
);
