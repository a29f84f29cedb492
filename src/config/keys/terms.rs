//! Keys of what is agreed: service hours, days off, notice, coverage, recurring maintenance.

use super::{DAY, Form, PLAIN, Shape, Table, duration, optional, plain, required};

/// Longest notice that can be agreed.
const NOTICE_MAX_MS: i64 = 90 * DAY;

/// How long before its start maintenance must be recorded.
pub(crate) const NOTICE: Shape = duration(0, NOTICE_MAX_MS);

/// When a system must work.
pub(crate) const SERVICE_HOURS: Shape =
    Shape::Either(&[Shape::Word(&["24/7", "office"]), Shape::Table(&HOURS)]);

const RANGES: Shape = Shape::List { of: &Shape::Text(Form::ClockRange), min: 0 };

/// What holds for every system that says nothing else.
pub(crate) static TERMS: Table = plain(
    "[terms]",
    "What is agreed of every system that says nothing else. A change holds from the moment the \
     configuration with it is loaded; what came before is judged by what was in force.",
    &[
        optional(
            "hours",
            SERVICE_HOURS,
            "24/7",
            r#""24/7""#,
            "Agreed service hours (giờ phục vụ): `24/7`, days off too; `office`, Monday to Friday \
             07:30–11:30 and 13:00–17:00 but for days off; or a table of hours by weekday.",
        ),
        optional(
            "notice",
            NOTICE,
            "24h",
            r#""24h""#,
            "How long before its start maintenance must be recorded to be left out of the figures.",
        ),
        optional(
            "coverage",
            Shape::Text(Form::Percent),
            "99%",
            r#""99%""#,
            "Least share of the time that must be known for one figure; below it reports say \
             \"không đủ dữ liệu\" and print the range.",
        ),
    ],
);

static HOURS: Table = plain(
    "hours",
    "Service hours by weekday, by the clock of `[monitor] timezone`: lists of `HH:MM-HH:MM`, \
     rising and apart. A weekday that is left out has none; `24:00` is the end of the day. On \
     days off (`[[holiday]]`) there are none.",
    &[
        optional("mon", RANGES, "none", r#"["07:30-11:30", "13:00-17:00"]"#, "Monday."),
        optional("tue", RANGES, "none", r#"["07:30-11:30", "13:00-17:00"]"#, "Tuesday."),
        optional("wed", RANGES, "none", r#"["07:30-11:30", "13:00-17:00"]"#, "Wednesday."),
        optional("thu", RANGES, "none", r#"["07:30-11:30", "13:00-17:00"]"#, "Thursday."),
        optional("fri", RANGES, "none", r#"["07:30-11:30", "13:00-17:00"]"#, "Friday."),
        optional("sat", RANGES, "none", r#"["07:30-11:30"]"#, "Saturday."),
        optional("sun", RANGES, "none", r#"["00:00-24:00"]"#, "Sunday."),
    ],
);

/// A day that is not as its weekday.
pub(crate) static HOLIDAY: Table = plain(
    "[[holiday]]",
    "Days that are not as their weekday (nghỉ lễ, nghỉ bù, làm bù), for systems with service \
     hours. They can't be computed: write them as they are announced.",
    &[
        required(
            "date",
            Shape::Text(Form::Date),
            r#""2026-02-16""#,
            "The day, or the first of them.",
        ),
        optional(
            "until",
            Shape::Text(Form::Date),
            "one day",
            r#""2026-02-20""#,
            "The last of several days in a row, at most 31.",
        ),
        optional(
            "kind",
            Shape::Word(&[
                "off",
                "worked-like-mon",
                "worked-like-tue",
                "worked-like-wed",
                "worked-like-thu",
                "worked-like-fri",
                "worked-like-sat",
                "worked-like-sun",
            ]),
            "off",
            r#""worked-like-fri""#,
            "A day off, or a day worked in the hours of another weekday (làm bù).",
        ),
        required("name", PLAIN, r#""Tết Nguyên đán""#, "What it is."),
        required(
            "source",
            PLAIN,
            r#""công văn 12729/VPCP-KGVX ngày 25/12/2025""#,
            "The document that says so, or \"chưa công bố\".",
        ),
    ],
);

/// Maintenance that comes again and again.
pub(crate) static MAINTENANCE: Table = plain(
    "[[system.maintenance]]",
    "Maintenance that comes again and again. It counts as recorded when a configuration with it \
     was first loaded, and is left out of the figures from then on, once the notice has passed. \
     Single windows are announced with `thongsuot maintenance add`.",
    &[
        required(
            "every",
            Shape::Text(Form::Every),
            r#""sun""#,
            "`daily`, a weekday (`mon` to `sun`), or `monthly-15`: the day on which it begins.",
        ),
        required("from", Shape::Text(Form::ClockMinute), r#""00:00""#, "When it begins."),
        required(
            "to",
            Shape::Text(Form::ClockMinute),
            r#""04:00""#,
            "When it ends; not after `from`: on the next day.",
        ),
        optional(
            "notice",
            PLAIN,
            "none",
            r#""TB 123/TB-C06 ngày 01/11/2026""#,
            "Number of the document that announced it.",
        ),
        required("why", PLAIN, r#""sao lưu hằng tuần""#, "What is done."),
    ],
);
