//! Keys of what is worth telling: the same for all systems and for one.

use crate::config::keys::{
    DAY, Form, ID, Key, MINUTE, PLAIN, Shape, Table, duration, optional, plain,
};

/// How loud something is; `off`: it is not told.
const LOUDNESS: Shape = Shape::Word(&["page", "ticket", "info", "off"]);

const DAYS_LEFT: Shape = Shape::Integer { min: 0, max: 3_650, unit: "days" };

/// What holds if a system says nothing.
const COMMON: &str = "that of `[alerting.rules]`";

const fn rule(
    common: bool,
    name: &'static str,
    shape: Shape,
    default: &'static str,
    example: &'static str,
    doc: &'static str,
) -> Key {
    optional(name, shape, if common { default } else { COMMON }, example, doc)
}

/// The keys that both tables have, before `$more`.
macro_rules! rules {
    ($common:literal $(, $more:expr)*) => {
        &[
            rule(
                $common, "down", LOUDNESS, "page", r#""page""#,
                "A critical check is down: `page` wakes somebody, `ticket` waits for working hours, \
                 `info` is only shown, `off` is nothing.",
            ),
            rule(
                $common, "partial", LOUDNESS, "ticket", r#""info""#,
                "Some lanes of a critical check, or a check that is not critical, are down.",
            ),
            rule(
                $common, "slow", LOUDNESS, "ticket", r#""off""#,
                "A critical check is slow without a break for `slow_after`.",
            ),
            rule(
                $common, "slow_after", duration(MINUTE, DAY), "10m", r#""10m""#,
                "How long it must be slow.",
            ),
            rule(
                $common, "coverage", LOUDNESS, "ticket", r#""ticket""#,
                "Too little is known of the system (mất giám sát).",
            ),
            rule(
                $common, "coverage_min", Shape::Text(Form::Percent), "90%", r#""90%""#,
                "Least share of the last `coverage_window` that must be known.",
            ),
            rule(
                $common, "coverage_window", duration(MINUTE, DAY), "10m", r#""10m""#,
                "Over which time.",
            ),
            rule(
                $common, "burn", Shape::Bool, "true", "false",
                "Whether the budget's burn rates are told: the fast ones page, the slow ones make a \
                 ticket.",
            ),
            rule(
                $common, "objective", LOUDNESS, "ticket", r#""ticket""#,
                "The budget of the period is nearly or all used up.",
            ),
            rule(
                $common, "budget_left", Shape::Text(Form::Percent), "25%", r#""25%""#,
                "\"Nearly\": so much of the budget is left.",
            ),
            rule(
                $common, "certificate_days", Shape::List { of: &DAYS_LEFT, min: 0 },
                "30, 14, 7, 3 and 1", "[30, 14, 7, 3, 1]",
                "Days left on a certificate at which it is told, as a ticket; an empty list: never.",
            ),
            rule(
                $common, "certificate_page_days", DAYS_LEFT, "1", "3",
                "With so many days left or fewer it is a page.",
            ),
            $($more,)*
        ]
    };
}

/// What is told of every system that says nothing else.
pub(crate) static RULES: Table = plain(
    "[alerting.rules]",
    "What is worth telling of every system that says nothing else.",
    rules!(true),
);

/// What is told of one system.
pub(crate) static SYSTEM_ALERT: Table = plain(
    "[system.alert]",
    "What is worth telling of this system, and to whom.",
    rules!(
        false,
        optional("team", ID, "the first team", r#""truc-dvc""#, "Id of the team that is called."),
        optional(
            "runbook",
            PLAIN,
            "none",
            r#""https://wiki.example.gov.vn/vneid""#,
            "What to do when it fails: a link, or a few words. Stands in messages.",
        )
    ),
);
