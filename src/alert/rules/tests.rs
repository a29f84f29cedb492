//! Each rule, from a fact to what is said.

use super::*;
use crate::alert::facts::{Budget, TroubleKind};
use crate::alert::sketch::{World, id, second, world};
use crate::availability::burn::BurnState;
use crate::availability::live::Alarm;
use crate::model::reason::Reason;
use crate::model::state::State;

const DAY_S: i64 = 86_400;

/// What is said, as `Kind severity` in order; `*`: in maintenance.
fn said(world: &World) -> String {
    let words = world.conditions();
    let words = words.iter().map(|it| {
        let star = if it.maintained { "*" } else { "" };
        format!("{:?} {}{star}", it.kind, it.severity.as_str())
    });
    words.collect::<Vec<_>>().join(", ")
}

/// One system with a critical check and one that is not, at second 1,000.
#[track_caller]
fn check(change: impl Fn(&mut World), expected: &str) {
    let mut world = world("s");
    world.add("s", "extra", |it| it.critical = false);
    world.at(1_000);
    change(&mut world);
    assert_eq!(said(&world), expected);
}

#[test]
fn nothing_is_said_of_what_works() {
    check(|_| {}, "");
    check(|it| it.doubt("s"), "");
}

#[test]
fn a_critical_check_is_the_service_and_another_is_a_part() {
    check(|it| it.fail("s"), "Down page");
    check(|it| it.set("s", Alarm::Partial), "Partial ticket");
    check(|it| it.fail("extra"), "Partial ticket");
    check(|it| it.set("extra", Alarm::Partial), "");
    let both = |it: &mut World| {
        it.fail("s");
        it.fail("extra");
    };
    check(both, "Down page, Partial ticket");
}

#[test]
fn a_severity_is_the_systems_own_and_none_is_silence() {
    let with = |severity| {
        move |it: &mut World| {
            it.rules("s").down = severity;
            it.fail("s");
        }
    };
    check(with(Some(Severity::Ticket)), "Down ticket");
    check(with(Some(Severity::Info)), "Down info");
    check(with(None), "");
}

#[test]
fn down_is_back_dated_and_names_the_checks_and_what_is_wrong() {
    let mut world = world("s");
    world.add("s", "b", |_| {});
    world.at(100).fail("s");
    world.at(200).fail("b");
    let [down] = &world.conditions()[..] else { panic!() };
    assert_eq!((down.since, &down.checks), (second(80), &vec![id("s"), id("b")]));
    assert_eq!(down.reason.map(Reason::as_str), Some("connect_refused"));
    // Good again, with an alert that needs two more good results: still said.
    world.check("s").state = State::Up;
    world.check("s").fault = None;
    assert_eq!(said(&world), "Down page");
}

#[test]
fn slow_is_told_when_it_has_lasted() {
    let slow = |since: i64| {
        move |it: &mut World| {
            let check = it.check("s");
            (check.state, check.since) = (State::Slow, Some(second(1_000 - since)));
        }
    };
    check(slow(599), "");
    check(slow(600), "Slow ticket");
    check(|it| it.check("s").state = State::Slow, "Slow ticket");
    check(|it| it.check("extra").state = State::Slow, "");
}

#[test]
fn burn_rates_page_or_make_a_ticket_within_service_hours() {
    use BurnState::{Calm, Over, TooLittleKnown};
    let burn = |states: [BurnState; 4]| move |it: &mut World| it.system("s").burn = states.to_vec();
    check(burn([Over, Calm, Calm, Calm]), "BurnFast page");
    check(burn([TooLittleKnown, Over, Calm, Calm]), "BurnFast page");
    check(burn([Calm, Calm, Over, TooLittleKnown]), "BurnSlow ticket");
    check(burn([Over; 4]), "BurnFast page, BurnSlow ticket");
    check(burn([Calm; 4]), "");
    let masked = |mask: fn(&mut World)| {
        move |it: &mut World| {
            it.system("s").burn = vec![Over; 4];
            mask(it);
        }
    };
    check(masked(|it| it.system("s").in_hours = false), "");
    check(masked(|it| it.system("s").maintained = true), "");
    check(masked(|it| it.rules("s").burn = false), "");
    check(masked(|it| it.roster().systems[0].objective = None), "");
}

