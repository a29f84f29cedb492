//! What the servers do and when, and what the test notes of it.

use super::*;

/// Each has a server, a system and a check of its own.
pub(super) const SYSTEMS: [&str; 9] =
    ["refuse", "broken", "hang", "mixed", "twice", "slow", "brief", "killed", "other"];

const GOOD: Act = Act::Serve(Manner::Good);
const BROKEN: Act = Act::Serve(Manner::Broken);
const HANG: Act = Act::Serve(Manner::Hang);

/// Later than `slow`, and far from the timeout.
const SLOW: Act = Act::Serve(Manner::After(Duration::from_millis(350)));

/// Milliseconds from the start of the script, where, and what.
const SCRIPT: [(u64, &str, Act); 31] = [
    (2_000, "refuse", Act::Refuse),
    (4_000, "brief", BROKEN),
    (4_600, "brief", GOOD),
    (6_000, "twice", BROKEN),
    (8_000, "broken", BROKEN),
    (9_000, "refuse", GOOD),
    (10_000, "slow", SLOW),
    (12_000, "twice", GOOD),
    (13_000, "mixed", BROKEN),
    (14_000, "hang", HANG),
    (16_000, "mixed", Act::Refuse),
    (17_000, "broken", GOOD),
    (18_000, "brief", HANG),
    (18_600, "brief", GOOD),
    (19_000, "mixed", HANG),
    (20_000, "twice", BROKEN),
    (23_000, "mixed", GOOD),
    (25_000, "hang", GOOD),
    (27_000, "twice", GOOD),
    // All are up, one slowly, while it stands still.
    (30_000, "", Act::StandStill(Duration::from_secs(4))),
    (38_000, "brief", Act::Refuse),
    (38_600, "brief", GOOD),
    (41_000, "killed", BROKEN),
    (49_000, "", Act::Kill),
    (52_500, "", Act::Start),
    (62_000, "killed", GOOD),
    (64_000, "slow", GOOD),
    (67_000, "", Act::Reload),
    // More than a minute after the first: an incident of its own.
    (75_000, "refuse", Act::Refuse),
    (82_000, "refuse", GOOD),
    (85_000, "", Act::End),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Serve(Manner),
    Refuse,
    StandStill(Duration),
    Kill,
    Start,
    Reload,
    End,
}

/// An instant that the test knows to lie between two readings of its clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switch {
    pub(super) before: i64,
    pub(super) after: i64,
}

impl Switch {
    fn of(act: impl FnOnce()) -> Self {
        let before = now_ms();
        act();
        // Readings are cut down.
        Self { before, after: now_ms() + 1 }
    }
}

/// A true span of a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) start: Switch,
    pub(super) end: Switch,
}

impl Outage {
    pub(super) fn least_ms(&self) -> i64 {
        self.end.before - self.start.after
    }

    pub(super) fn most_ms(&self) -> i64 {
        self.end.after - self.start.before
    }
}

/// A time in which nothing can have been measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absence {
    pub(super) why: &'static str,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// A server and what it truly did.
pub(super) struct Stage {
    pub(super) id: &'static str,
    pub(super) server: Server,
    pub(super) outages: Vec<Outage>,
    pub(super) slow: Option<Outage>,
    act: Act,
    since: Option<Switch>,
}

impl Stage {
    pub(super) fn new(id: &'static str) -> Self {
        let server = Server::start();
        Self { id, server, outages: Vec::new(), slow: None, act: GOOD, since: None }
    }

    fn switch(&mut self, act: Act) {
        let refused = self.act == Act::Refuse;
        let switch = Switch::of(|| match act {
            Act::Serve(manner) => {
                self.server.set(manner);
                if refused {
                    self.server.listen();
                }
            }
            _ => self.server.stop(),
        });
        let kind = |it: Act| match it {
            GOOD => 0,
            SLOW => 1,
            _ => 2,
        };
        let (was, is) = (kind(self.act), kind(act));
        self.act = act;
        if was == is {
            return;
        }
        if let Some(start) = self.since.replace(switch).filter(|_| was != 0) {
            let span = Outage { start, end: switch };
            if was == 1 {
                self.slow = Some(span);
            } else {
                self.outages.push(span);
            }
        }
    }
}

/// The wall time in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the test's own record of what truly was")]
pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Plays the script; the daemon that watches at its end, and when there was none that could.
pub(super) fn play(
    folder: &Folder,
    daemon: Daemon,
    stages: &mut [Stage],
    changed: &str,
) -> (Daemon, Vec<Absence>) {
    let mut absences = Vec::new();
    let mut daemon = Some(daemon);
    let mut killed = 0;
    let begin = Instant::now();
    for (at, id, act) in SCRIPT {
        let at = Duration::from_millis(at);
        std::thread::sleep(at.saturating_sub(begin.elapsed()));
        match act {
            Act::Serve(_) | Act::Refuse => {
                stages.iter_mut().find(|it| it.id == id).unwrap().switch(act);
            }
            Act::StandStill(time) => {
                let process = &daemon.as_ref().unwrap().process;
                process.signal(Signal::STOP);
                let from = now_ms() + 1;
                std::thread::sleep(time);
                absences.push(Absence { why: "suspended", from, to: now_ms() });
                process.signal(Signal::CONT);
            }
            Act::Kill => {
                daemon.take().unwrap().process.kill();
                killed = now_ms() + 1;
            }
            Act::Start => {
                absences.push(Absence { why: "stopped", from: killed, to: now_ms() });
                daemon = Some(folder.start());
            }
            Act::Reload => {
                folder.write(changed);
                let (status, answer) = daemon.as_ref().unwrap().reload();
                assert_eq!(status, 200, "{answer}");
            }
            Act::End => {}
        }
    }
    (daemon.unwrap(), absences)
}
