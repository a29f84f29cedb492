//! The column of due instants: a grid and which slots of it, where they lie on one (pure).
//!
//! Slots are due every so many microseconds and recorded in whole milliseconds. A grid is looked
//! for in the instants themselves, so that a block needs no configuration to be written or read.
//! Confirm and fast runs are filed under a slot of the grid and lie on it too. Instants that are
//! on no grid, as on a day when the interval was changed, are coded like any other column.

use super::column;
use super::cut::{Cut, push_signed_varint, push_varint};
use super::row::{DAY_MS, Row};

/// A column of instants on a grid: millisecond of the first slot (signed varint), microseconds
/// beyond it (varint), step in microseconds (varint), then how many slots further each row is
/// than the one before, as a coding (1 byte) and its data.
pub(super) const GRID: u8 = 4;

/// When a row was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// In whole milliseconds, cut down, as it is recorded.
    pub(super) ms: i64,
    /// Microseconds beyond that, 0 to 999, by the grid; 0 without one.
    pub(super) beyond_us: u16,
}

/// Codes when `rows` were due, of which there must be some, and tells it as [`decode`] will.
pub(super) fn encode(rows: &[Row]) -> Result<(u8, Vec<u8>, Vec<Due>), String> {
    let Some((grid, slots)) = Grid::through(rows) else {
        let dues: Vec<i64> = rows.iter().map(|it| it.due).collect();
        let (code, bytes) = column::encode(&dues)?;
        return Ok((code, bytes, dues.into_iter().map(Due::whole).collect()));
    };
    let mut before = 0;
    let further = slots.iter().map(|slot| slot - std::mem::replace(&mut before, *slot));
    let (code, data) = column::encode(&further.collect::<Vec<_>>())?;
    let mut bytes = Vec::new();
    push_signed_varint(&mut bytes, grid.first.ms);
    push_varint(&mut bytes, u64::from(grid.first.beyond_us));
    push_varint(&mut bytes, grid.step_us.unsigned_abs());
    bytes.push(code);
    bytes.extend_from_slice(&data);
    let dues = slots.iter().map(|slot| grid.slot(*slot).ok_or("a slot out of range"));
    Ok((GRID, bytes, dues.collect::<Result<_, _>>()?))
}

/// The `count` instants that `bytes` stand for. Never panics, whatever the bytes.
pub(super) fn decode(code: u8, bytes: &[u8], count: usize) -> Result<Vec<Due>, String> {
    if code != GRID {
        return Ok(column::decode(code, bytes, count)?.into_iter().map(Due::whole).collect());
    }
    let mut cut = Cut(bytes);
    let (ms, beyond_us, step_us) = (cut.signed_varint()?, cut.varint()?, cut.varint()?);
    let [code] = cut.take()?;
    let grid = Grid::new(ms, beyond_us, step_us)
        .ok_or_else(|| format!("a grid of {step_us} us, {beyond_us} us beyond"))?;
    let (mut slot, mut dues) = (0_i64, Vec::with_capacity(count));
    for further in column::decode(code, cut.0, count)? {
        slot = slot.checked_add(further).ok_or("a slot out of range")?;
        dues.push(grid.slot(slot).ok_or("a slot out of range")?);
    }
    Ok(dues)
}

impl Due {
    const fn whole(ms: i64) -> Self {
        Self { ms, beyond_us: 0 }
    }
}

/// Slot `k` is due `k` steps after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    first: Due,
    /// At least 1.
    step_us: i64,
}

impl Grid {
    /// `None`: there is no such grid.
    fn new(ms: i64, beyond_us: u64, step_us: u64) -> Option<Self> {
        let beyond_us = u16::try_from(beyond_us).ok().filter(|it| *it < 1_000)?;
        let step_us = i64::try_from(step_us).ok().filter(|it| *it > 0)?;
        Some(Self { first: Due { ms, beyond_us }, step_us })
    }

