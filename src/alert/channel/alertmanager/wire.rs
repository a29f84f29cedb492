//! Alerts as Alertmanager's API v2 has them, and its answers read leniently.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{AmAlert, FIRING_MS, Labels, WATCHDOG_MS};
use crate::model::time::Millis;

/// Most alerts of one post: a slow instance takes a few at a time, and an offender is found soon.
pub(super) const BATCH_ALERTS_MAX: usize = 64;

/// Most bytes of one post; proxies in front refuse large bodies.
pub(super) const BATCH_BYTES_MAX: usize = 256 * 1024;

/// A difference of clocks below this is delay and rounding (`Date` has whole seconds, and an
/// answer may be ten seconds old).
const SKEW_MS_MIN: i64 = 15_000;

/// The clocks of both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clocks {
    /// Ours.
    pub(super) now: Millis,
    /// By how much the other is ahead of ours; 0 if by little.
    pub(super) skew_ms: i64,
}

/// As many from the front of `due` as fit into one post (at least one), and its body.
pub(super) fn first_batch(due: &[Arc<AmAlert>], clocks: Clocks) -> (usize, String) {
    let mut body = String::from("[");
    let mut count = 0;
    for alert in due.iter().take(BATCH_ALERTS_MAX) {
        let text = one(alert, clocks);
        if count > 0 && body.len() + text.len() + 2 > BATCH_BYTES_MAX {
            break;
        }
        if count > 0 {
            body.push(',');
        }
        body.push_str(&text);
        count += 1;
    }
    body.push(']');
    (count, body)
}

/// One alert. A firing one ends [`FIRING_MS`] (the watchdog: [`WATCHDOG_MS`]) from now by the clock that is ahead, so that the
/// other side never takes it for over; a resolved one has ended by the clock that is behind.
fn one(alert: &AmAlert, clocks: Clocks) -> String {
    let Clocks { now, skew_ms } = clocks;
    let ends = match alert.ends_at {
        None => {
            let ahead = if alert.incident.is_some() { FIRING_MS } else { WATCHDOG_MS };
            now.plus_ms(ahead + skew_ms.max(0))
        }
        Some(over) => Millis(over.0.min(now.plus_ms(skew_ms.min(0)).0)),
    };
    let mut fields = Map::new();
    fields.insert("labels".into(), json!(alert.labels));
    fields.insert("annotations".into(), json!(alert.annotations));
    if let Some(starts) = alert.starts_at {
        // An end before the start is refused.
        fields.insert("startsAt".into(), rfc3339(Millis(starts.0.min(ends.0))).into());
    }
    fields.insert("endsAt".into(), rfc3339(ends).into());
    if let Some(url) = &alert.generator_url {
        fields.insert("generatorURL".into(), url.as_str().into());
    }
    Value::Object(fields).to_string()
}

fn rfc3339(at: Millis) -> String {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// When it started, as it writes it, and its version, from the answer of `/api/v2/status`.
pub(super) fn status(body: &[u8]) -> (Option<String>, Option<String>) {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (text(&answer["uptime"]), text(&answer["versionInfo"]["version"]))
}

/// The label sets that stand there, from the answer of `/api/v2/alerts`; `None`: not a list.
/// What is not an alert in it is left out.
pub(super) fn present(body: &[u8]) -> Option<BTreeSet<Labels>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let labels = |it: &Value| -> Option<Labels> {
        let pairs = it.get("labels")?.as_object()?.iter();
        pairs.map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    };
    Some(answer.as_array()?.iter().filter_map(labels).collect())
}

