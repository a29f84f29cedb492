//! Sealing changes how results are stored, and nothing else.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use thongsuot::history::{Cursor, Filter, History, HistoryError, Reader, Settings, Upkept};
use thongsuot::model::check::Lane;
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::time::{Micros, Millis};

use super::sample::{DAY, NEW_YEAR, check, read_all, records, result, settings, vantage};

/// Any result of the check `a` in the first days of 2026.
fn any_result() -> impl Strategy<Value = RunResult> {
    let identity = (
        prop::sample::select(Lane::ALL.to_vec()),
        prop::sample::select(vec!["hn", "hcm"]),
        0..6 * DAY / 600_000,
        prop::sample::select(RunKind::ALL.to_vec()),
        0..3u16,
    );
    let times =
        (prop_oneof![-5_000..200_000i64, -2 * DAY..2 * DAY], any::<u32>(), any::<[u32; 6]>());
    let rest = (
        prop::sample::select(Reason::ALL.to_vec()),
        any::<Option<u16>>(),
        any::<u32>(),
        any::<bool>(),
    );
    (identity, times, rest).prop_map(|(identity, (delay, lateness, phases), rest)| {
        let (lane, place, slot, kind, run) = identity;
        let (reason, status, bytes, reused) = rest;
        let due = Millis(NEW_YEAR + slot * 600_000);
        RunResult {
            check: check("a"),
            lane,
            vantage: vantage(place),
            due,
            started: due.plus_ms(delay),
            lateness: Micros(lateness),
            kind,
            run,
            reason,
            phases: Phases::from_array(phases.map(Micros)),
            status,
            bytes,
            reused,
        }
    })
}

fn identity(it: &RunResult) -> (Lane, String, Millis, RunKind, u16) {
    (it.lane, it.vantage.to_string(), it.due, it.kind, it.run)
}

/// What must be read: the first of each identity, in order.
fn expected(arrived: &[RunResult]) -> Vec<RunResult> {
    let mut seen = HashSet::new();
    let mut first: Vec<RunResult> =
        arrived.iter().filter(|it| seen.insert(identity(it))).cloned().collect();
    first.sort_by_key(Cursor::after);
    first
}

fn paged(reader: &Reader, span: Span, limit: usize) -> Vec<RunResult> {
    let (mut got, mut cursor): (Vec<RunResult>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let filter = Filter::default();
        let page = reader.results(&check("a"), span, &filter, cursor.as_ref(), limit).unwrap();
        got.extend(page.results);
        let Some(next) = page.next else { return got };
        cursor = Some(next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Results arrive in any order, some twice, some after their day was sealed.
    #[test]
    fn sealing_changes_nothing_that_is_read(
        parts in prop::collection::vec(
            (prop::collection::vec(any_result(), 0..60), 0..9i64),
            1..5,
        ),
        window in (0..6 * DAY, 1..3 * DAY),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let settings = Settings { keep_days: None, ..Settings::default() };
            let history = History::open(settings, None).unwrap();
            let reader = history.reader().unwrap();
            let mut arrived: Vec<RunResult> = Vec::new();
            for (part, today) in parts {
                arrived.extend(part.clone());
                history.append(records(&part)).await.unwrap();
                history.flush().await.unwrap();
                let expected = expected(&arrived);
                assert_eq!(read_all(&reader, "a"), expected, "before sealing");
                let now = Millis(NEW_YEAR + today * DAY);
                history.maintain(now).await.unwrap();
                assert_eq!(read_all(&reader, "a"), expected, "after sealing");
                let counts = reader.counts().unwrap();
                assert_eq!((counts.raw + counts.sealed) as usize, expected.len());
                let left = expected.iter().filter(|it| it.due.0 >= NEW_YEAR + (today - 1) * DAY);
                assert!(counts.raw as usize <= left.count(), "all that is over is sealed");
            }
            let from = Millis(NEW_YEAR + window.0);
            let span = Span::new(from, from.plus_ms(window.1)).unwrap();
            let mut expected = expected(&arrived);
            expected.retain(|it| span.contains(it.started));
            assert_eq!(paged(&reader, span, 7), expected, "one window by pages");
        });
    }
}

