//! Of incidents with one cause one is told.

use crate::alert::book::{Ack, CauseBy, Incident};
use crate::alert::condition::Thread;
use crate::alert::sketch::{World, id, second, world};
use crate::alert::step;
use crate::model::alerting::rules::Severity;
use crate::model::id::SystemId;

/// `web<sso`: whose part an incident is; `-`: nobody's.
#[track_caller]
fn causes(world: &World, expected: &str) {
    let words = expected.split_whitespace().map(|word| word.split_once('<').unwrap());
    for (system, cause) in words {
        let of = world.of(system).cause.as_ref();
        let got = of.map_or("-", |it| match &world.book.incidents[&it.incident].thread {
            Thread::Service(id) => id.as_str(),
            _ => panic!("a cause is a service"),
        });
        assert_eq!(got, cause, "cause of {system}");
    }
}

fn pages(it: &Incident) -> bool {
    it.is_open()
        && !it.now.is_empty()
        && it.severity == Severity::Page
        && it.cause.is_none()
        && it.held_until.is_none()
        && !it.maintained
}

/// Who pages, in the order of the roster.
fn paging(world: &World) -> Vec<&str> {
    let pages = |id: &SystemId| {
        let thread = Thread::Service(id.clone());
        world.book.incidents.values().any(|it| it.thread == thread && pages(it))
    };
    let systems = world.facts.roster.systems.iter().filter(|it| pages(&it.id));
    systems.map(|it| it.id.as_str()).collect()
}

#[test]
fn what_depends_on_something_down_is_a_part_of_it() {
    let mut world = world("sso web<sso tax<web other");
    world.at(10);
    for check in ["sso", "web", "tax", "other"] {
        world.fail(check);
    }
    world.go(10);
    causes(&world, "sso<- web<sso tax<sso other<-");
    assert_eq!(paging(&world), ["sso", "other"]);
    assert_eq!(world.of("sso").parts.len(), 2);
}

#[test]
fn what_was_told_first_becomes_a_part_when_its_cause_is_confirmed() {
    let mut world = world("sso web<sso");
    world.at(10).fail("web");
    world.go(10);
    assert_eq!(paging(&world), ["web"]);
    world.at(25).fail("sso");
    let joined = format!("2 opened ThongsuotServiceDown page; 1 cause.joined {}", "SC-2026-0002");
    assert_eq!(world.go(25), joined);
    assert_eq!(paging(&world), ["sso"]);
}

#[test]
fn what_failed_long_before_has_a_cause_of_its_own() {
    let mut world = world("sso web<sso");
    world.at(10).fail("web");
    world.go(10);
    // The web began at -10 s, by checks of 30 s and 10 s; the sign-on may have begun 40 s
    // before it is seen to.
    world.at(91).fail("sso");
    world.go(91);
    causes(&world, "web<- sso<-");
    assert_eq!(paging(&world), ["sso", "web"]);
}

#[test]
fn a_part_that_recovers_with_its_cause_is_never_told() {
    let mut world = world("sso web<sso");
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    world.at(100).heal("sso");
    assert_eq!(world.until(149), "100: 1 calm");
    world.heal("web");
    assert_eq!(world.until(400), "149: 2 calm; 220: 1 closed; 269: 2 closed");
    causes(&world, "web<sso");
}

#[test]
fn a_part_that_does_not_recover_with_its_cause_stands_for_itself() {
    let mut world = world("sso web<sso");
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    world.at(100).heal("sso");
    // 30 s of waiting, three results of 30 s, and a timeout of 10 s.
    let told = world.until(400);
    assert_eq!(told, "100: 1 calm; 220: 1 closed; 230: 2 cause.left SC-2026-0001");
    assert_eq!(paging(&world), ["web"]);
    // It failed on its own before the sign-on fails again.
    world.at(500).fail("sso");
    world.go(500);
    assert_eq!(paging(&world), ["sso", "web"]);
}

#[test]
fn a_cause_that_comes_back_in_time_keeps_its_parts() {
    let mut world = world("sso web<sso");
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    world.at(100).heal("sso");
    world.go(100);
    world.at(180).fail("sso");
    assert_eq!(world.go(180), "1 returned");
    assert_eq!(world.of("web").cause.as_ref().unwrap().until, None);
    assert_eq!(world.until(600), "");
}