/// By how much the other side's clock is ahead, from its `Date` (RFC 9110, section 6.6.1).
pub(super) fn skew_ms(date: &str, now: Millis) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    let skew = Millis(date).since(now);
    Some(if skew.abs() < SKEW_MS_MIN { 0 } else { skew })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::book::IncidentId;

    fn alert(bytes: usize, ends_at: Option<i64>) -> Arc<AmAlert> {
        Arc::new(AmAlert {
            incident: Some(IncidentId("SC-2026-0001".into())),
            labels: [("alertname".to_owned(), "ThongsuotServiceDown".to_owned())].into(),
            annotations: [("summary".to_owned(), "ệ".repeat(bytes / 3))].into(),
            starts_at: Some(Millis(1_000_000)),
            ends_at: ends_at.map(Millis),
            ..AmAlert::default()
        })
    }

    fn ends(ends_at: Option<i64>, now: i64, skew_ms: i64) -> (String, String) {
        let body = first_batch(&[alert(3, ends_at)], Clocks { now: Millis(now), skew_ms }).1;
        let read: Value = serde_json::from_str(&body).unwrap();
        let text = |name: &str| read[0][name].as_str().unwrap().to_owned();
        (text("startsAt"), text("endsAt"))
    }

    #[test]
    fn a_firing_alert_ends_a_quarter_of_an_hour_ahead_of_both_clocks() {
        let starts = "1970-01-01T00:16:40Z".to_owned();
        assert_eq!(ends(None, 2_000_000, 0), (starts.clone(), "1970-01-01T00:48:20Z".into()));
        assert_eq!(ends(None, 2_000_000, -60_000).1, "1970-01-01T00:48:20Z");
        assert_eq!(ends(None, 2_000_000, 60_000).1, "1970-01-01T00:49:20Z");
        assert_eq!(ends(Some(1_500_000), 2_000_000, 0), (starts, "1970-01-01T00:25:00Z".into()));
    }

    #[test]
    fn the_watchdog_ends_soon_after_us() {
        let body = first_batch(&[Arc::new(AmAlert::default())], Clocks::default()).1;
        assert!(body.contains(r#""endsAt":"1970-01-01T00:03:00Z""#), "{body}");
    }

    #[test]
    fn a_resolved_alert_is_over_by_both_clocks_and_never_before_it_began() {
        assert_eq!(ends(Some(2_000_000), 2_000_000, -60_000).1, "1970-01-01T00:32:20Z");
        let both = "1970-01-01T00:15:00Z".to_owned();
        assert_eq!(ends(Some(900_000), 2_000_000, 0), (both.clone(), both));
    }

    #[test]
    fn answers_are_read_leniently() {
        let body =
            br#"{"uptime":"2026-11-24T01:02:03.5Z","versionInfo":{"version":"0.34.0"},"new":1}"#;
        let read = status(body);
        assert_eq!(read, (Some("2026-11-24T01:02:03.5Z".into()), Some("0.34.0".into())));
        assert_eq!(status(b"<html>"), (None, None));
        let body = br#"[{"labels":{"a":"b"},"status":{"mutedBy":[]}},{"labels":{"a":1}},7]"#;
        let read = present(body).unwrap();
        assert_eq!(read, [[("a".to_owned(), "b".to_owned())].into()].into());
        assert_eq!(present(b"{}"), None);
        assert_eq!(present(b""), None);
    }

    #[test]
    fn a_clock_is_off_only_if_it_is_off_by_much() {
        let now = Millis(784_111_777_000);
        for (date, skew) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:41 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
            ("Sun, 06 Nov 1994 08:29:37 GMT", Some(-1_200_000)),
            ("yesterday", None),
        ] {
            assert_eq!(skew_ms(date, now), skew, "{date}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn batches_hold_everything_once_in_order_and_fit(
            sizes in prop::collection::vec(prop_oneof![3 => 3..3_000_usize, 1 => 3..300_000_usize], 1..80)
        ) {
            let all: Vec<_> = sizes.iter().map(|size| alert(*size, None)).collect();
            let mut rest = &all[..];
            while !rest.is_empty() {
                let (count, body) = first_batch(rest, Clocks::default());
                prop_assert!((1..=BATCH_ALERTS_MAX).contains(&count));
                prop_assert!(body.len() <= BATCH_BYTES_MAX || count == 1);
                let read: Vec<Value> = serde_json::from_str(&body).unwrap();
                prop_assert_eq!(read.len(), count);
                for (text, alert) in read.iter().zip(rest) {
                    prop_assert_eq!(&text["annotations"]["summary"], &alert.annotations["summary"]);
                }
                rest = &rest[count..];
            }
        }
    }
}
