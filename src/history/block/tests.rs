use proptest::prelude::*;

use super::super::cut::push_signed_varint;
use super::*;
use crate::history::row::DAY_MS;

fn key(day: i32) -> BlockKey {
    BlockKey { check: "vneid-home".into(), lane: 1, vantage: "hn".into(), day, seq: 2 }
}

fn any_row(day: i32) -> impl Strategy<Value = Row> {
    let identity = (0..DAY_MS, any::<u8>(), any::<u16>());
    let times = (any::<i64>(), any::<u32>(), any::<[u32; 6]>());
    let rest = (any::<u8>(), any::<Option<u16>>(), any::<u32>(), any::<bool>());
    (identity, times, rest).prop_map(
        move |((due, kind, run), (started, lateness, phases), rest)| {
            let due = i64::from(day) * DAY_MS + due;
            let (reason, status, bytes, reused) = rest;
            Row { due, kind, run, started, lateness, reason, phases, status, bytes, reused }
        },
    )
}

fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(Row::identity);
    rows.dedup_by_key(|it| it.identity());
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any numbers at all, also absurd ones, come back.
    #[test]
    fn a_block_gives_back_what_was_packed(
        (day, rows) in (-800_000..800_000i32)
            .prop_flat_map(|day| (Just(day), prop::collection::vec(any_row(day), 1..300)))
    ) {
        let rows = in_order(rows);
        let block = unpack(&pack(&key(day), &rows).unwrap()).unwrap();
        prop_assert_eq!(block.key, key(day));
        prop_assert_eq!(block.rows, rows);
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(unpack(&noise).is_err());
    }
}

/// A quiet day with one failure, on a grid.
fn day_of_rows(count: i64) -> Vec<Row> {
    let row = |i: i64| Row {
        due: 20_000 * DAY_MS + i * 29_123,
        kind: 0,
        run: 0,
        started: 20_000 * DAY_MS + i * 29_123 + i % 3,
        lateness: (i % 3 * 1_000) as u32,
        reason: if i == 7 { 60 } else { 0 },
        phases: [i * 7919 % 1_000, 2_000, i * 104_729 % 9_000, 40, 80_000, 9].map(|it| it as u32),
        status: Some(if i == 7 { 503 } else { 200 }),
        bytes: 15_000,
        reused: false,
    };
    (0..count).map(row).collect()
}

/// The same with a row off the grid and absurd starts.
fn day_off_the_grid(count: i64) -> Vec<Row> {
    let mut rows = day_of_rows(count);
    rows[5].due += 1;
    for row in rows.iter_mut().skip(20).step_by(3) {
        row.started -= i64::from(row.phases[0]) << 40;
        row.phases[4] += row.phases[0];
    }
    rows
}

#[test]
fn every_coding_is_used() {
    let mut codes = Vec::new();
    for rows in [day_of_rows(300), day_off_the_grid(300)] {
        let bytes = pack(&key(20_000), &rows).unwrap();
        with_column(&bytes, 0, 0, &[], |code| codes.push(code));
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, [0, 1, 2, 3, 4]);
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    for rows in [day_of_rows(300), day_off_the_grid(300)] {
        notices_every_change(&pack(&key(20_000), &rows).unwrap());
    }
}

fn notices_every_change(bytes: &[u8]) {
    for at in 0..bytes.len() {
        assert!(unpack(&bytes[..at]).is_err(), "cut at {at}");
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = bytes.to_vec();
            changed[at] ^= flip;
            assert!(unpack(&changed).is_err(), "byte {at} changed by {flip:#x}");
        }
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert!(unpack(&longer).is_err());
}

/// Someone who edits a block can mend its CRC-32; the rest must hold without panic.
#[test]
fn a_changed_byte_with_a_mended_crc_is_noticed() {
    for rows in [day_of_rows(300), day_off_the_grid(300)] {
        let bytes = pack(&key(20_000), &rows).unwrap();
        for at in 0..bytes.len() - 4 {
            let mut changed = bytes[..bytes.len() - 4].to_vec();
            changed[at] ^= 0x10;
            mend(&mut changed);
            // A change that pco does not see at all (unused bits) leaves every value as it was.
            assert!(
                unpack(&changed).is_ok_and(|it| it.rows == rows && it.key == key(20_000))
                    || unpack(&changed).is_err(),
                "byte {at}"
            );
        }
    }
}

fn mend(body: &mut Vec<u8>) {
    body.extend_from_slice(&crc32(body).to_le_bytes());
}

/// The block with column `number` (from 1; 0: none) as given; tells every coding there was.
fn with_column(
    block: &[u8],
    number: usize,
    code: u8,
    data: &[u8],
    mut told: impl FnMut(u8),
) -> Vec<u8> {
    let head = 67 + key(0).check.len() + key(0).vantage.len();
    let mut cut = Cut(&block[head..block.len() - 4]);
    let mut changed = block[..head].to_vec();
    for index in 1..=COLUMN_COUNT {
        let was = column(&mut cut).unwrap();
        told(was.0);
        let (code, data) = if index == number { (code, data) } else { was };
        changed.push(code);
        push_varint(&mut changed, data.len() as u64);
        changed.extend_from_slice(data);
    }
    assert!(cut.is_empty());
    mend(&mut changed);
    changed
}

