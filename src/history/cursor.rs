//! A place in the order of results (pure).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::model::check::Lane;
use crate::model::id::VantageId;
use crate::model::result::RunResult;
use crate::model::time::Millis;

/// A place in the results of one check. As text it is for URLs; its parts are our own matter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    started: Millis,
    lane: u8,
    vantage: VantageId,
    due: Millis,
    kind: u8,
    run: u16,
}

/// A text that is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cursor; give back one from an earlier answer, or none")]
pub struct NotACursor(String);

impl Cursor {
    /// Right after `result`.
    pub fn after(result: &RunResult) -> Self {
        Self {
            started: result.started,
            lane: result.lane as u8,
            vantage: result.vantage.clone(),
            due: result.due,
            kind: result.kind as u8,
            run: result.run,
        }
    }

    /// Whether `result` comes after this place.
    pub fn is_before(&self, result: &RunResult) -> bool {
        *self < Self::after(result)
    }

    /// The order of results: by start, then by identity.
    pub(super) fn order(a: &RunResult, b: &RunResult) -> Ordering {
        let key = |it: &RunResult| (it.started, it.lane as u8);
        let rest = |it: &RunResult| (it.due, it.kind as u8, it.run);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.vantage.cmp(&b.vantage))
            .then_with(|| rest(a).cmp(&rest(b)))
    }

    pub(super) const fn started(&self) -> Millis {
        self.started
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { started, lane, vantage, due, kind, run } = self;
        write!(f, "{}~{lane}~{}~{kind}~{run}~{vantage}", started.0, due.0)
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut parts = text.splitn(6, '~');
        let mut next = || parts.next().unwrap_or_default();
        let mut read = || -> Option<Self> {
            Some(Self {
                started: Millis(next().parse().ok()?),
                lane: next().parse().ok().filter(|it| usize::from(*it) < Lane::ALL.len())?,
                due: Millis(next().parse().ok()?),
                kind: next().parse().ok()?,
                run: next().parse().ok()?,
                vantage: VantageId::new(next()).ok()?,
            })
        };
        read().ok_or_else(|| NotACursor(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_written_and_nonsense_is_refused() {
        for text in ["5~0~4~0~0~hn", "-5~2~-9~2~65535~a.b_c-d"] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        for text in ["", "5", "5~0~4~0~0~", "5~9~4~0~0~hn", "x~0~4~0~0~hn", "5~0~4~0~0~hn~x"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