#[test]
fn a_certificate_is_told_by_days_left_a_begun_one_counted() {
    let ends = |check: &'static str, in_s: i64| {
        move |it: &mut World| it.check(check).not_after = Some(second(1_000 + in_s))
    };
    check(ends("s", 30 * DAY_S + 1), "");
    check(ends("s", 30 * DAY_S), "Certificate ticket");
    check(ends("s", DAY_S + 1), "Certificate ticket");
    check(ends("s", DAY_S), "Certificate page");
    check(ends("s", -3 * DAY_S), "Certificate page");
    check(ends("extra", -3 * DAY_S), "Certificate ticket");
    let off = |it: &mut World| {
        it.rules("s").certificate_days = Vec::new();
        it.check("s").not_after = Some(second(0));
    };
    check(off, "");
    let left = |ms| days_left(Millis(ms), Millis(0));
    let day = DAY_S * 1_000;
    assert_eq!(
        [left(day + 1), left(day), left(1), left(0), left(-1), left(-day)],
        [2, 1, 1, 0, 0, -1]
    );
}

#[test]
fn thresholds_of_certificates_are_reached_one_after_the_other() {
    let rules = crate::model::alerting::rules::AlertRules::default();
    let reached = |left| threshold(&rules, left);
    let got: Vec<Option<u32>> = [31, 30, 15, 14, 7, 4, 3, 2, 1, 0, -9].map(reached).to_vec();
    let expected = [
        None,
        Some(30),
        Some(30),
        Some(14),
        Some(7),
        Some(7),
        Some(3),
        Some(3),
        Some(1),
        Some(0),
        Some(0),
    ];
    assert_eq!(got, expected);
}

#[test]
fn coverage_is_lost_by_its_share_or_when_nothing_is_known_for_long() {
    let share = |ppm| move |it: &mut World| it.system("s").coverage_ppm = ppm;
    check(share(Some(900_000)), "");
    check(share(Some(899_999)), "Coverage ticket");
    check(share(None), "");
    let unknown = |for_s: i64| {
        move |it: &mut World| {
            let system = it.system("s");
            system.coverage_ppm = None;
            system.standing = Some((State::Unknown, second(1_000 - for_s)));
        }
    };
    check(unknown(599), "");
    check(unknown(600), "Coverage ticket");
    let without = |it: &mut World| {
        it.system("s").coverage_ppm = Some(0);
        it.system("s").standing = None;
    };
    check(without, "");
}

#[test]
fn a_blind_vantage_is_told_once_and_not_for_every_system() {
    let mut world = world("a b c");
    for system in ["a", "b", "c"] {
        world.system(system).coverage_ppm = Some(0);
    }
    assert_eq!(said(&world), "Coverage ticket, Coverage ticket, Coverage ticket");
    world.trouble(TroubleKind::Blind);
    assert_eq!(said(&world), "Monitor page");
}

#[test]
fn an_objective_is_at_risk_and_then_broken() {
    let budget = |left_ms| {
        move |it: &mut World| it.system("s").budget = Some(Budget { whole_ms: 1_000, left_ms })
    };
    check(budget(250), "");
    check(budget(249), "ObjectiveAtRisk ticket");
    check(budget(0), "ObjectiveAtRisk ticket");
    check(budget(-1), "ObjectiveBroken ticket");
    let none = |left_ms| {
        move |it: &mut World| it.system("s").budget = Some(Budget { whole_ms: 0, left_ms })
    };
    check(none(0), "");
    check(none(-1), "ObjectiveBroken ticket");
    let at_night = |it: &mut World| {
        budget(-1)(it);
        it.rules("s").objective = Some(Severity::Page);
        it.system("s").in_hours = false;
    };
    check(at_night, "ObjectiveBroken ticket");
}

#[test]
fn maintenance_is_told_with_all_that_is_said() {
    let all = |it: &mut World| {
        it.fail("s");
        let system = it.system("s");
        system.maintained = true;
        system.coverage_ppm = Some(0);
        system.budget = Some(Budget { whole_ms: 0, left_ms: -1 });
        it.check("s").not_after = Some(second(0));
    };
    check(all, "Down page*, Certificate page*, Coverage ticket*, ObjectiveBroken ticket*");
}

#[test]
fn the_monitors_own_troubles_are_as_loud_as_what_they_hide() {
    let loud = [TroubleKind::HistoryNotCommitting, TroubleKind::Blind, TroubleKind::PeerFailing];
    for kind in loud {
        check(|it| it.trouble(kind), "Monitor page");
    }
    let quiet = [
        TroubleKind::ScheduleLate,
        TroubleKind::ChannelFailing,
        TroubleKind::AlertmanagerFailing,
        TroubleKind::AlertRefused,
        TroubleKind::ConfigurationRefused,
        TroubleKind::RotaHole,
    ];
    for kind in quiet {
        check(|it| it.trouble(kind), "Monitor ticket");
    }
}
