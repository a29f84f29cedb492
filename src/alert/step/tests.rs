//! The life of an incident, step by step.

use super::*;
use crate::alert::book::LOG_LINES_MAX;
use crate::alert::facts::{Budget, TroubleKind};
use crate::alert::sketch::{World, second, world};
use crate::availability::burn::BurnState::{Calm, Over};
use crate::availability::live::Alarm;

const OPENED: &str = "opened ThongsuotServiceDown page";

fn ack(at: i64) -> Ack {
    Ack { at: second(at), by: "an".to_owned(), via: "cli".to_owned() }
}

fn id(n: u32) -> IncidentId {
    IncidentId::new(2026, n)
}

/// A system that is down since second 10.
#[track_caller]
fn failed() -> World {
    let mut world = world("s");
    world.at(10).fail("s");
    assert_eq!(world.go(10), format!("1 {OPENED}"));
    world
}

#[test]
fn an_incident_opens_and_is_closed_two_minutes_after_all_is_well() {
    let mut world = failed();
    let it = world.incident(1);
    assert_eq!((it.id.0.as_str(), it.since, it.opened), ("SC-2026-0001", second(-10), second(10)));
    assert_eq!(world.until(99), "");
    world.at(100).heal("s");
    assert_eq!(world.until(400), "100: 1 calm; 220: 1 closed");
    assert_eq!(world.incident(1).ending, Some(Ending::Recovered));
    assert_eq!(world.incident(1).closed, Some(second(220)));
}

#[test]
fn what_comes_back_within_two_minutes_is_the_same_incident() {
    let mut world = failed();
    world.heal("s");
    assert_eq!(world.go(100), "1 calm");
    world.at(219).fail("s");
    assert_eq!(world.go(219), "1 returned");
    assert_eq!(world.incident(1).returns, [second(219)]);
    assert_eq!(world.incident(1).since, second(-10));
    assert_eq!(world.incident(1).calm_since, None);
}

#[test]
fn the_third_return_within_an_hour_is_flapping_and_needs_more_calm() {
    let mut world = failed();
    for at in [100, 200, 300] {
        world.heal("s");
        assert_eq!(world.go(at - 50), "1 calm");
        world.fail("s");
        let more = if at == 300 { "; 1 flapping" } else { "" };
        assert_eq!(world.go(at), format!("1 returned{more}"));
    }
    world.at(400).heal("s");
    assert_eq!(world.until(1_400), "400: 1 calm; 1300: 1 closed");
}

#[test]
fn returns_of_long_ago_do_not_count() {
    let mut world = failed();
    for at in [100, 200, 3_800] {
        world.heal("s");
        world.go(at - 50);
        world.fail("s");
        assert_eq!(world.go(at), "1 returned");
    }
    assert_eq!(world.incident(1).returns, [second(3_800)]);
}

#[test]
fn what_was_closed_and_comes_back_again_and_again_is_opened_again() {
    let mut world = failed();
    // Closed each time: new numbers, but the count goes on.
    for (at, n) in [(500, 1), (1_000, 2)] {
        world.heal("s");
        assert_eq!(world.go(at), format!("{n} calm"));
        assert_eq!(world.go(at + 120), format!("{n} closed"));
        world.fail("s");
        assert_eq!(world.go(at + 400), format!("{} {OPENED}", n + 1));
    }
    world.heal("s");
    assert_eq!((world.go(1_500), world.go(1_620)), ("3 calm".to_owned(), "3 closed".to_owned()));
    world.fail("s");
    assert_eq!(world.go(1_900), "3 reopened; 3 flapping");
    let it = world.incident(3);
    assert_eq!((it.closed, it.ending, it.flapping), (None, None, true));
    assert_eq!(it.returns, [second(900), second(1_400), second(1_900)]);
    // An hour after it is closed all is forgotten.
    world.heal("s");
    assert_eq!((world.go(2_000), world.go(2_900)), ("3 calm".to_owned(), "3 closed".to_owned()));
    world.fail("s");
    assert_eq!(world.go(6_500), format!("4 {OPENED}"));
    assert_eq!(world.incident(4).returns, []);
}

#[test]
fn a_reopened_incident_is_paged_anew() {
    let mut world = failed();
    world.alerting.flapping.times = 1;
    let book = &mut world.book;
    let it = book.incidents.get_mut(&id(1)).unwrap();
    it.ack = Some(ack(20));
    it.escalation = Escalation { round: 2, step: 3, ..Escalation::default() };
    world.heal("s");
    world.go(100);
    world.go(220);
    world.fail("s");
    assert_eq!(world.go(300), "1 reopened; 1 flapping");
    let it = world.incident(1);
    assert_eq!(it.ack, None);
    assert_eq!(it.escalation, Escalation { round: 2, ..Escalation::default() });
}