#[tokio::test]
async fn a_reader_sees_one_state_while_days_are_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(settings(folder.path()), None).unwrap();
    let numbered = |n: i64| result("a", NEW_YEAR + n * 300_000);
    let stop = Arc::new(AtomicBool::new(false));
    let (reader, stopped) = (history.reader().unwrap(), Arc::clone(&stop));
    let reading = std::thread::spawn(move || {
        let (mut scans, mut last) = (0, 0);
        while !stopped.load(Ordering::SeqCst) {
            let got = read_all(&reader, "a");
            assert!(got.len() >= last, "fewer than before");
            assert!(got == (0..got.len() as i64).map(numbered).collect::<Vec<_>>());
            (scans, last) = (scans + 1, got.len());
        }
        (scans, last)
    });
    for part in 0..40 {
        let results: Vec<_> = (part * 100..part * 100 + 100).map(numbered).collect();
        history.append(records(&results)).await.unwrap();
        history.maintain(results[99].due).await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let (scans, _) = reading.join().unwrap();
    assert!(scans > 0);
    assert_eq!(read_all(&history.reader().unwrap(), "a").len(), 4_000);
    println!("{scans} scans beside 40 upkeeps");
    history.close().await.unwrap();
}

#[tokio::test]
async fn old_days_are_sealed_and_very_old_ones_deleted() {
    let settings = Settings { keep_days: Some(10), ..Settings::default() };
    let history = History::open(settings, None).unwrap();
    let per_day = 100;
    let results: Vec<_> = (0..20 * per_day)
        .map(|i| result("a", NEW_YEAR + i / per_day * DAY + i % per_day * 60_000))
        .collect();
    history.append(records(&results)).await.unwrap();
    let now = Millis(NEW_YEAR + 20 * DAY);
    let done = history.maintain(now).await.unwrap();
    // Days 0 to 18 ended at least one day ago; days 0 to 9 are older than ten.
    assert_eq!((done.sealed_results, done.sealed_blocks), (1_900, 19));
    assert_eq!(done.expired_results, 1_000);
    let reader = history.reader().unwrap();
    assert_eq!(read_all(&reader, "a"), results[1_000..]);
    assert_eq!(history.maintain(now).await.unwrap(), Upkept::default());
    let kinds: Vec<String> =
        reader.events(0, 99).unwrap().into_iter().map(|it| it.event.kind).collect();
    assert_eq!(kinds.iter().filter(|it| *it == "history.sealed").count(), 19);
    assert_eq!(kinds.iter().filter(|it| *it == "history.expired").count(), 1);
}

#[tokio::test]
async fn a_day_with_more_than_a_block_of_results_is_several_blocks() {
    let history = History::open(Settings::default(), None).unwrap();
    let results: Vec<_> = (0..40_000).map(|i| result("a", NEW_YEAR + i * 2_000)).collect();
    history.append(records(&results)).await.unwrap();
    let done = history.maintain(Millis(NEW_YEAR + 5 * DAY)).await.unwrap();
    assert_eq!((done.sealed_results, done.sealed_blocks), (40_000, 3));
    assert_eq!(read_all(&history.reader().unwrap(), "a"), results);
}

#[tokio::test]
async fn a_damaged_block_is_named_and_never_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(settings(folder.path()), None).unwrap();
    let results: Vec<_> = (0..500).map(|i| result("a", NEW_YEAR + i * 60_000)).collect();
    history.append(records(&results)).await.unwrap();
    history.append(records(&[result("b", NEW_YEAR)])).await.unwrap();
    history.maintain(Millis(NEW_YEAR + 5 * DAY)).await.unwrap();
    history.close().await.unwrap();

    let file = rusqlite::Connection::open(folder.path().join("history.sqlite")).unwrap();
    let spoil = |sql: &str| assert_eq!(file.execute(sql, []).unwrap(), 1);
    let reader = Reader::open(folder.path()).unwrap();
    let fails = |needle: &str| {
        let all = Span::new(Millis(0), Millis(i64::MAX)).unwrap();
        let filter = Filter::default();
        let error = reader.scan(&check("a"), all, &filter, |_| ()).unwrap_err();
        assert!(matches!(error, HistoryError::Damaged { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("check a, lane any, vantage hn, day 2026-01-01"), "{text}");
        assert!(text.contains(needle), "{text}");
        reader.results(&check("a"), all, &filter, None, 10).unwrap_err();
        reader.tail(&check("a"), Lane::Any, &vantage("hn"), Millis(0)).unwrap_err();
        assert_eq!(read_all(&reader, "b").len(), 1, "other checks can be read");
    };
    spoil("UPDATE blocks SET count = 499 WHERE stream = 1");
    fails("the block's row in the table says otherwise");
    spoil("UPDATE blocks SET count = 500, day = day + 0 WHERE stream = 1");
    assert_eq!(read_all(&reader, "a"), results);
    spoil("UPDATE blocks SET body = substr(body, 1, length(body) - 9) WHERE stream = 1");
    fails("CRC-32 does not match");
    spoil("UPDATE blocks SET body = (SELECT body FROM blocks WHERE stream = 2) WHERE stream = 1");
    fails("the block is of another stream or day");
}