#[test]
fn another_cause_takes_over_when_the_first_is_gone() {
    let mut world = world("sso db web<sso,db");
    world.at(10).fail("sso");
    world.at(12).fail("db");
    world.fail("web");
    world.go(12);
    causes(&world, "web<sso sso<- db<-");
    world.at(100).heal("sso");
    world.go(100);
    causes(&world, "web<db");
}

#[test]
fn a_loud_part_makes_a_quiet_cause_as_loud() {
    let mut world = world("sso web<sso tax<web");
    world.rules("sso").down = Some(Severity::Ticket);
    world.rules("web").down = Some(Severity::Info);
    world.at(10).fail("sso");
    assert_eq!(world.go(10), "1 opened ThongsuotServiceDown ticket");
    world.fail("web");
    assert_eq!(world.go(11).matches("worsened").count(), 0);
    world.fail("tax");
    assert!(world.go(12).ends_with("1 worsened ThongsuotServiceDown page"));
    assert_eq!(paging(&world), ["sso"]);
}

#[test]
fn a_part_in_maintenance_lends_nothing_and_a_cause_in_maintenance_stays_mute() {
    let mut world = world("sso web<sso");
    world.rules("sso").down = Some(Severity::Ticket);
    world.system("web").maintained = true;
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    assert_eq!(world.of("sso").severity, Severity::Ticket);

    let mut world = crate::alert::sketch::world("sso web<sso");
    world.system("sso").maintained = true;
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    assert!(paging(&world).is_empty());
    world.system("sso").maintained = false;
    world.go(20);
    assert_eq!(paging(&world), ["sso"]);
}

#[test]
fn of_a_circle_the_first_to_fail_is_the_cause() {
    let mut world = world("a<c b<a c<b d<c");
    world.at(10);
    for check in ["d", "b", "c", "a"] {
        world.fail(check);
    }
    world.at(9).fail("c");
    world.go(10);
    causes(&world, "a<c b<c c<- d<c");
    assert_eq!(paging(&world), ["c"]);
    // The cause recovers and fails again, later than a part that stood for itself meanwhile.
    world.at(100).heal("c");
    world.go(100);
    world.go(300);
    world.at(400).fail("c");
    world.go(400);
    assert_eq!(paging(&world), ["a"], "of the three that went on the first by number");
}

#[test]
fn one_platform_is_one_page_and_a_failure_off_it_is_its_own() {
    let mut world = world("a b c d");
    for check in ["a", "b", "c"] {
        world.put(check, "igate");
    }
    world.put("d", "eform");
    world.at(10).fail("b");
    world.go(10);
    world.at(40).fail("a");
    world.fail("d");
    world.go(40);
    causes(&world, "a<b b<- d<-");
    assert_eq!(world.of("a").cause.as_ref().unwrap().by, CauseBy::Platform("igate".to_owned()));
    // Also with something off the platform: on its own at once.
    world.add("a", "a-own", |_| {});
    world.fail("a-own");
    assert_eq!(world.go(50), "2 cause.left SC-2026-0001");
    world.add("c", "c-own", |_| {});
    world.fail("c");
    world.fail("c-own");
    world.go(60);
    assert_eq!(paging(&world), ["a", "b", "c", "d"]);
}

#[test]
fn a_platform_that_only_one_part_of_a_failure_runs_on_explains_nothing() {
    let mut world = world("a b");
    world.put("a", "igate");
    world.put("b", "igate");
    world.add("a", "a-own", |_| {});
    world.at(10).fail("a");
    world.fail("a-own");
    world.go(10);
    world.fail("b");
    world.go(20);
    assert_eq!(paging(&world), ["a", "b"]);
}

