//! `kind = heartbeat`: the owner pushes beats to us, and a run asks how old the last one is.
//!
//! Nothing touches the network here. Beats live in memory only: they prove that something
//! beats *now*, and after a restart the next one proves it again. Ages are of the monotonic
//! clock: a wall clock that is set makes no beat late, and time asleep, in which no beat could
//! be heard, does not count.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::model::id::CheckId;
use crate::model::observation::Observation;
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::HeartbeatSpec;
use crate::model::time::Millis;
use crate::probe::expect::clean;
use crate::probe::stopwatch::Fault;

/// Longest message of a failed beat that is kept, in bytes: one line of a status page.
pub const FAILED_BYTES_MAX: usize = 256;

/// The last beat of every check. Holds one entry a check that has run or beaten, so it is as
/// large as the configuration as long as only known checks are let in ([`Board::keep`]).
#[derive(Debug, Default)]
pub struct Board {
    entries: Mutex<HashMap<CheckId, Entry>>,
}

/// One beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When it arrived, by our wall clock; for people.
    pub at: Millis,
    /// What the owner says is wrong; `None`: all is well.
    pub failed: Option<String>,
}

/// What is known of one check.
#[derive(Debug)]
struct Entry {
    /// When the last beat was heard; without one, when we first listened for it.
    since: Instant,
    last: Option<Beat>,
}

impl Board {
    /// Notes a beat of `check` that arrives now, at `at` by the wall clock; `failed` is what
    /// the owner says is wrong, cut to [`FAILED_BYTES_MAX`]. The caller has made sure that the
    /// check exists and that the sender knows its token ([`verify`]).
    pub fn beat(&self, check: &CheckId, at: Millis, failed: Option<&str>) {
        let failed = failed.map(|text| {
            let end = text.floor_char_boundary(FAILED_BYTES_MAX);
            text[..end].to_owned()
        });
        let entry = Entry { since: Instant::now(), last: Some(Beat { at, failed }) };
        self.lock().insert(check.clone(), entry);
    }

    /// The last beat of `check`.
    pub fn last(&self, check: &CheckId) -> Option<Beat> {
        self.lock().get(check).and_then(|entry| entry.last.clone())
    }

    /// Forgets the checks that `known` does not know any more, after a reload.
    pub fn keep(&self, known: impl Fn(&CheckId) -> bool) {
        self.lock().retain(|check, _entry| known(check));
    }

    /// The last beat of `check` and its age; without one, how long it has been listened for,
    /// which begins with the first question.
    fn ask(&self, check: &CheckId) -> (Option<Beat>, Duration) {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(check) {
            return (entry.last.clone(), entry.since.elapsed());
        }
        entries.insert(check.clone(), Entry { since: Instant::now(), last: None });
        (None, Duration::ZERO)
    }