/// What nobody writes: each column as an attacker might have it, the rest and the CRC-32 right.
#[test]
fn a_hostile_column_is_refused() {
    let bytes = pack(&key(20_000), &day_of_rows(300)).unwrap();
    let mut hostile: Vec<(u8, Vec<u8>)> = Vec::new();
    for value in [i64::MIN, -1, 1 << 16, 1 << 32, i64::MAX] {
        hostile.push(column::encode(&[value; 300]).unwrap());
        let half: Vec<i64> = (0..300).map(|it| if it % 2 == 0 { value } else { it }).collect();
        hostile.push(column::encode(&half).unwrap());
    }
    for further in [i64::MIN, -1, 0, 1, i64::MAX] {
        let (code, slots) = column::encode(&[further; 300]).unwrap();
        for step in [0, 1, 29_123_000, u64::MAX >> 1, u64::MAX] {
            for (first, beyond) in [(0, 0), (i64::MAX, 999), (20_000 * DAY_MS, 1_000)] {
                let mut data = Vec::new();
                push_signed_varint(&mut data, first);
                push_varint(&mut data, beyond);
                push_varint(&mut data, step);
                data.push(code);
                data.extend_from_slice(&slots);
                hostile.push((due::GRID, data));
            }
        }
    }
    hostile.extend((0..=u8::MAX).map(|code| (code, Vec::new())));
    // Runs that claim to be longer than there is memory.
    hostile.push((0, [&[0xFF; 9][..], &[1, 0]].concat()));
    for number in 1..=COLUMN_COUNT {
        for (code, data) in &hostile {
            let block = with_column(&bytes, number, *code, data, |_| ());
            assert!(unpack(&block).is_err(), "column {number}, coding {code}: {data:?}");
        }
    }
}

#[test]
fn rows_that_do_not_belong_are_refused() {
    let rows = day_of_rows(10);
    assert!(pack(&key(19_999), &rows).is_err());
    assert!(pack(&key(20_000), &[]).is_err());
    assert!(pack(&key(20_000), &[rows[1], rows[0]]).is_err());
    assert!(pack(&key(20_000), &[rows[0], rows[0]]).is_err());
}

/// A day of a check every 30 s over a network in the country: medians and spreads (as the
/// standard deviation of the logarithm) of HTTPS probes.
fn realistic_day(step_us: i64) -> Vec<Row> {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut rng = StdRng::seed_from_u64(7);
    let mut around = move |median: f64, spread: f64| {
        let angle = std::f64::consts::TAU * rng.random::<f64>();
        let normal = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * angle.cos();
        (median * (spread * normal).exp()) as u32
    };
    let (day, count) = (20_000 * DAY_MS, DAY_MS * 1_000 / step_us);
    let row = |i: i64| {
        let due_us = day * 1_000 + i * step_us + 777;
        let lateness = around(600.0, 0.5);
        let down = (1_000..1_020).contains(&i);
        let phases = [
            around(900.0, 0.3),
            around(5_000.0, 0.04),
            around(11_000.0, 0.05),
            around(45.0, 0.2),
            around(60_000.0, 0.08),
            around(400.0, 0.3),
        ];
        Row {
            due: due_us.div_euclid(1_000),
            kind: 0,
            run: 0,
            started: (due_us + i64::from(lateness)).div_euclid(1_000),
            lateness,
            reason: if down { 60 } else { 0 },
            phases,
            status: Some(if down { 503 } else { 200 }),
            bytes: if down { 312 } else { 48_211 },
            reused: false,
        }
    };
    (0..count).map(row).collect()
}

/// Prints what a result costs (`cargo test --lib realistic -- --nocapture`). Of it, 8.7 bytes
/// are the entropy of the noise put in: no coding can take less.
#[test]
fn a_realistic_day_takes_little_more_than_its_noise() {
    for (interval_s, bytes_max) in [(30, 9.0), (60, 9.2)] {
        let rows = realistic_day(interval_s * 970_781);
        let bytes = pack(&key(20_000), &rows).unwrap();
        let each = |bytes: usize| bytes as f64 / rows.len() as f64;
        let (code, column, dues) = due::encode(&rows).unwrap();
        println!("column  1, coding {code}: {:.3} bytes a result", each(column.len()));
        for (index, values) in columns(&rows, &dues).iter().enumerate() {
            let (code, column) = column::encode(values).unwrap();
            println!(
                "column {:2}, coding {code}: {:.3} bytes a result",
                index + 2,
                each(column.len())
            );
        }
        println!(
            "every {interval_s} s: {} results, {} bytes, {:.2} a result",
            rows.len(),
            bytes.len(),
            each(bytes.len())
        );
        assert!(each(bytes.len()) <= bytes_max);
    }
}
