//! Open, append, flush, read back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use thongsuot::history::{
    Cursor, Document, Event, Filter, History, HistoryError, Reader, Record, Settings,
};
use thongsuot::model::check::Lane;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunResult, VoidSpan};
use thongsuot::model::span::Span;
use thongsuot::model::time::Millis;

use super::sample::{NEW_YEAR, all_time, check, read_all, records, result, settings, vantage};

#[tokio::test]
async fn what_is_flushed_is_read_back_and_the_first_of_two_wins() {
    let folder = tempfile::tempdir().unwrap();
    for settings in [Settings::default(), settings(folder.path())] {
        let history = History::open(settings, None).unwrap();
        let results: Vec<_> = (0..1_000).map(|i| result("a", NEW_YEAR + i * 30_000)).collect();
        history.append(records(&results)).await.unwrap();
        let mut again = results[3].clone();
        again.reason = Reason::HttpStatus;
        history.append(records(&[again, result("b", NEW_YEAR)])).await.unwrap();
        history.flush().await.unwrap();

        let reader = history.reader().unwrap();
        assert_eq!(read_all(&reader, "a"), results);
        assert_eq!(read_all(&reader, "b"), [result("b", NEW_YEAR)]);
        assert_eq!(read_all(&reader, "c"), []);
        assert_eq!(reader.first_started(&check("a")).unwrap(), Some(Millis(NEW_YEAR + 1)));
        assert_eq!(reader.first_started(&check("c")).unwrap(), None);
        let streams = [("a", Lane::Any, "hn"), ("b", Lane::Any, "hn")];
        assert_eq!(reader.streams().unwrap(), streams.map(|(a, b, c)| (check(a), b, vantage(c))));
        let tail = reader
            .tail(&check("a"), Lane::Any, &vantage("hn"), Millis(NEW_YEAR + 29_970_001))
            .unwrap();
        assert_eq!(tail, results[999..]);
        assert_eq!(reader.tail(&check("a"), Lane::V4, &vantage("hn"), Millis(0)).unwrap(), []);
        let stats = history.stats();
        assert_eq!((stats.waiting, stats.committed, stats.duplicates), (0, 1_001, 1));
        history.close().await.unwrap();
    }
    let reader = Reader::open(folder.path()).unwrap();
    assert_eq!(reader.counts().unwrap().raw, 1_001);
}

#[tokio::test]
async fn pages_put_together_are_the_whole_in_order() {
    let history = History::open(Settings::default(), None).unwrap();
    let mut results = Vec::new();
    for i in 0..50 {
        for (lane, place) in [(Lane::V4, "hn"), (Lane::V4, "hcm"), (Lane::V6, "hn")] {
            // Two starts in the same millisecond, and days without any.
            let mut it = result("a", NEW_YEAR + i / 2 * 90_000_000);
            (it.lane, it.vantage, it.run) = (lane, vantage(place), i as u16);
            results.push(it);
        }
    }
    history.append(records(&results)).await.unwrap();
    history.flush().await.unwrap();
    results.sort_by_key(Cursor::after);
    let reader = history.reader().unwrap();
    assert_eq!(read_all(&reader, "a"), results);
    let hn = Filter { vantage: Some(vantage("hn")), lane: None };
    for (filter, expected) in [
        (&Filter::default(), results.clone()),
        (&hn, results.iter().filter(|it| it.vantage == vantage("hn")).cloned().collect()),
    ] {
        let (mut got, mut cursor): (Vec<RunResult>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let page = reader.results(&check("a"), all_time(), filter, cursor.as_ref(), 7).unwrap();
            got.extend(page.results);
            let Some(next) = page.next else { break };
            cursor = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(got, expected);
    }
}

#[tokio::test]
async fn void_spans_events_and_the_last_activity_are_kept() {
    let history = History::open(Settings::default(), None).unwrap();
    assert_eq!(history.reader().unwrap().last_activity().unwrap(), None);
    let span = |from, to| VoidSpan {
        check: check("a"),
        vantage: vantage("hn"),
        from: Millis(from),
        to: Millis(to),
        reason: Reason::Stopped,
    };
    let event = |at, kind: &str| Event {
        at: Millis(at),
        kind: kind.to_owned(),
        body: json!({ "fingerprint": "đ", "n": 1 }),
    };
    let records = vec![
        Record::Void(span(10, 20)),
        Record::Event(event(5, "process.start")),
        Record::Void(span(20, 30)),
        Record::Void(span(10, 20)),
        Record::Event(event(5, "process.start")),
    ];
    history.append(records).await.unwrap();
    history.beat(Millis(77));
    history.flush().await.unwrap();
    let reader = history.reader().unwrap();
    let some = |a, b, most| {
        let within = Span::new(Millis(a), Millis(b)).unwrap();
        reader.void_spans(&check("a"), within, most).unwrap()
    };
    let voids = |a, b| some(a, b, usize::MAX);
    assert_eq!(voids(0, 99), [span(10, 20), span(20, 30)]);
    assert_eq!(some(0, 99, 1), [span(10, 20)]);
    assert_eq!(voids(19, 20), [span(10, 20)]);
    assert_eq!(voids(20, 21), [span(20, 30)]);
    let events = reader.events(0, 9).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].event, event(5, "process.start"));
    assert_ne!(events[0].hash, events[1].hash);
    assert_eq!(reader.events(1, 9).unwrap(), events[1..]);
    assert_eq!(reader.last_activity().unwrap(), Some(Millis(77)));
    assert_eq!(history.stats().last_commit_at, Some(Millis(77)));
}

#[tokio::test]
async fn a_batch_is_committed_without_being_asked_and_is_observed() {
    let seen = Arc::new(AtomicU64::new(0));
    let (count, told) = (Arc::clone(&seen), Arc::new(tokio::sync::Notify::new()));
    let tell = Arc::clone(&told);
    let observer: thongsuot::history::Observer = Arc::new(move |commit| {
        count.fetch_add(commit.records, Ordering::SeqCst);
        tell.notify_one();
    });
    let history = History::open(Settings::default(), Some(observer)).unwrap();
    history.append(records(&[result("a", 0), result("a", 1)])).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(20), told.notified()).await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn two_daemons_are_refused_and_a_closed_one_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let first = History::open(settings(folder.path()), None).unwrap();
    let error = History::open(settings(folder.path()), None).unwrap_err();
    assert!(matches!(error, HistoryError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    let other = first.clone();
    first.close().await.unwrap();
    assert!(matches!(other.flush().await, Err(HistoryError::Closed)));
    History::open(settings(folder.path()), None).unwrap();
}

#[tokio::test]
async fn documents_change_together_and_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || settings(folder.path());
    let document = |name: &str, body: Option<&str>| Document {
        space: "test",
        name: name.to_owned(),
        body: body.map(str::to_owned),
    };
    let history = History::open(settings(), None).unwrap();
    let first = vec![document("a", Some("1")), document("b", Some("2"))];
    history.append(vec![Record::Documents(first)]).await.unwrap();
    let second = vec![document("a", None), document("b", Some("3")), document("c", Some("4"))];
    history.append(vec![Record::Documents(second)]).await.unwrap();
    history.close().await.unwrap();
    let history = History::open(settings(), None).unwrap();
    let pair = |name: &str, body: &str| (name.to_owned(), body.to_owned());
    let reader = history.reader().unwrap();
    assert_eq!(reader.documents("test").unwrap(), [pair("b", "3"), pair("c", "4")]);
    assert_eq!(reader.documents("another").unwrap(), []);
}
