//! `kind = heartbeat`: the owner pushes beats to us, and a run asks how old the last one is.
//!
//! Nothing touches the network here. Beats live in memory only: they prove that something
//! beats *now*, and after a restart the next one proves it again.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::model::id::CheckId;
use crate::model::observation::Observation;
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::HeartbeatSpec;
use crate::model::time::Millis;
use crate::probe::stopwatch::Fault;

/// Longest message of a failed beat that is kept, in bytes: one line of a status page.
pub const FAILED_BYTES_MAX: usize = 256;

/// The last beat of every check. Holds one entry a check that has ever beaten, so it is as
/// large as the configuration as long as only known checks are let in ([`Board::keep`]).
#[derive(Debug)]
pub struct Board {
    opened: Millis,
    beats: Mutex<HashMap<CheckId, Beat>>,
}

/// One beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When it arrived, by our clock.
    pub at: Millis,
    /// What the owner says is wrong; `None`: all is well.
    pub failed: Option<String>,
}

impl Board {
    /// An empty board, opened at `now`: from then on beats can arrive.
    pub fn new(now: Millis) -> Self {
        Self { opened: now, beats: Mutex::default() }
    }

    /// Notes a beat of `check` that arrived at `at`; `failed` is what the owner says is wrong,
    /// cut to [`FAILED_BYTES_MAX`]. The caller has made sure that the check exists and that
    /// the sender knows its token ([`verify`]).
    pub fn beat(&self, check: &CheckId, at: Millis, failed: Option<&str>) {
        let failed = failed.map(|text| {
            let end = text.floor_char_boundary(FAILED_BYTES_MAX);
            text[..end].to_owned()
        });
        self.lock().insert(check.clone(), Beat { at, failed });
    }

    /// The last beat of `check`.
    pub fn last(&self, check: &CheckId) -> Option<Beat> {
        self.lock().get(check).cloned()
    }

    /// Forgets the checks that `known` does not know any more, after a reload.
    pub fn keep(&self, known: impl Fn(&CheckId) -> bool) {
        self.lock().retain(|check, _beat| known(check));
    }

