//! Politeness: what a host may be asked, and how often.
//!
//! A slot that the gate holds back is recorded as void; it is never silently dropped. Times are
//! those of the machine's own clock, sleep included, which nobody can set.

use std::collections::HashMap;

use crate::model::reason::Reason;

/// Longest absence that a `Retry-After` can ask for: an hour. A server that asks for more is
/// asked again after that, so a wrong header can't blind us for days.
const RETRY_AFTER_US_MAX: i64 = 3_600_000_000;

/// Caps, waits and kill switches, by host.
#[derive(Debug, Default)]
pub struct Gate {
    per_minute: u32,
    hosts: HashMap<String, Host>,
}

#[derive(Debug)]
struct Host {
    killed: bool,
    wait_until_us: i64,
    /// Runs allowed now, in millionths, and when that was worked out.
    credit: i64,
    counted_us: i64,
}

impl Gate {
    /// A gate that lets `per_minute` runs a minute through to each host; 0: no cap.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, hosts: HashMap::new() }
    }

    /// Changes the cap and the kill switches; waits and counts go on.
    pub fn reconfigure<'a>(&mut self, per_minute: u32, killed: impl Iterator<Item = &'a str>) {
        self.per_minute = per_minute;
        for host in self.hosts.values_mut() {
            host.killed = false;
        }
        for host in killed {
            self.hosts.entry(host.to_owned()).or_default().killed = true;
        }
    }

    /// Throws or releases the kill switch of `host`.
    pub fn kill(&mut self, host: &str, killed: bool) {
        self.hosts.entry(host.to_owned()).or_default().killed = killed;
    }

    /// Keeps away from `host` for `wait_us` from `now_us`, as it asked.
    pub fn wait(&mut self, host: &str, now_us: i64, wait_us: i64) {
        let until = now_us + wait_us.clamp(0, RETRY_AFTER_US_MAX);
        let host = self.hosts.entry(host.to_owned()).or_default();
        host.wait_until_us = host.wait_until_us.max(until);
    }

    /// Whether `host` asked to be left alone beyond `at_us`.
    pub fn is_waiting(&self, host: &str, at_us: i64) -> bool {
        self.hosts.get(host).is_some_and(|it| at_us <= it.wait_until_us)
    }

    /// Asks to send one run to `host` now. A run that `confirms` a bad result does not keep the
    /// wait that the host asked for: whoever fails could ask for quiet, and its outage would never be
    /// confirmed. These runs are few, `K` at most; cap and kill switch hold for them too.
    ///
    /// # Errors
    ///
    /// Why not: `paused` or `backoff`.
    pub fn admit(&mut self, host: &str, now_us: i64, confirms: bool) -> Result<(), Reason> {
        if !self.hosts.contains_key(host) {
            self.hosts.insert(host.to_owned(), Host::default());
        }
        let Some(state) = self.hosts.get_mut(host) else { return Ok(()) };
        if state.killed {
            return Err(Reason::Paused);
        }
        if now_us <= state.wait_until_us && !confirms {
            return Err(Reason::Backoff);
        }
        if self.per_minute > 0 && !state.spend(self.per_minute, now_us) {
            return Err(Reason::Backoff);
        }
        Ok(())
    }
}

impl Default for Host {
    /// Open, with a full bucket.
    fn default() -> Self {
        Self { killed: false, wait_until_us: i64::MIN, credit: i64::MAX, counted_us: 0 }
    }
}

impl Host {
    /// A token bucket that holds a minute's worth and is full at first.
    fn spend(&mut self, per_minute: u32, now_us: i64) -> bool {
        const ONE_RUN: i64 = 60_000_000;
        let full = i64::from(per_minute) * ONE_RUN;
        let passed = (now_us - self.counted_us).clamp(0, 60_000_000);
        self.credit = self.credit.saturating_add(passed * i64::from(per_minute)).min(full);
        self.counted_us = now_us;
        let enough = self.credit >= ONE_RUN;
        if enough {
            self.credit -= ONE_RUN;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const START: i64 = 1_790_000_000 * SECOND;

    #[test]
    fn a_host_gets_no_more_runs_than_its_cap_and_never_starves() {
        let mut gate = Gate::new(6);
        let admitted = |gate: &mut Gate, from: i64, seconds: i64| {
            (0..seconds).filter(|s| gate.admit("a", from + s * SECOND, false).is_ok()).count()
        };
        assert_eq!(admitted(&mut gate, START, 600), 6 + 59, "a full bucket, then 6 a minute");
        assert_eq!(gate.admit("b", START, false), Ok(()), "another host is not held back");
    }

    #[test]
    fn a_wait_is_kept_and_ends_by_itself() {
        let mut gate = Gate::new(0);
        gate.wait("a", START, 120 * SECOND);
        assert_eq!(gate.admit("a", START + 119 * SECOND, false), Err(Reason::Backoff));
        assert_eq!(gate.admit("a", START + 121 * SECOND, false), Ok(()));
        gate.wait("a", START, i64::MAX / 4);
        assert_eq!(gate.admit("a", START + 3_599 * SECOND, false), Err(Reason::Backoff));
        assert_eq!(gate.admit("a", START + 3_601 * SECOND, false), Ok(()), "an hour is the most");
    }

    #[test]
    fn a_run_that_confirms_does_not_wait_but_keeps_the_cap_and_the_kill_switch() {
        let mut gate = Gate::new(1);
        gate.wait("a", START, 3_600 * SECOND);
        assert!(gate.is_waiting("a", START + SECOND) && !gate.is_waiting("b", START));
        assert_eq!(gate.admit("a", START + SECOND, false), Err(Reason::Backoff));
        assert_eq!(gate.admit("a", START + SECOND, true), Ok(()));
        assert_eq!(gate.admit("a", START + SECOND, true), Err(Reason::Backoff), "the cap");
        gate.kill("a", true);
        assert_eq!(gate.admit("a", START + 3_000 * SECOND, true), Err(Reason::Paused));
    }

    #[test]
    fn a_kill_switch_holds_until_it_is_released() {
        let mut gate = Gate::new(0);
        gate.kill("a", true);
        assert_eq!(gate.admit("a", START, false), Err(Reason::Paused));
        gate.reconfigure(0, std::iter::empty());
        assert_eq!(gate.admit("a", START, false), Ok(()));
        gate.reconfigure(0, ["a"].into_iter());
        assert_eq!(gate.admit("a", START, false), Err(Reason::Paused));
    }
}