    /// A panic elsewhere can't leave a map half changed: every change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<CheckId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
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

/// What a run says of `check`. It takes no time.
pub(super) fn run(check: &CheckId, spec: &HeartbeatSpec, board: Option<&Board>) -> Observation {
    let verdict = match board.map(|board| board.ask(check)) {
        Some((last, age)) => judge(spec, last.as_ref(), age),
        None => Err(Fault::new(Reason::Internal, "beats are not received here: there is no board")),
    };
    let reason = verdict.as_ref().err().map_or(Reason::None, |fault| fault.reason);
    let mut seen = Observation::bare(reason, Phases::default());
    seen.detail.why = verdict.err().map(|fault| clean(&fault.why));
    seen
}

/// Holds the age of the last beat against the greatest, which itself still passes.
///
/// Without any beat nothing is known until we have listened for that long: then one would have
/// come. A failed beat that is too old is late: what it said may be mended.
///
/// # Errors
///
/// `heartbeat_waiting`, `heartbeat_late` or `heartbeat_failed`.
fn judge(spec: &HeartbeatSpec, last: Option<&Beat>, age: Duration) -> Result<(), Fault> {
    let age_max = spec.age_max;
    // Whole milliseconds: more is of no use to a person.
    let shown = humantime::format_duration(Duration::from_millis(age.as_millis() as u64));
    let allowed = humantime::format_duration(age_max);
    let (reason, why) = match last {
        None if age > age_max => {
            (Reason::HeartbeatLate, format!("no beat in {shown}, one is due within {allowed}"))
        }
        None => {
            let why = format!("no beat yet after {shown}; one is due within {allowed}");
            (Reason::HeartbeatWaiting, why)
        }
        Some(_beat) if age > age_max => {
            let why = format!("the last beat was {shown} ago, allowed are {allowed}");
            (Reason::HeartbeatLate, why)
        }
        Some(Beat { failed: Some(text), .. }) => {
            (Reason::HeartbeatFailed, format!("the beat {shown} ago reports a failure: {text}"))
        }
        Some(Beat { failed: None, .. }) => return Ok(()),
    };
    Err(Fault::new(reason, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Outcome;
    use crate::model::time::Micros;

    /// A board of one check, whose beats may be 60 s old.
    struct Bench {
        board: Board,
        id: CheckId,
        spec: HeartbeatSpec,
    }

    impl Bench {
        fn new() -> Self {
            let (token, age_max) = (Secret::new("t".into()), Duration::from_mins(1));
            let id = CheckId::new("nightly-export").unwrap();
            Self { board: Board::default(), id, spec: HeartbeatSpec { token, age_max } }
        }

        fn beat(&self, failed: Option<&str>) {
            self.board.beat(&self.id, Millis(7), failed);
        }

        /// Runs; it must end for `expected`, and explain itself.
        #[track_caller]
        fn check(&self, expected: Reason) -> String {
            let seen = run(&self.id, &self.spec, Some(&self.board));
            assert_eq!(seen.reason, expected, "{:?}", seen.detail.why);
            assert_eq!(seen.detail.why.is_some(), expected != Reason::None);
            assert_eq!(seen.phases.total(), Micros(0));
            seen.detail.why.unwrap_or_default()
        }
    }

    async fn pass_ms(length: u64) {
        tokio::time::advance(Duration::from_millis(length)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_first_beat_nothing_is_known_until_one_was_due() {
        let bench = Bench::new();
        // A check that a reload brings long after the start has its own beginning.
        pass_ms(3_600_000).await;
        bench.check(Reason::HeartbeatWaiting);
        pass_ms(60_000).await;
        let why = bench.check(Reason::HeartbeatWaiting);
        assert_eq!(why, "no beat yet after 1m; one is due within 1m");
        pass_ms(1).await;
        let why = bench.check(Reason::HeartbeatLate);
        assert_eq!(why, "no beat in 1m 1ms, one is due within 1m");
        assert_eq!(Reason::HeartbeatWaiting.outcome(), Outcome::Void);
        bench.beat(None);
        bench.check(Reason::None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_is_good_as_long_as_it_is_young() {
        let bench = Bench::new();
        bench.beat(None);
        bench.check(Reason::None);
        pass_ms(60_000).await;
        bench.check(Reason::None);
        pass_ms(1).await;
        let why = bench.check(Reason::HeartbeatLate);
        assert_eq!(why, "the last beat was 1m 1ms ago, allowed are 1m");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_beat_fails_until_a_good_one_comes() {
        let bench = Bench::new();
        bench.beat(Some("đĩa đầy"));
        pass_ms(1_000).await;
        let why = bench.check(Reason::HeartbeatFailed);
        assert_eq!(why, "the beat 1s ago reports a failure: đĩa đầy");
        bench.beat(None);
        bench.check(Reason::None);
        bench.beat(Some("x"));
        pass_ms(60_001).await;
        bench.check(Reason::HeartbeatLate);
    }

    #[test]
    fn the_message_of_a_beat_is_cut_between_characters() {
        let bench = Bench::new();
        bench.beat(Some(&"đ".repeat(1_000)));
        let failed = bench.board.last(&bench.id).unwrap().failed;
        assert_eq!(failed, Some("đ".repeat(FAILED_BYTES_MAX / 2)));
    }

    #[test]
    fn a_check_that_is_gone_is_forgotten() {
        let board = Board::default();
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