#[test]
fn it_gets_worse_but_never_better_until_it_is_over() {
    let mut world = world("s");
    world.at(10).set("s", Alarm::Partial);
    assert_eq!(world.go(10), "1 opened ThongsuotServicePartial ticket");
    world.fail("s");
    assert_eq!(world.go(20), "1 worsened ThongsuotServiceDown page");
    world.set("s", Alarm::Partial);
    assert_eq!(world.go(30), "");
    let it = world.incident(1);
    assert_eq!((it.kind, it.severity, it.now[0].kind), (Kind::Down, Severity::Page, Kind::Partial));
}

#[test]
fn whoever_took_on_a_ticket_is_asked_again_when_it_becomes_a_page() {
    let mut world = world("s");
    world.set("s", Alarm::Partial);
    world.go(10);
    world.book.incidents.get_mut(&id(1)).unwrap().ack = Some(ack(11));
    assert_eq!(world.go(12), "");
    assert!(world.incident(1).ack.is_some());
    world.fail("s");
    world.go(20);
    assert_eq!(world.incident(1).ack, None);
    // Of a page it counts on.
    world.book.incidents.get_mut(&id(1)).unwrap().ack = Some(ack(21));
    world.heal("s");
    world.go(30);
    world.fail("s");
    assert_eq!(world.go(40), "1 returned");
    assert!(world.incident(1).ack.is_some());
}

#[test]
fn facts_that_lack_systems_of_the_roster_are_taken_as_they_are() {
    let mut world = world("a b<a");
    world.fail("a");
    world.facts.systems.pop();
    assert_eq!(world.go(10), format!("1 {OPENED}"));
}

#[test]
fn what_goes_on_keeps_its_beginning_and_its_reason() {
    let mut world = failed();
    let check = world.check("s");
    // The first good result; the alert needs two more.
    (check.state, check.fault) = (crate::model::state::State::Up, None);
    world.go(50);
    let said = &world.incident(1).now[0];
    assert_eq!((said.since, said.reason.as_deref()), (second(-10), Some("connect_refused")));
}

#[test]
fn burn_that_only_remembers_the_outage_keeps_nothing_open() {
    let mut world = failed();
    world.system("s").burn = vec![Over, Over, Over, Over];
    assert_eq!(world.go(100), "");
    world.heal("s");
    // Five minutes, half an hour, two and six hours.
    assert_eq!((world.go(200), world.go(320)), ("1 calm".to_owned(), "1 closed".to_owned()));
    world.system("s").burn = vec![Calm, Over, Over, Over];
    assert_eq!(world.go(520), "");
    world.system("s").burn = vec![Calm, Calm, Over, Over];
    assert_eq!(world.go(2_100), "");
    world.system("s").burn = vec![Calm, Calm, Calm, Over];
    assert_eq!(world.go(21_799), "");
    assert_eq!(world.go(21_800), "2 opened ThongsuotBudgetBurnSlow ticket");
}

#[test]
fn burn_that_outlasts_its_short_window_is_new() {
    let mut world = failed();
    world.system("s").burn = vec![Over, Over, Calm, Calm];
    world.heal("s");
    assert_eq!((world.go(200), world.go(320)), ("1 calm".to_owned(), "1 closed".to_owned()));
    assert_eq!(world.go(499), "");
    assert_eq!(world.go(500), "2 opened ThongsuotBudgetBurnFast page");
    // What opened by itself ends by itself.
    world.system("s").burn = vec![Calm, Over, Calm, Calm];
    assert_eq!(world.go(2_000), "");
    world.system("s").burn = vec![Calm; 4];
    assert_eq!(world.go(2_300), "2 calm");
}

#[test]
fn a_certificate_is_told_again_at_each_number_of_days() {
    let mut world = world("s");
    let day = 86_400;
    world.check("s").not_after = Some(second(31 * day));
    let mut told = Vec::new();
    for at in 0..34 {
        let what = world.go(at * day);
        if !what.is_empty() {
            told.push(format!("{at}: {what}"));
        }
    }
    let expected = [
        "1: 1 opened ThongsuotCertificateEnds ticket",
        "17: 1 renewed 14",
        "24: 1 renewed 7",
        "28: 1 renewed 3",
        "30: 1 worsened ThongsuotCertificateEnds page",
        "31: 1 renewed 0",
    ];
    assert_eq!(told, expected);
    world.check("s").not_after = Some(second(400 * day));
    assert_eq!(world.go(34 * day), "1 calm");
}