    /// When slot `k` is due; `None` beyond the range of numbers.
    fn slot(self, k: i64) -> Option<Due> {
        let us = k.checked_mul(self.step_us)?.checked_add(i64::from(self.first.beyond_us))?;
        let ms = self.first.ms.checked_add(us.div_euclid(1_000))?;
        Some(Due { ms, beyond_us: us.rem_euclid(1_000) as u16 })
    }

    /// A grid on which each of `rows` was due, and the slot of each; `None` if there is none, or
    /// none was found.
    fn through(rows: &[Row]) -> Option<(Self, Vec<i64>)> {
        let first = rows.first()?.due;
        let since = |row: &Row| {
            let ms = row.due.checked_sub(first).filter(|ms| (0..DAY_MS).contains(ms))?;
            Some(ms * 1_000)
        };
        let us: Vec<i64> = rows.iter().map(since).collect::<Option<_>>()?;
        let slots = slots(&us)?;
        let mut points: Vec<(i64, i64)> = slots.iter().copied().zip(us).collect();
        points.dedup();
        let (low, high, step_us) = line(&points)?;
        // Starts are recorded with their lateness, which narrows it down.
        let starts = rows.iter().zip(&slots).filter_map(|(row, slot)| {
            let ms = row.started.checked_sub(first).filter(|ms| ms.unsigned_abs() < 1 << 40)?;
            Some(ms * 1_000 - i64::from(row.lateness) - slot * step_us)
        });
        let beyond_us = most_agreed(low, high, starts);
        let grid = Self::new(first, beyond_us.try_into().ok()?, step_us.try_into().ok()?)?;
        let hit = |(slot, row): (&i64, &Row)| grid.slot(*slot).is_some_and(|it| it.ms == row.due);
        slots.iter().zip(rows).all(hit).then_some((grid, slots))
    }
}

/// Counts slots: the least distance is taken for one step, and a longer one for as many as fit
/// best by the mean of many, which is right within 1 ms over all of them together. `None`: all
/// are the same, or they are not in order.
fn slots(us: &[i64]) -> Option<Vec<i64>> {
    let distances = || us.windows(2).map(|pair| pair[1] - pair[0]);
    let least = distances().filter(|it| *it != 0).min().filter(|it| *it > 0)?;
    let (mut longest, mut here) = ((1, least), (0, 0));
    for distance in distances() {
        let steps = i64::from(distance > 0);
        here = if distance < least * 3 / 2 { (here.0 + steps, here.1 + distance) } else { (0, 0) };
        longest = longest.max(here);
    }
    let (mut slot, mut passed) = (0_i64, 0_i64);
    let mut slots = vec![0];
    for distance in distances() {
        // Whichever is the mean of more: the longest stretch without a gap, or all so far.
        let (steps, long) = longest.max((slot, passed));
        let (steps, long) = (i128::from(steps), i128::from(long));
        slot += i64::try_from((2 * i128::from(distance) * steps + long) / (2 * long)).ok()?;
        passed += distance;
        slots.push(slot);
    }
    Some(slots)
}

/// `low`, `high` and `step`, whole numbers, so that `beyond + slot * step` is within
/// `us..us + 1_000` for every point (slot, us), of which the first is (0, 0), and every `beyond`
/// from `low` to `high`; `None`: there are none. Of several the step that leaves most room.
fn line(points: &[(i64, i64)]) -> Option<(i64, i64, i64)> {
    let (last, us) = points.last().copied().filter(|(slot, _)| *slot > 0)?;
    // The last point alone leaves at most 2,000 / last + 1 steps to be tried.
    let (least, most) = ((us - 999).div_euclid(last), (us + 999).div_euclid(last));
    let mut best: Option<(i64, i64, i64)> = None;
    for step in least.max(1)..=most {
        let rests = || points.iter().map(|(slot, us)| us - slot * step);
        let (low, high) = (rests().max()?, rests().min()? + 999);
        if low <= high && best.is_none_or(|it| high - low > it.1 - it.0) {
            best = Some((low, high, step));
        }
    }
    best
}

