//! Which alert of a batch is refused: halves are posted until the offender is alone.
//!
//! On 400 Alertmanager has kept the valid alerts of the batch, on 422 none. Which of the two does
//! not matter here: to post an alert twice is harmless.

use std::sync::Arc;

use super::AmAlert;

/// Several alerts that are posted together.
pub(super) type Batch = Vec<Arc<AmAlert>>;

/// What came of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it was taken (2xx).
    Accepted,
    /// Something in it is wrong.
    Refused(String),
    /// Nothing is known of it: not reachable, too slow, not itself.
    Failed(String),
}

/// A search through one batch.
#[derive(Debug)]
pub(super) struct Bisect {
    rest: Vec<Batch>,
    /// What was taken.
    pub(super) accepted: Batch,
    /// What was refused when it was alone, and why.
    pub(super) offenders: Vec<(Arc<AmAlert>, String)>,
    /// Why the search was given up; nothing is known of what was not answered until then.
    pub(super) failed: Option<String>,
}

impl Bisect {
    /// Of `batch`, which is posted whole at first.
    pub(super) fn new(batch: Batch) -> Self {
        let rest = if batch.is_empty() { Vec::new() } else { vec![batch] };
        Self { rest, accepted: Vec::new(), offenders: Vec::new(), failed: None }
    }

    /// What to post next; `None`: the search is over. At most `2n - 1` times for `n` alerts.
    pub(super) fn next(&self) -> Option<&Batch> {
        self.rest.last()
    }

    /// What came of it.
    pub(super) fn hear(&mut self, verdict: Verdict) {
        let Some(mut part) = self.rest.pop() else { return };
        match (verdict, part.len()) {
            (Verdict::Accepted, _) => self.accepted.append(&mut part),
            (Verdict::Refused(why), 0 | 1) => {
                self.offenders.extend(part.into_iter().map(|alert| (alert, why.clone())));
            }
            (Verdict::Refused(_), many) => {
                let later = part.split_off(many / 2);
                self.rest.push(later);
                self.rest.push(part);
            }
            (Verdict::Failed(why), _) => {
                self.failed = Some(why);
                self.rest.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alert(number: usize) -> Arc<AmAlert> {
        let labels = [("alertname".to_owned(), format!("Thongsuot{number}"))].into();
        Arc::new(AmAlert { labels, ..AmAlert::default() })
    }

    /// Posts `bad.len()` alerts to something that refuses the bad ones; gives posts needed.
    fn check(bad: &[bool]) -> usize {
        let all: Batch = (0..bad.len()).map(alert).collect();
        let is_bad = |it: &Arc<AmAlert>| bad[all.iter().position(|other| other == it).unwrap()];
        let mut search = Bisect::new(all.clone());
        let mut posts = 0;
        while let Some(part) = search.next() {
            posts += 1;
            let refused = part.iter().any(is_bad);
            let verdict = if refused { Verdict::Refused("no".into()) } else { Verdict::Accepted };
            search.hear(verdict);
        }
        let good: Batch = all.iter().filter(|it| !is_bad(it)).cloned().collect();
        let found: Batch = search.offenders.iter().map(|it| Arc::clone(&it.0)).collect();
        let wrong: Batch = all.iter().filter(|it| is_bad(it)).cloned().collect();
        assert_eq!((search.accepted, found), (good, wrong));
        posts
    }

    #[test]
    fn one_offender_of_a_full_batch_is_found_in_few_posts() {
        let mut bad = [false; 64];
        assert_eq!(check(&bad), 1);
        bad[17] = true;
        assert_eq!(check(&bad), 13);
        assert_eq!(check(&[true]), 1);
        assert_eq!(check(&[]), 0);
    }

    #[test]
    fn a_failure_ends_the_search_and_keeps_what_is_known() {
        let mut search = Bisect::new((0..4).map(alert).collect());
        search.hear(Verdict::Refused("no".into()));
        search.hear(Verdict::Accepted);
        search.hear(Verdict::Failed("gone".into()));
        assert_eq!(search.next(), None);
        assert_eq!((search.accepted.len(), search.offenders.len()), (2, 0));
        assert_eq!(search.failed.as_deref(), Some("gone"));
    }

    proptest! {
        #[test]
        fn every_offender_is_found_and_every_other_is_accepted(
            bad in prop::collection::vec(prop::bool::weighted(0.1), 0..=64)
        ) {
            let posts = check(&bad);
            prop_assert!(posts <= (2 * bad.len()).max(1));
        }
    }
}
