//! Maintenance that recurs, by what it means: its reason and its document may change.

use serde_json::{Value, json};

use super::Week;
use crate::model::terms::{DAY_MIN, Every, Recurring};

/// One rule of recurring maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recurs {
    /// Every week. What reaches over midnight is two pieces that touch.
    Weekly(Week),
    /// Every month.
    Monthly(Monthly),
}

/// A rule that recurs every month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monthly {
    /// The day on which it begins, 1 to 31; months without it are left out.
    pub day: i8,
    /// Minutes from midnight by the clock on the wall.
    pub from_min: u16,
    /// The same; not after `from_min`: it ends on the next day.
    pub to_min: u16,
}

impl Recurs {
    /// Of a rule as configured.
    #[must_use]
    pub fn of(rule: &Recurring) -> Self {
        let (from_min, to_min) = (rule.from_min, rule.to_min);
        let on = |place: usize| match rule.every {
            Every::Day => true,
            Every::Week(day) => usize::try_from(day.to_monday_zero_offset()) == Ok(place),
            Every::Month(_) => false,
        };
        if let Every::Month(day) = rule.every {
            return Self::Monthly(Monthly { day, from_min, to_min });
        }
        let mut week = Week::default();
        for place in (0..7).filter(|it| on(*it)) {
            if from_min < to_min {
                week[place].push((from_min, to_min));
                continue;
            }
            week[place].push((from_min, DAY_MIN));
            if to_min > 0 {
                week[(place + 1) % 7].push((0, to_min));
            }
        }
        for day in &mut week {
            day.sort_unstable();
        }
        Self::Weekly(week)
    }

    /// As it stands in the JSON of a contract: equal for equal rules.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Weekly(week) => super::json::week(week),
            Self::Monthly(rule) => rule.to_json(),
        }
    }
}

impl Monthly {
    pub(super) fn to_json(self) -> Value {
        json!({ "day": self.day, "from": self.from_min, "to": self.to_min })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::*;

    #[test]
    fn a_rule_over_midnight_is_two_pieces_that_touch() {
        let rule = |every, from_min, to_min| {
            Recurs::of(&Recurring { every, from_min, to_min, notice: None, why: String::new() })
        };
        let Recurs::Weekly(sunday) = rule(Every::Week(Weekday::Sunday), 1_320, 120) else {
            panic!()
        };
        assert_eq!((&sunday[6], &sunday[0]), (&vec![(1_320, 1_440)], &vec![(0, 120)]));
        let Recurs::Weekly(daily) = rule(Every::Day, 1_320, 120) else { panic!() };
        assert_eq!(daily[3], [(0, 120), (1_320, 1_440)]);
        let monthly = Monthly { day: 15, from_min: 0, to_min: 60 };
        assert_eq!(rule(Every::Month(15), 0, 60), Recurs::Monthly(monthly));
    }
}