/// A number from `low` to `high`, at most 999 further, which is 0 to 999 more than as many of
/// `starts` as can be; the middle of the first such stretch.
fn most_agreed(low: i64, high: i64, starts: impl Iterator<Item = i64>) -> i64 {
    let mut changes = vec![0_i64; (high - low + 2).unsigned_abs() as usize];
    for start in starts {
        let (from, to) = (start.max(low), (start + 999).min(high));
        if from <= to {
            changes[(from - low) as usize] += 1;
            changes[(to - low) as usize + 1] -= 1;
        }
    }
    let (mut agree, mut most, mut stretch) = (0, i64::MIN, (low, low));
    for (at, change) in (low..=high).zip(changes) {
        agree += change;
        if agree > most {
            (most, stretch) = (agree, (at, at));
        } else if agree == most && stretch.1 + 1 == at {
            stretch.1 = at;
        }
    }
    stretch.0 + (stretch.1 - stretch.0) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows due then, which say nothing else.
    fn rows(dues: &[i64]) -> Vec<Row> {
        dues.iter().map(|due| row(*due, i64::MIN, 0)).collect()
    }

    fn row(due: i64, started: i64, lateness: u32) -> Row {
        Row {
            due,
            kind: 0,
            run: 0,
            started,
            lateness,
            reason: 0,
            phases: [0; 6],
            status: None,
            bytes: 0,
            reused: false,
        }
    }

    #[track_caller]
    fn check(dues: &[i64], on_a_grid: bool) -> Vec<Due> {
        let (code, bytes, told) = encode(&rows(dues)).unwrap();
        assert_eq!(code == GRID, on_a_grid);
        assert_eq!(decode(code, &bytes, dues.len()).unwrap(), told);
        assert_eq!(told.iter().map(|it| it.ms).collect::<Vec<_>>(), dues);
        told
    }

    /// Slots of a day from `first_us`, as they are recorded.
    fn recorded(first_us: i64, step_us: i64, slots: impl IntoIterator<Item = i64>) -> Vec<i64> {
        slots.into_iter().map(|k| (first_us + k * step_us).div_euclid(1_000)).collect()
    }

    #[test]
    fn a_day_of_slots_is_a_grid_to_the_microsecond() {
        let first_us = 20_000 * DAY_MS * 1_000 + 17_345_678;
        let dues = recorded(first_us, 29_123_457, 0..2_966);
        for (k, due) in check(&dues, true).into_iter().enumerate() {
            let us = first_us + k as i64 * 29_123_457;
            assert_eq!((due.ms, i64::from(due.beyond_us)), (us / 1_000, us % 1_000));
        }
        let (_, bytes, _) = encode(&rows(&dues)).unwrap();
        assert!(bytes.len() < 20, "{}", bytes.len());
    }

    #[test]
    fn starts_tell_what_due_instants_leave_open() {
        // Whole milliseconds fit a step of 30 s wherever between two of them it began.
        let rows: Vec<Row> = (0..2_000)
            .map(|k| {
                let (due_us, lateness) = (k * 30_000_000 + 737, (k * 7_919 % 60_000) as u32);
                let aside = if k % 10 == 0 { 3 } else { 0 };
                row(due_us / 1_000, (due_us + i64::from(lateness)) / 1_000 + aside, lateness)
            })
            .collect();
        let (_, _, told) = encode(&rows).unwrap();
        assert!(told.iter().all(|it| it.beyond_us == 737), "{:?}", told[0]);
    }

    #[test]
    fn slots_may_be_missing_and_rows_may_share_one() {
        let with_gaps = (0..80_000).filter(|k| !(3..20_000).contains(k) && k % 7 != 3);
        let mut dues = recorded(-5_001, 1_023_777, with_gaps);
        check(&dues, true);
        dues.extend_from_within(10..40);
        dues.sort_unstable();
        check(&dues, true);
        check(&recorded(0, 5_000_001, [0, 0, 0, 4]), true);
    }

    #[test]
    fn what_is_on_no_grid_is_kept_as_it_is() {
        let mut dues = recorded(1_234, 29_123_456, 0..2_000);
        dues[1_000] += 1;
        check(&dues, false);
        let mut two_intervals = recorded(0, 29_123_456, 0..100);
        two_intervals.extend(recorded(4_000_123, 9_876_543, 300..400));
        check(&two_intervals, false);
        check(&[5], false);
        check(&[5, 5, 5], false);
        check(&[i64::MIN, -1, 0, i64::MAX], false);
        check(&[7, 3], false);
    }

    #[test]
    fn a_grid_that_makes_no_sense_is_refused() {
        let bytes = |ms: i64, beyond: u64, step: u64, further: &[i64]| {
            let (code, data) = column::encode(further).unwrap();
            let mut bytes = Vec::new();
            push_signed_varint(&mut bytes, ms);
            push_varint(&mut bytes, beyond);
            push_varint(&mut bytes, step);
            [&bytes[..], &[code], &data].concat()
        };
        let decoded = |bytes: &[u8]| decode(GRID, bytes, 3);
        let good = bytes(7, 999, 1_001, &[0, 1, 2]);
        let ms = |it: Vec<Due>| it.iter().map(|it| it.ms).collect::<Vec<_>>();
        assert_eq!(decoded(&good).map(ms), Ok(vec![7, 9, 11]));
        for cut in 0..good.len() {
            assert!(decoded(&good[..cut]).is_err(), "cut at {cut}");
        }
        for (ms, beyond, step, further) in [
            (0, 0, 0, [0, 1, 1]),
            (0, 0, u64::MAX, [0, 1, 1]),
            (0, 0, 1 << 63, [0, 0, 0]),
            (0, 1_000, 1, [0, 1, 1]),
            (0, 65_536, 1, [0, 1, 1]),
            (0, u64::MAX, 1, [0, 1, 1]),
            (0, 0, u64::MAX >> 1, [0, 1, 1]),
            (0, 1, u64::MAX >> 1, [1, 0, 0]),
            (0, 0, 1, [i64::MAX, 1, 0]),
            (0, 0, 1, [i64::MIN, -1, 0]),
            (i64::MAX, 0, 1_000, [0, 1, 1]),
            (i64::MIN, 0, 1_000, [0, -1, 1]),
        ] {
            let bytes = bytes(ms, beyond, step, &further);
            assert!(decoded(&bytes).is_err(), "{ms} {beyond} {step} {further:?}");
        }
        let mut nested = good;
        nested[5] = GRID;
        assert!(decoded(&nested).is_err());
    }

    proptest! {
        #[test]
        fn any_instants_come_back(
            mut dues in prop::collection::vec(
                prop_oneof![any::<i64>(), 0..DAY_MS, 0..1_000_i64], 1..200,
            ),
            sorted: bool,
        ) {
            if sorted {
                dues.sort_unstable();
            }
            let (code, bytes, told) = encode(&rows(&dues)).unwrap();
            prop_assert_eq!(&decode(code, &bytes, dues.len()).unwrap(), &told);
            prop_assert_eq!(told.iter().map(|it| it.ms).collect::<Vec<_>>(), dues);
        }

        /// Whatever grid there is, one is found that gives the same instants.
        #[test]
        fn a_grid_is_found_wherever_there_is_one(
            first_us in -1_000_000_000_000_000..4_000_000_000_000_000_i64,
            step_us in 950_000..86_400_000_000_i64,
            runs in prop::collection::vec((1..4_i64, 0..3_usize), 1..300),
        ) {
            // The first two are one step apart: only then can one be told from two.
            let mut slots = vec![0, 1];
            let mut last = 1;
            for (further, more) in runs {
                last += further;
                slots.extend(std::iter::repeat_n(last, more + 1));
            }
            let mut dues = recorded(first_us, step_us, slots);
            dues.retain(|due| due - first_us.div_euclid(1_000) < DAY_MS);
            let (code, ..) = encode(&rows(&dues)).unwrap();
            prop_assert_eq!(code == GRID, dues.len() > 1);
        }

        #[test]
        fn noise_never_panics(
            code in 0..5_u8,
            noise in prop::collection::vec(any::<u8>(), 0..60),
            count in 0..100_usize,
        ) {
            let _ = decode(code, &noise, count);
        }
    }
}
