//! The live side judges by the intervals that the journal tells of.

use serde_json::json;

use super::*;
use crate::availability::judge;
use crate::availability::sketch;
use crate::config::parse_str;
use crate::history::{Event, History, Record, Settings};
use crate::model::result::RunResult;
use crate::model::step::Step;

const START: i64 = 1_700_000_000_000;
const CHANGE: i64 = START + 6 * 3_600_000;

#[tokio::test]
async fn an_interval_that_changed_counts_for_the_results_after_it() {
    let text = "[monitor]\nvantage = \"hn-1\"\n[[owner]]\nid = \"bca\"\nname = \"B\"\n[[system]]\n\
         id = \"a\"\nowner = \"bca\"\nname = \"A\"\n[[system.check]]\nid = \"a-web\"\n\
         kind = \"http\"\nurl = \"http://a.example/\"\ninterval = \"30s\"\n";
    let config = parse_str("t.toml", text).unwrap_or_else(|it| panic!("{it}"));
    let (roster, vantage) = (&config.roster, config.monitor.vantage.clone());
    let check = &roster.systems[0].checks[0];
    let promise = |at, interval_ms: i64| {
        let tested = json!({ "id": "a-web", "interval_ms": interval_ms, "enabled": true });
        let contract = json!({ "systems": [{ "id": "a", "checks": [tested] }] });
        let body = json!({ "contract": contract });
        Record::Event(Event { at: Millis(at), kind: "config.loaded".to_owned(), body })
    };
    // Every ten minutes, then every 30 s but for a hole of four minutes, which the old interval
    // would speak for.
    let before = (START..CHANGE).step_by(570_000);
    let hole = CHANGE + 1_800_000..CHANGE + 2_040_000;
    let after = (CHANGE..CHANGE + 3_600_000).step_by(29_000).filter(|it| !hole.contains(it));
    let of = |at: i64| {
        let shows = if (CHANGE - 1_200_000..CHANGE + 600_000).contains(&at) { 'x' } else { 'o' };
        let result = sketch::result(at, shows, 100).unwrap();
        RunResult { check: check.id.clone(), vantage: vantage.clone(), ..result }
    };
    let results: Vec<RunResult> = before.chain(after).map(of).collect();
    let mut records = vec![promise(START - 1, 600_000), promise(CHANGE, 30_000)];
    records.extend(results.iter().cloned().map(Record::Result));
    let history = History::open(Settings::default(), None).unwrap();
    history.append(records).await.unwrap();
    history.flush().await.unwrap();
    let reader = history.reader().unwrap();
    let notices = Notices::read(&reader).unwrap();
    let court = Court {
        reader: &reader,
        roster,
        vantage: &vantage,
        notices: &notices,
        zone: &config.monitor.timezone,
        now: Millis(CHANGE + 7_200_000),
        wanted: &|| true,
    };
    let reach_ms = |interval_ms| Step::of(&check.id, interval_ms).reach_ms();
    let reach = judge::Reach::constant(reach_ms(600_000)).then(Millis(CHANGE), reach_ms(30_000));
    let constant = Rule::of(check, std::slice::from_ref(&vantage));
    let rule = Rule { reach, ..constant.clone() };
    // The last period needs results of the old interval from long before it.
    for (from, to) in [(START + 3_600_000, CHANGE + 3_000_000), (CHANGE + 60_000, CHANGE + 300_000)]
    {
        let span = Span::new(Millis(from), Millis(to)).unwrap();
        let judged = super::judge(court, &roster.systems[0], span).unwrap().unwrap();
        let figures = |rule: &Rule| judge::judge(&results, rule, &judged.terms());
        assert_eq!(judged.figures(), figures(&rule), "{from}");
        if from < CHANGE {
            assert!(judged.figures().times.unknown_ms > 150_000);
            assert_ne!(judged.figures(), figures(&constant));
        }
    }
}