#[test]
fn what_is_not_watched_any_more_is_removed_at_once() {
    let mut world = failed();
    world.remove("s");
    assert_eq!(world.go(20), "1 removed");
    assert_eq!(world.incident(1).ending, Some(Ending::Removed));
}

#[test]
fn a_reload_without_the_failing_check_removes_and_another_failing_one_goes_on() {
    let mut world = failed();
    world.add("s", "b", |_| {});
    world.remove_check("s", "s");
    assert_eq!(world.go(20), "1 removed");

    let mut world = failed();
    world.add("s", "b", |_| {});
    world.fail("b");
    world.go(20);
    world.remove_check("s", "s");
    assert_eq!(world.go(30), "");
    world.heal("b");
    assert_eq!(world.go(40), "1 calm");
}

#[test]
fn threads_end_with_what_they_are_about() {
    let mut world = world("s");
    world.check("s").not_after = Some(second(0));
    let system = world.system("s");
    system.coverage_ppm = Some(0);
    system.budget = Some(Budget { whole_ms: 1, left_ms: -1 });
    assert_eq!(world.go(10).matches("opened").count(), 3);
    world.remove("s");
    assert_eq!(world.go(11), "1 removed; 2 removed; 3 removed");
}

#[test]
fn maintenance_mutes_and_what_is_still_true_after_it_is_not() {
    let mut world = world("s");
    world.system("s").maintained = true;
    world.fail("s");
    assert_eq!(world.go(10), format!("1 {OPENED}; 1 maintenance.began"));
    assert!(world.incident(1).maintained);
    world.system("s").maintained = false;
    assert_eq!(world.go(20), "1 maintenance.ended");
    assert!(!world.incident(1).maintained);
}

#[test]
fn what_a_person_closed_stays_closed_while_it_is_the_same() {
    let mut world = failed();
    let closed = close(&mut world.book, &id(1), &ack(20));
    assert_eq!(closed.len(), 1);
    assert_eq!(close(&mut world.book, &id(1), &ack(21)), []);
    assert_eq!(world.until(100), "");
    assert_eq!(world.incident(1).ending, Some(Ending::ByHand));
    // Over, and again: a new one.
    world.heal("s");
    assert_eq!(world.go(101), "");
    world.fail("s");
    assert_eq!(world.go(102), format!("2 {OPENED}"));
}

#[test]
fn what_a_person_closed_is_opened_again_after_half_an_hour_or_when_it_is_worse() {
    let mut world = failed();
    close(&mut world.book, &id(1), &ack(20));
    assert_eq!(world.go(1_819), "");
    assert_eq!(world.go(1_820), "1 reopened");

    let mut world = crate::alert::sketch::world("s");
    world.set("s", Alarm::Partial);
    world.go(10);
    close(&mut world.book, &id(1), &ack(20));
    world.fail("s");
    assert_eq!(world.go(30), "1 reopened; 1 worsened ThongsuotServiceDown page");
}

#[test]
fn a_blind_vantage_neither_loses_nor_recovers_coverage() {
    let mut world = world("a b");
    world.system("a").coverage_ppm = Some(0);
    assert_eq!(world.go(10), "1 opened ThongsuotCoverageLost ticket");
    world.trouble(TroubleKind::Blind);
    world.system("b").coverage_ppm = Some(0);
    assert_eq!(world.go(20), "2 opened ThongsuotMonitorTrouble page");
    assert_eq!(world.until(500), "");
    // It sees again; the window still remembers.
    world.facts.troubles.clear();
    world.system("a").coverage_ppm = Some(1_000_000);
    assert_eq!(world.go(510), "1 calm; 2 calm");
    assert_eq!(world.until(1_109), "630: 1 closed; 2 closed");
    assert_eq!(world.go(1_110), "3 opened ThongsuotCoverageLost ticket");
}