    /// A panic elsewhere can't leave a map half changed: every change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<CheckId, Beat>> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `given` is the token, in a time that tells nothing about where they differ: the
/// digests are compared, all of their bytes whatever the first ones say.
pub fn verify(token: &Secret, given: &str) -> bool {
    let wanted = Sha256::digest(token.reveal().as_bytes());
    let got = Sha256::digest(given.as_bytes());
    let difference = wanted.iter().zip(&got).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
    difference == 0
}

/// What a run at `now` says of `check`. It takes no time.
pub(super) fn run(
    check: &CheckId,
    spec: &HeartbeatSpec,
    board: Option<&Board>,
    now: Millis,
) -> Observation {
    let verdict = match board {
        Some(board) => judge(spec, board.opened, board.last(check).as_ref(), now),
        None => Err(Fault::new(Reason::Internal, "beats are not received here: there is no board")),
    };
    let reason = verdict.as_ref().err().map_or(Reason::None, |fault| fault.reason);
    let mut seen = Observation::bare(reason, Phases::default());
    seen.detail.why = verdict.err().map(|fault| fault.why);
    seen
}

/// Holds the last beat against its greatest age, which itself still passes.
///
/// Without any beat nothing is known until the board has been open for that long: then one
/// would have come. A failed beat that is too old is late: what it said may be mended.
///
/// # Errors
///
/// `heartbeat_waiting`, `heartbeat_late` or `heartbeat_failed`.
fn judge(
    spec: &HeartbeatSpec,
    opened: Millis,
    last: Option<&Beat>,
    now: Millis,
) -> Result<(), Fault> {
    let age_max = spec.age_max.whole_ms();
    let allowed = spec.age_max.duration();
    let (since, what) =
        last.map_or((opened, "start of the monitor"), |beat| (beat.at, "last beat"));
    // A clock that was set back must not make a beat come from the future.
    let age_ms = now.since(since).max(0);
    let age = humantime::format_duration(std::time::Duration::from_millis(age_ms.unsigned_abs()));
    if age_ms > age_max {
        let why = format!("no beat since the {what} {age} ago, allowed are {allowed:?}");
        return Err(Fault::new(Reason::HeartbeatLate, why));
    }
    match last {
        None => {
            let why = format!("no beat yet, {age} after the {what}; one is due within {allowed:?}");
            Err(Fault::new(Reason::HeartbeatWaiting, why))
        }
        Some(Beat { failed: Some(text), .. }) => {
            let why = format!("the beat {age} ago reports a failure: {text}");
            Err(Fault::new(Reason::HeartbeatFailed, why))
        }
        Some(Beat { failed: None, .. }) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Outcome;
    use crate::model::time::Micros;

    /// A board opened at 1,000 ms with the beats `(at, failed)`, asked at `now`; a beat may be
    /// 60 s old.
    #[track_caller]
    fn check(beats: &[(i64, Option<&str>)], now: i64, expected: Reason) -> Observation {
        let id = CheckId::new("nightly-export").unwrap();
        let spec = HeartbeatSpec { token: Secret::new("t".into()), age_max: Micros(60_000_000) };
        let board = Board::new(Millis(1_000));
        for (at, failed) in beats {
            board.beat(&id, Millis(*at), *failed);
        }
        let seen = run(&id, &spec, Some(&board), Millis(now));
        assert_eq!(seen.reason, expected, "{:?}", seen.detail.why);
        assert_eq!(seen.detail.why.is_some(), expected != Reason::None);
        assert_eq!(seen.phases.total(), Micros(0));
        seen
    }

    #[test]
    fn before_the_first_beat_nothing_is_known_until_one_was_due() {
        check(&[], 1_000, Reason::HeartbeatWaiting);
        check(&[], 61_000, Reason::HeartbeatWaiting);
        check(&[], 61_001, Reason::HeartbeatLate);
        assert_eq!(Reason::HeartbeatWaiting.outcome(), Outcome::Void);
    }

    #[test]
    fn a_beat_is_good_as_long_as_it_is_young() {
        check(&[(5_000, None)], 5_000, Reason::None);
        check(&[(5_000, None)], 65_000, Reason::None);
        let late = check(&[(5_000, None)], 65_001, Reason::HeartbeatLate);
        let why = late.detail.why.unwrap();
        assert_eq!(why, "no beat since the last beat 1m 1ms ago, allowed are 60s");
    }

    #[test]
    fn a_failed_beat_fails_until_a_good_one_comes() {
        let seen = check(&[(5_000, Some("đĩa đầy"))], 6_000, Reason::HeartbeatFailed);
        assert!(seen.detail.why.unwrap().ends_with("reports a failure: đĩa đầy"));
        check(&[(5_000, Some("x")), (6_000, None)], 6_000, Reason::None);
        check(&[(5_000, Some("x"))], 65_001, Reason::HeartbeatLate);
    }

    #[test]
    fn a_clock_set_back_does_not_fail_a_beat() {
        check(&[(50_000, None)], 2_000, Reason::None);
        check(&[(i64::MAX, None)], i64::MIN, Reason::None);
        check(&[(i64::MIN, None)], i64::MAX, Reason::HeartbeatLate);
    }

    #[test]
    fn the_message_of_a_beat_is_cut_between_characters() {
        let id = CheckId::new("a").unwrap();
        let board = Board::new(Millis(0));
        board.beat(&id, Millis(1), Some(&"đ".repeat(1_000)));
        assert_eq!(board.last(&id).unwrap().failed, Some("đ".repeat(FAILED_BYTES_MAX / 2)));
    }

    #[test]
    fn a_check_that_is_gone_is_forgotten() {
        let board = Board::new(Millis(0));
        let [a, b] = ["a", "b"].map(|id| CheckId::new(id).unwrap());
        board.beat(&a, Millis(1), None);
        board.beat(&b, Millis(1), None);
        board.keep(|id| *id == b);
        assert_eq!(board.last(&a), None);
        assert!(board.last(&b).is_some());
    }

    #[test]
    fn a_token_must_be_the_same_to_the_last_byte() {
        let token = Secret::new("mật-khẩu".into());
        assert!(verify(&token, "mật-khẩu"));
        for wrong in ["", "mật-khẩ", "mật-khẩu ", "Mật-khẩu"] {
            assert!(!verify(&token, wrong), "{wrong}");
        }
    }
}
