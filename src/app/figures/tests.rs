//! Past hours are judged by what was in force: they add up to what a report says.

use jiff::tz::TimeZone;
use serde_json::json;

use super::*;
use crate::app::notices::contract;
use crate::app::settings;
use crate::availability::sketch;
use crate::config::{Config, parse_str};
use crate::history::{Event, Record, Settings};
use crate::model::id::CheckId;
use crate::model::result::RunResult;
use crate::report::month_of;

/// 2026-11-17T00:00Z, a Tuesday.
const START: i64 = 1_794_873_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const NOW: i64 = START + 5 * DAY_MS + 1_234_567;

fn config(keys: &str, first: &str, second: &str) -> Config {
    let text = format!(
        "[monitor]\nvantage = \"hn-1\"\ntimezone = \"Asia/Ho_Chi_Minh\"\n[[owner]]\nid = \"bca\"\n\
         name = \"B\"\n[[system]]\nid = \"s\"\nowner = \"bca\"\nname = \"S\"\n{keys}\n\
         [[system.check]]\nid = \"a\"\nkind = \"http\"\nurl = \"http://a.example/\"\n\
         interval = \"10m\"\n{first}\n\
         [[system.check]]\nid = \"b\"\nkind = \"http\"\nurl = \"http://b.example/\"\n\
         interval = \"10m\"\n{second}\n"
    );
    parse_str("t.toml", &text).unwrap_or_else(|it| panic!("{it}"))
}

/// Every ten minutes: `a` has a blip every seventh hour and is down around each change; `b` is
/// down for two hours a day.
fn results(vantage: &VantageId, changes: &[i64]) -> Vec<Record> {
    let mut records = Vec::new();
    for at in (START..NOW).step_by(580_000) {
        let blip = (at - START) / HOUR_MS % 7 == 3 && (at - START) % HOUR_MS < 580_000;
        let near = changes.iter().any(|it| (at - it).abs() < HOUR_MS);
        let down = (at - START) % DAY_MS / HOUR_MS / 2 == 7;
        for (check, bad) in [("a", blip || near), ("b", down)] {
            let result = sketch::result(at, if bad { 'x' } else { 'o' }, 100).unwrap();
            let check = CheckId::new(check).unwrap();
            records.push(Record::Result(RunResult { check, vantage: vantage.clone(), ..result }));
        }
    }
    records
}

#[tokio::test]
async fn past_hours_add_up_to_the_report_over_every_change_of_contract() {
    let configs = [
        (0, config("objective = \"99.9%\"", "", "critical = false")),
        (
            34 * HOUR_MS + 1_800_000,
            config("objective = \"90%\"\nhours = \"office\"", "", "critical = false"),
        ),
        (63 * HOUR_MS + 777_000, config("objective = \"90%\"", "confirm = 1", "")),
        (92 * HOUR_MS + 1, config("", "confirm = 1", "enabled = false\nreason = \"thử\"")),
    ];
    let changes: Vec<i64> = configs.iter().skip(1).map(|it| START + it.0).collect();
    let vantage = configs[0].1.monitor.vantage.clone();
    let history = History::open(Settings::default(), None).unwrap();
    let told = configs.iter().map(|(after, config)| {
        let body = json!({ "contract": contract(config, &vantage).to_json() });
        let at = Millis(START + after);
        Record::Event(Event { at, kind: "config.loaded".to_owned(), body })
    });
    history.append(told.chain(results(&vantage, &changes)).collect()).await.unwrap();
    history.flush().await.unwrap();
    let reader = history.reader().unwrap();
    let last = &configs.last().unwrap().1;
    let figures = Figures {
        clock: Clock::simulated(Millis(NOW)),
        zone: TimeZone::UTC,
        vantage: vantage.clone(),
        notices: Arc::new(Notices::read(&reader).unwrap()),
        watch: Shared::default(),
        metrics: Arc::new(settings::metrics(last).unwrap()),
        cache: PathBuf::new(),
        since: Millis(0),
        board: std::sync::Arc::default(),
        history,
    };
    let (journal, system) = (figures.notices.journal().unwrap(), &last.roster.systems[0]);
    let mut ledger = Ledger::default();
    while figures.system(&reader, &journal, system, &mut ledger).unwrap().1 {}

    let (first, end) = (hour_of(Millis(START)), hour_of(Millis(NOW)) - 3);
    for (from, to) in [(first, end), (first + 20, first + 50), (first + 34, first + 35)] {
        let span = Span::new(hour_start(from), hour_start(to)).unwrap();
        let report = month_of(&reader, &journal, &system.id, span, Millis(NOW)).unwrap().unwrap();
        let times = report.measured.unwrap().figures.times;
        let cell = ledger.sum(from, to).unwrap();
        assert_eq!(cell.good_ms, times.up_ms + times.slow_ms + times.partial_ms, "{from}");
        assert_eq!((cell.down_ms, cell.unknown_ms), (times.down_ms, times.unknown_ms), "{from}");
        let held = report.pieces.iter().filter_map(|it| Some((it.0.objective?, it.1.times)));
        let allowed = held.clone().map(|(it, times)| times.known_ms() * i64::from(it.down_ppm()));
        assert_eq!(cell.allowed, allowed.sum::<i64>(), "{from}");
        assert_eq!(cell.held_down_ms, held.map(|it| it.1.down_ms).sum::<i64>(), "{from}");
    }
    assert!(ledger.sum(first, end).unwrap().down_ms > 6 * HOUR_MS);

    // A contract that changes now leaves the past as it was.
    let before = ledger.clone();
    let event = Event { at: Millis(NOW), kind: "config.loaded".to_owned(), body: json!({}) };
    let other = contract(&config("objective = \"99%\"", "", ""), &vantage);
    figures.notices.with_contract(&other, event);
    let journal = figures.notices.journal().unwrap();
    assert!(!figures.system(&reader, &journal, system, &mut ledger).unwrap().1);
    assert_eq!(ledger, before);
}