/// Something that is told, how it is told first, what a new process does not know of it yet, and
/// how it is well again.
type Restart = (&'static str, fn(&mut World), fn(&mut World), fn(&mut World));

/// All that a process forgets when it ends.
fn restarts() -> [Restart; 5] {
    [
        (
            "ThongsuotBudgetBurnFast page",
            |it| it.system("s").burn = vec![Over, Calm, Calm, Calm],
            |it| it.system("s").burn.clear(),
            |it| it.system("s").burn = vec![Calm; 4],
        ),
        (
            "ThongsuotObjectiveBroken ticket",
            |it| it.system("s").budget = Some(Budget { whole_ms: 1, left_ms: -1 }),
            |it| it.system("s").budget = None,
            |it| it.system("s").budget = Some(Budget { whole_ms: 1, left_ms: 1 }),
        ),
        (
            "ThongsuotCertificateEnds page",
            |it| it.check("s").not_after = Some(second(0)),
            |it| {
                it.check("s").not_after = None;
                it.stale = vec![crate::alert::sketch::id("s")];
            },
            |it| it.check("s").not_after = Some(second(86_400_000)),
        ),
        (
            "ThongsuotCoverageLost ticket",
            |it| it.system("s").coverage_ppm = Some(0),
            |it| it.system("s").coverage_ppm = None,
            |it| it.system("s").coverage_ppm = Some(1_000_000),
        ),
        (
            "ThongsuotMonitorTrouble page",
            |it| it.trouble(TroubleKind::PeerFailing),
            |it| it.facts.troubles.clear(),
            |it| it.facts.troubles.clear(),
        ),
    ]
}

#[test]
fn what_is_not_known_yet_after_a_start_neither_ends_nor_comes_back() {
    for (opened, fail, forget, heal) in restarts() {
        let mut world = world("s");
        fail(&mut world);
        assert_eq!(world.go(10), format!("1 opened {opened}"));
        for start in [1_000, 2_000, 3_000] {
            forget(&mut world);
            world.facts.begun = second(start);
            world.at(start);
            assert_eq!(world.until(start + 89), "", "{opened}");
            fail(&mut world);
            assert_eq!(world.go(start + 90), "", "{opened}");
        }
        assert!(world.incident(1).returns.is_empty(), "{opened}");
        world.at(4_000);
        heal(&mut world);
        assert_eq!(world.until(4_200), "4000: 1 calm; 4120: 1 closed", "{opened}");
    }
}

#[test]
fn what_was_about_to_be_closed_is_not_while_it_is_not_known() {
    for (opened, fail, forget, heal) in restarts() {
        let mut world = world("s");
        fail(&mut world);
        world.go(10);
        heal(&mut world);
        assert_eq!(world.go(20), "1 calm", "{opened}");
        forget(&mut world);
        world.facts.begun = second(60);
        assert_eq!(world.until(149), "", "{opened}");
        fail(&mut world);
        assert_eq!(world.go(149), "1 returned", "{opened}");
    }
}

#[test]
fn what_a_person_closed_stays_closed_over_a_restart() {
    for (opened, fail, forget, _) in restarts() {
        let mut world = world("s");
        fail(&mut world);
        world.go(10);
        close(&mut world.book, &id(1), &ack(20));
        forget(&mut world);
        world.facts.begun = second(30);
        world.at(30);
        assert_eq!(world.until(100), "", "{opened}");
        fail(&mut world);
        assert_eq!(world.go(110), "", "{opened}");
    }
}

#[test]
fn a_certificate_that_is_no_more_and_a_rule_that_is_off_end_also_after_a_start() {
    let mut world = world("s");
    world.check("s").not_after = Some(second(0));
    world.system("s").burn = vec![Over; 4];
    assert_eq!(world.go(10).matches("opened").count(), 2);
    world.facts.begun = second(100);
    world.check("s").not_after = None;
    world.system("s").burn.clear();
    world.stale = vec![crate::alert::sketch::id("s")];
    assert_eq!(world.go(110), "");
    world.stale.clear();
    world.rules("s").burn = false;
    assert_eq!(world.go(120), "1 calm; 2 calm");
}

#[test]
fn a_start_while_blind_loses_no_coverage() {
    let mut world = world("s");
    world.trouble(TroubleKind::Blind);
    assert_eq!(world.go(10), "1 opened ThongsuotMonitorTrouble page");
    world.system("s").standing = Some((crate::model::state::State::Unknown, second(0)));
    world.system("s").coverage_ppm = None;
    world.facts.troubles.clear();
    world.facts.begun = second(5_000);
    assert_eq!(world.go(5_001), "");
    world.trouble(TroubleKind::Blind);
    assert_eq!(world.go(5_040), "");
}

#[test]
fn a_clock_that_goes_back_neither_loses_nor_delays_for_long() {
    let mut world = failed();
    world.heal("s");
    assert_eq!(world.go(100_000), "1 calm");
    assert_eq!(world.go(50_000), "");
    assert_eq!(world.until(50_200), "50120: 1 closed");
    world.fail("s");
    assert_eq!(world.go(-400_000), format!("2 {OPENED}"));
    assert_eq!(world.go(900_000), "");
    world.at(900_000).heal("s");
    world.go(900_000);
    assert_eq!(world.go(Millis(i64::MAX).0 / 1_000_000), "2 closed");
}

#[test]
fn numbers_rise_with_the_civil_year_and_never_fall() {
    let mut world = world("s a b c");
    world.alerting.flapping.within_ms = 0;
    // 2026-12-31T23:59:59+07:00 is second 38 * 86_400 - 1 of the test's day.
    let year = 38 * 86_400;
    for (at, check, expected) in [
        (year - 1, "s", (2026, 1)),
        (year, "a", (2027, 1)),
        (0, "b", (2027, 2)),
        (year, "c", (2027, 3)),
    ] {
        world.at(at).fail(check);
        world.go(at);
        assert_eq!(world.book.last, expected, "{check}");
    }
    world.book.last = (2027, 9_999);
    world.heal("c");
    world.go(year + 1);
    world.go(year + 1_000);
    world.fail("c");
    world.go(year + 1_001);
    let last = world.of("c").id.clone();
    assert_eq!((last.0.as_str(), last.number()), ("SC-2027-10000", (2027, 10_000)));
    assert_eq!(IncidentId("nonsense".to_owned()).number(), (0, 0));
}

#[test]
fn the_log_is_bounded_and_keeps_its_first_line() {
    let mut world = failed();
    for at in 0..LOG_LINES_MAX as i64 {
        let alarm = if at % 2 == 0 { Alarm::Quiet } else { Alarm::Down };
        world.set("s", alarm);
        world.go(20 + at);
    }
    let it = world.incident(1);
    assert_eq!((it.log.len(), it.log[0].what.as_str()), (LOG_LINES_MAX, "opened"));
    assert_eq!(it.log[0].text, "ThongsuotServiceDown page");
    assert_eq!(it.log.last().unwrap().at, second(219));
    assert!(it.returns.len() <= 64);
}

#[test]
fn an_incident_belongs_to_the_systems_team_or_the_first() {
    use crate::model::alerting::people::Team;
    use crate::model::id::TeamId;
    let mut world = world("s other");
    let team = |id: &str| Team {
        id: TeamId::new(id).unwrap(),
        name: String::new(),
        layers: Vec::new(),
        overrides: Vec::new(),
        steps: Vec::new(),
        repeat: 0,
        fallback: Vec::new(),
    };
    world.alerting.teams = vec![team("first"), team("second")];
    world.roster().systems[0].alert.team = TeamId::new("second").ok();
    world.fail("s");
    world.fail("other");
    world.trouble(TroubleKind::ScheduleLate);
    world.go(10);
    let teams: Vec<&str> =
        world.book.incidents.values().map(|it| it.team.as_ref().unwrap().as_str()).collect();
    assert_eq!(teams, ["first", "second", "first"]);
}

#[test]
fn closed_incidents_are_forgotten_when_nobody_needs_them() {
    let mut world = failed();
    world.heal("s");
    world.go(100);
    world.go(220);
    world.fail("s");
    world.go(5_000);
    let kept = |world: &World, now, keep: bool| {
        let mut book = world.book.clone();
        prune(&mut book, second(now), &world.alerting, |_| keep);
        book.incidents.len()
    };
    assert_eq!(kept(&world, 20_000, false), 2);
    assert_eq!(kept(&world, 30_000, false), 1);
    assert_eq!(kept(&world, 30_000, true), 2);
}

#[test]
fn each_drill_is_an_incident_of_its_team_and_ends_at_once() {
    let mut world = world("s");
    let drill = Condition {
        thread: Thread::Drill("hai".to_owned()),
        kind: Kind::Drill,
        severity: Severity::Page,
        since: second(0),
        checks: Vec::new(),
        reason: None,
        why: None,
        number: None,
        maintained: false,
    };
    let zone = jiff::tz::TimeZone::UTC;
    for at in 0..10 {
        world.at(2 * at);
        step(&mut world.book, std::slice::from_ref(&drill), &world.facts, &world.alerting, &zone);
        world.at(2 * at + 1);
        step(&mut world.book, &[], &world.facts, &world.alerting, &zone);
    }
    assert_eq!(world.book.incidents.len(), 10);
    for it in world.book.incidents.values() {
        assert_eq!(it.team.as_ref().map(crate::model::id::TeamId::as_str), Some("hai"));
        assert!(!it.is_open() && !it.flapping);
    }
}