#[test]
fn what_fails_on_a_platform_hours_later_is_news() {
    let mut world = world("a b c d");
    for check in ["a", "b", "c", "d"] {
        world.put(check, "igate");
    }
    world.at(10).fail("a");
    world.go(10);
    // Half an hour later, and an hour after the last of them: still spreading.
    world.at(1_800).fail("b");
    world.go(1_800);
    world.at(5_300).fail("c");
    world.go(5_300);
    causes(&world, "b<a c<a");
    world.at(20_000).fail("d");
    world.go(20_000);
    assert_eq!(paging(&world), ["a", "d"]);
}

#[test]
fn a_platform_whose_first_failure_is_a_part_itself_explains_nothing() {
    let mut world = world("sso a<sso b");
    world.put("a", "igate");
    world.put("b", "igate");
    world.at(10).fail("a");
    world.go(10);
    world.at(12).fail("b");
    world.go(12);
    causes(&world, "b<a");
    world.at(20).fail("sso");
    world.go(20);
    causes(&world, "a<sso b<-");
    assert_eq!(paging(&world), ["sso", "b"]);
}

#[test]
fn a_failure_waits_for_a_suspect_dependency_and_no_longer_than_told() {
    let mut world = world("sso web<sso");
    world.at(10).fail("web");
    world.doubt("sso");
    assert!(world.go(10).ends_with("1 held"));
    assert_eq!(world.of("web").held_until, Some(second(40)));
    assert!(paging(&world).is_empty());
    assert_eq!(world.until(50), "40: 1 released");
    assert_eq!(paging(&world), ["web"]);
}

#[test]
fn a_failure_waits_for_a_dependency_that_was_not_measured_since() {
    let mut world = world("sso web<sso tax<web");
    world.at(10);
    world.stale = vec![id("sso")];
    world.check("sso").last = Some(second(0));
    world.at(40).fail("tax");
    assert!(world.go(40).ends_with("1 held"));
    world.stale.clear();
    assert_eq!(world.go(45), "1 released");
    assert_eq!(paging(&world), ["tax"]);
}

#[test]
fn a_held_failure_joins_its_cause_without_a_page() {
    let mut world = world("sso web<sso");
    world.at(10).fail("web");
    world.doubt("sso");
    world.go(10);
    world.at(25).fail("sso");
    world.go(25);
    assert_eq!(world.of("web").held_until, None);
    assert_eq!(paging(&world), ["sso"]);
}

#[test]
fn without_dependencies_nothing_waits() {
    let mut world = world("sso web");
    world.doubt("sso");
    world.at(10).fail("web");
    world.go(10);
    assert_eq!(paging(&world), ["web"]);
}

#[test]
fn closing_a_cause_by_hand_closes_its_parts_that_are_over() {
    let mut world = world("sso web<sso");
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    world.at(20).heal("sso");
    world.heal("web");
    world.go(20);
    let ack = Ack { at: second(30), by: "an".to_owned(), via: "api".to_owned() };
    let id = world.of("sso").id.clone();
    assert_eq!(step::close(&mut world.book, &id, &ack).len(), 2);
    assert_eq!(world.until(500), "");
}

#[test]
fn closing_a_cause_by_hand_leaves_a_part_that_is_still_down_to_stand_for_itself() {
    let mut world = world("sso web<sso app<sso");
    world.at(10).fail("sso");
    world.fail("web");
    world.fail("app");
    world.go(10);
    assert_eq!(paging(&world), ["sso"]);
    world.at(20).heal("sso");
    world.heal("app");
    world.go(20);
    let ack = Ack { at: second(30), by: "an".to_owned(), via: "link".to_owned() };
    let id = world.of("sso").id.clone();
    assert_eq!(step::close(&mut world.book, &id, &ack).len(), 2);
    assert!(world.of("web").is_open() && !world.of("app").is_open());
    // No sooner than it might have recovered with its cause, and long before the quiet that was
    // asked for ends.
    assert_eq!(world.go(40), "");
    world.until(300);
    assert_eq!(paging(&world), ["web"]);
}

#[test]
fn a_reload_that_takes_the_dependency_away_frees_its_parts_at_once() {
    let mut world = world("sso web<sso");
    world.at(10).fail("sso");
    world.fail("web");
    world.go(10);
    world.roster().systems[1].depends_on.clear();
    world.go(20);
    assert_eq!(paging(&world), ["sso", "web"]);
}
