use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;
use crate::model::alerting::people::{DaysOff, Layer, Turn, Window};
use crate::model::id::TeamId;
use crate::model::terms::DayKind;

const VN: &str = "Asia/Ho_Chi_Minh";

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

fn layer(people: &[&str], start: Date, handover_min: u16, turn: Turn) -> Layer {
    let people = people.iter().map(|it| person(it)).collect();
    Layer { people, start, handover_min, turn, only: None }
}

fn only(layer: Layer, days: &[Weekday], which: DaysOff, hours: Option<(u16, u16)>) -> Layer {
    Layer { only: Some(Window { days: days.to_vec(), which, hours }), ..layer }
}

fn team(layers: Vec<Layer>) -> Team {
    Team {
        id: TeamId::new("van-hanh").unwrap(),
        name: "Tổ vận hành".to_owned(),
        layers,
        overrides: Vec::new(),
        steps: Vec::new(),
        repeat: 0,
        fallback: vec![person("truong"), person("pho")],
    }
}

fn at(text: &str, zone: &TimeZone) -> Millis {
    let local: DateTime = text.parse().unwrap();
    Millis(zone.to_zoned_datetime(local).unwrap().timestamp().as_millisecond())
}

fn stand_in(person_id: &str, instead_of: Option<&str>, from: &str, to: &str) -> Override {
    let zone = zone(VN);
    let instead_of = instead_of.map(person);
    Override { person: person(person_id), instead_of, from: at(from, &zone), to: at(to, &zone) }
}

/// Each line of `expected`: local time, who; `-` is a hole.
#[track_caller]
fn check(team: &Team, holidays: &[Holiday], name: &str, expected: &[(&str, &str)]) {
    let zone = zone(name);
    for (when, who_then) in expected {
        let got = who(team, holidays, &zone, at(when, &zone));
        let named: Vec<&str> = got.people.iter().map(PersonId::as_str).collect();
        let named = if got.via == Via::Fallback { "-".to_owned() } else { named.join("+") };
        assert_eq!(named, *who_then, "{when}");
    }
}

fn shifts(team: &Team, holidays: &[Holiday], name: &str, from: &str, to: &str) -> Vec<String> {
    let zone = zone(name);
    let span = Span::new(at(from, &zone), at(to, &zone)).unwrap();
    let civil = |at: Millis| {
        let civil = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap());
        civil.strftime("%d/%m %H:%M").to_string()
    };
    let line = |it: &Shift| {
        let people: Vec<&str> = it.people.iter().map(PersonId::as_str).collect();
        format!("{}-{} {}", civil(it.span.start()), civil(it.span.end()), people.join("+"))
    };
    changes(team, holidays, &zone, span).iter().map(line).collect()
}

fn day(day: Date, kind: DayKind) -> Holiday {
    Holiday { date: day, kind, name: String::new(), source: String::new() }
}

/// As the shipped table has it.
fn tet_2027() -> Vec<Holiday> {
    (5..=10).map(|it| day(date(2027, 2, it), DayKind::Off)).collect()
}

/// Three shifts of eight hours, around the clock.
fn three_shifts() -> Layer {
    layer(&["an", "binh", "chi"], date(2026, 11, 23), 6 * 60, Turn::Hours(8))
}

#[test]
fn three_shifts_of_eight_hours_hand_over_on_the_hour() {
    check(
        &team(vec![three_shifts()]),
        &[],
        VN,
        &[
            ("2026-11-23T05:59:59.999", "-"),
            ("2026-11-23T06:00", "an"),
            ("2026-11-23T13:59:59.999", "an"),
            ("2026-11-23T14:00", "binh"),
            ("2026-11-23T22:00", "chi"),
            ("2026-11-24T05:59", "chi"),
            ("2026-11-24T06:00", "an"),
            ("2036-11-24T23:00", "chi"),
        ],
    );
}

#[test]
fn turns_of_days_and_weeks_begin_at_the_handover() {
    let days = layer(&["an", "binh"], date(2026, 11, 23), 8 * 60, Turn::Days(1));
    check(
        &team(vec![days]),
        &[],
        VN,
        &[("2026-11-24T07:59", "an"), ("2026-11-24T08:00", "binh"), ("2026-11-25T08:00", "an")],
    );
    let weeks = layer(&["an", "binh", "chi"], date(2026, 11, 23), 8 * 60, Turn::Weeks(1));
    check(
        &team(vec![weeks]),
        &[],
        VN,
        &[
            ("2026-11-30T07:59", "an"),
            ("2026-11-30T08:00", "binh"),
            ("2026-12-07T08:00", "chi"),
            ("2026-12-14T08:00", "an"),
        ],
    );
}

#[test]
fn the_last_layer_that_names_somebody_counts() {
    let base = layer(&["an"], date(2026, 11, 23), 0, Turn::Weeks(1));
    let nights = only(
        layer(&["binh", "chi"], date(2026, 11, 23), 17 * 60, Turn::Days(1)),
        &[],
        DaysOff::Any,
        Some((17 * 60, 8 * 60)),
    );
    assert_eq!(
        shifts(&team(vec![base, nights]), &[], VN, "2026-11-24T12:00", "2026-11-26T12:00"),
        [
            "24/11 12:00-24/11 17:00 an",
            "24/11 17:00-25/11 08:00 chi",
            "25/11 08:00-25/11 17:00 an",
            "25/11 17:00-26/11 08:00 binh",
            "26/11 08:00-26/11 12:00 an",
        ]
    );
}

#[test]
fn a_night_that_begins_on_friday_belongs_to_friday() {
    let fridays = only(
        layer(&["an"], date(2026, 11, 23), 0, Turn::Weeks(1)),
        &[Weekday::Friday],
        DaysOff::Any,
        Some((22 * 60, 6 * 60)),
    );
    assert_eq!(
        shifts(&team(vec![fridays]), &[], VN, "2026-11-27T00:00", "2026-12-05T00:00"),
        [
            "27/11 00:00-27/11 22:00 truong+pho",
            "27/11 22:00-28/11 06:00 an",
            "28/11 06:00-04/12 22:00 truong+pho",
            "04/12 22:00-05/12 00:00 an",
        ]
    );
}

#[test]
fn tet_has_its_own_rota_by_the_table() {
    let work =
        only(layer(&["an"], date(2026, 11, 23), 0, Turn::Weeks(1)), &[], DaysOff::Working, None);
    let off = only(
        layer(&["binh", "chi"], date(2027, 2, 5), 8 * 60, Turn::Days(1)),
        &[],
        DaysOff::Off,
        None,
    );
    assert_eq!(
        shifts(&team(vec![work, off]), &tet_2027(), VN, "2027-02-04T12:00", "2027-02-11T12:00"),
        [
            "04/02 12:00-05/02 00:00 an",
            // The layer of days off begins at 08:00 on its first day: a hole, and it is seen.
            "05/02 00:00-05/02 08:00 truong+pho",
            "05/02 08:00-06/02 08:00 binh",
            "06/02 08:00-07/02 08:00 chi",
            "07/02 08:00-08/02 08:00 binh",
            "08/02 08:00-09/02 08:00 chi",
            "09/02 08:00-10/02 08:00 binh",
            "10/02 08:00-11/02 00:00 chi",
            "11/02 00:00-11/02 12:00 an",
        ]
    );
}

#[test]
fn a_day_that_is_made_up_for_is_a_working_day_of_another_weekday() {
    let holidays = [
        day(date(2026, 8, 22), DayKind::WorkedLike(Weekday::Monday)),
        day(date(2026, 8, 31), DayKind::Off),
        day(date(2026, 9, 1), DayKind::Off),
        day(date(2026, 9, 2), DayKind::Off),
    ];
    let start = date(2026, 8, 1);
    let base = layer(&["dung"], start, 0, Turn::Weeks(1));
    let mondays = only(
        layer(&["an"], start, 0, Turn::Weeks(1)),
        &[Weekday::Monday],
        DaysOff::Working,
        Some((450, 1_020)),
    );
    let off = only(layer(&["binh"], start, 0, Turn::Weeks(1)), &[], DaysOff::Off, None);
    check(
        &team(vec![base, mondays, off]),
        &holidays,
        VN,
        &[
            ("2026-08-17T09:00", "an"),
            ("2026-08-17T18:00", "dung"),
            ("2026-08-21T09:00", "dung"),
            ("2026-08-22T09:00", "an"),
            ("2026-08-22T20:00", "dung"),
            ("2026-08-23T09:00", "binh"),
            ("2026-08-31T09:00", "binh"),
            ("2026-09-02T23:59", "binh"),
            ("2026-09-03T00:00", "dung"),
        ],
    );
}

#[test]
fn of_overrides_the_last_written_wins_and_a_stand_in_can_be_stood_in_for() {
    let (from, to) = ("2026-11-24T06:00", "2026-11-24T14:00");
    let mut team = team(vec![three_shifts()]);
    team.overrides = vec![
        stand_in("dung", Some("an"), from, to),
        stand_in("em", Some("dung"), from, "2026-11-24T08:00"),
        stand_in("giang", Some("binh"), from, "2026-11-25T00:00"),
    ];
    check(
        &team,
        &[],
        VN,
        &[
            ("2026-11-24T05:00", "chi"),
            ("2026-11-24T06:00", "em"),
            ("2026-11-24T08:00", "dung"),
            ("2026-11-24T14:00", "giang"),
            ("2026-11-24T22:00", "chi"),
        ],
    );
    team.overrides.push(stand_in("hoa", Some("an"), "2026-11-24T07:00", to));
    check(&team, &[], VN, &[("2026-11-24T06:30", "em"), ("2026-11-24T07:00", "hoa")]);
    team.overrides.push(stand_in("lan", None, "2026-11-23T00:00", "2026-11-24T12:00"));
    check(&team, &[], VN, &[("2026-11-23T01:00", "lan"), ("2026-11-24T07:00", "lan")]);
    check(&team, &[], VN, &[("2026-11-24T12:00", "hoa")]);
}

#[test]
fn a_change_of_the_clock_neither_repeats_nor_loses_a_handover() {
    let berlin = "Europe/Berlin";
    let three = layer(&["an", "binh", "chi"], date(2026, 3, 27), 6 * 60, Turn::Hours(8));
    assert_eq!(
        shifts(&team(vec![three.clone()]), &[], berlin, "2026-03-28T22:00", "2026-03-29T14:00"),
        ["28/03 22:00-29/03 06:00 chi", "29/03 06:00-29/03 14:00 an"]
    );
    // Handed over at 02:30: left out in March, there twice in October.
    let early = layer(&["an", "binh"], date(2026, 3, 27), 150, Turn::Days(1));
    let early = team(vec![early]);
    assert_eq!(
        shifts(&early, &[], berlin, "2026-03-28T12:00", "2026-03-30T12:00"),
        [
            "28/03 12:00-29/03 03:00 binh",
            "29/03 03:00-30/03 02:30 an",
            "30/03 02:30-30/03 12:00 binh"
        ]
    );
    let zone = zone(berlin);
    let first = at("2026-10-25T02:30", &zone);
    let named = |at| who(&early, &[], &zone, at).people;
    assert_ne!(named(first), named(first.plus_ms(-1)));
    assert_eq!(named(first), named(first.plus_ms(3_600_000)), "02:30 for the second time");
    assert_eq!(named(first), named(first.plus_ms(3_599_999)));
}

#[test]
fn nobody_at_all_is_the_fallback_and_empty_without_one() {
    let mut nobody = team(Vec::new());
    let zone = zone(VN);
    let got = who(&nobody, &[], &zone, Millis(0));
    assert_eq!((got.via, got.people), (Via::Fallback, vec![person("truong"), person("pho")]));
    assert_eq!(got.until, Millis(LOOK_AHEAD_MS));
    nobody.fallback.clear();
    assert!(who(&nobody, &[], &zone, Millis(0)).people.is_empty());
    let far = who(&team(vec![three_shifts()]), &[], &zone, Millis(i64::MAX));
    assert_eq!(far.via, Via::Fallback);
}

#[test]
fn far_turns_are_found_without_stepping() {
    let hourly = team(vec![layer(&["an", "binh"], date(1970, 1, 1), 0, Turn::Hours(1))]);
    let zone = zone(VN);
    let start = at("2126-01-01T00:00", &zone);
    let seen = (0..20_000)
        .filter(|it| people(&hourly, &[], &zone, start.plus_ms(it * 3_600_000)) == [person("an")]);
    assert_eq!(seen.count(), 10_000);
}

const PEOPLE: [&str; 4] = ["an", "binh", "chi", "dung"];
const ZONES: [&str; 5] =
    [VN, "Europe/Berlin", "America/Asuncion", "Australia/Lord_Howe", "Asia/Kathmandu"];

/// 2027-02-01T00:00Z, the week before Tết.
const BASE: i64 = 1_801_440_000_000;

fn any_window() -> impl Strategy<Value = Option<Window>> {
    let days = prop::sample::subsequence(
        vec![
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Friday,
            Weekday::Saturday,
            Weekday::Sunday,
        ],
        0..4,
    );
    let which = prop::sample::select(vec![DaysOff::Any, DaysOff::Working, DaysOff::Off]);
    let hours = prop::option::of((0_u16..24, 0_u16..=24).prop_map(|it| (it.0 * 60, it.1 * 60)));
    prop::option::of((days, which, hours).prop_map(|(days, which, hours)| Window {
        days,
        which,
        hours,
    }))
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let turn = prop_oneof![
        (1_u16..40).prop_map(Turn::Hours),
        (1_u16..4).prop_map(Turn::Days),
        (1_u16..3).prop_map(Turn::Weeks),
    ];
    let start = (0_i64..60).prop_map(|back| {
        let day = date(2027, 2, 20);
        day.checked_sub(jiff::Span::new().days(back)).unwrap()
    });
    (1_usize..4, start, 0_u16..1_440, turn, any_window()).prop_map(
        |(count, start, handover_min, turn, only)| Layer {
            people: PEOPLE[..count].iter().map(|it| person(it)).collect(),
            start,
            // To the minute, which the slow truth walks by.
            handover_min,
            turn,
            only,
        },
    )
}

fn any_override() -> impl Strategy<Value = Override> {
    let one = || prop::sample::select(PEOPLE.to_vec());
    (one(), prop::option::of(one()), 0_i64..20_000, 1_i64..3_000).prop_map(
        |(who, instead_of, from, length)| Override {
            person: person(who),
            instead_of: instead_of.map(person),
            from: Millis(BASE + from * 60_000),
            to: Millis(BASE + (from + length) * 60_000),
        },
    )
}

fn any_team() -> impl Strategy<Value = Team> {
    let layers = prop::collection::vec(any_layer(), 0..4);
    let overrides = prop::collection::vec(any_override(), 0..5);
    (layers, overrides).prop_map(|(layers, overrides)| Team { overrides, ..team(layers) })
}

fn table() -> Vec<Holiday> {
    let mut table = tet_2027();
    table.push(day(date(2027, 2, 13), DayKind::WorkedLike(Weekday::Thursday)));
    table
}

/// Walks the clock minute by minute from before the first turn: how many turns have begun?
struct Walk {
    highest: Vec<(Millis, i64)>,
}

impl Walk {
    fn new(zone: &TimeZone, from: Millis, to: Millis) -> Self {
        let mut highest: Vec<(Millis, i64)> = Vec::new();
        let mut at = from;
        while at < to {
            let instant = Timestamp::from_millisecond(at.0).unwrap();
            let civil = zone.to_datetime(instant);
            let wall = civil.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp().as_millisecond();
            let last = highest.last().map_or(i64::MIN, |it| it.1);
            highest.push((at, wall.max(last)));
            at = at.plus_ms(60_000);
        }
        Self { highest }
    }

    fn name(team: &Team, holidays: &[Holiday], at: Millis, wall: i64) -> Option<PersonId> {
        let mut named = None;
        for layer in &team.layers {
            let midnight = |day: Date| {
                day.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp().as_millisecond()
            };
            let start = midnight(layer.start) + i64::from(layer.handover_min) * 60_000;
            let length = 3_600_000
                * match layer.turn {
                    Turn::Hours(it) => i64::from(it),
                    Turn::Days(it) => 24 * i64::from(it),
                    Turn::Weeks(it) => 168 * i64::from(it),
                };
            // One turn after the other, from the first.
            let (mut turn, mut begin) = (0, start);
            while begin + length <= wall {
                (turn, begin) = (turn + 1, begin + length);
            }
            let in_window = layer.only.as_ref().is_none_or(|it| {
                (-1..=0).any(|back| {
                    let today = wall.div_euclid(86_400_000) + back;
                    let date = Timestamp::from_millisecond(today * 86_400_000).unwrap();
                    let date = TimeZone::UTC.to_datetime(date).date();
                    let row = holidays.iter().find(|row| row.date == date).map(|row| row.kind);
                    let weekday = match row {
                        Some(DayKind::WorkedLike(it)) => it,
                        _ => date.weekday(),
                    };
                    let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
                    let off = row.map_or(weekend, |it| it == DayKind::Off);
                    let which = match it.which {
                        DaysOff::Any => true,
                        DaysOff::Working => !off,
                        DaysOff::Off => off,
                    };
                    let (from, to) = it.hours.unwrap_or((0, 1_440));
                    let to = if to > from { to } else { to + 1_440 };
                    let minute = (wall - today * 86_400_000) / 60_000;
                    (it.days.is_empty() || it.days.contains(&weekday))
                        && which
                        && (i64::from(from)..i64::from(to)).contains(&minute)
                })
            });
            if start <= wall && in_window {
                named = Some(layer.people[turn % layer.people.len()].clone());
            }
        }
        // Every override in turn may be the last: nobody's place is taken twice by the same.
        let mut from = 0;
        loop {
            let active = |it: &Override| it.from <= at && at < it.to;
            let found = (from..team.overrides.len())
                .filter(|place| active(&team.overrides[*place]))
                .filter(|place| {
                    let it = &team.overrides[*place];
                    it.instead_of.is_none() || it.instead_of == named
                })
                .max();
            let Some(place) = found else { return named };
            named = Some(team.overrides[place].person.clone());
            from = place + 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The arithmetic agrees with walking the clock minute by minute, over a change of it too.
    #[test]
    fn who_agrees_with_walking_the_clock(
        team in any_team(),
        name in prop::sample::select(ZONES.to_vec()),
        change in prop::sample::select(vec!["2027-02-04T12:00", "2027-03-28T00:00", "2027-10-30T20:00", "2027-04-03T20:00", "2027-10-02T20:00"]),
        stride in 1_usize..50,
    ) {
        let (zone, table) = (zone(name), table());
        let from = at(change, &zone);
        let walk = Walk::new(&zone, from.plus_ms(-6 * 3_600_000), from.plus_ms(40 * 3_600_000));
        for (at, wall) in walk.highest.iter().skip(360).step_by(stride) {
            let truth = Walk::name(&team, &table, *at, *wall);
            let got = who(&team, &table, &zone, *at);
            prop_assert_eq!(got.people, truth.map_or(team.fallback.clone(), |it| vec![it]), "{}", at);
        }
    }

    /// Somebody is on call at every instant, or the fallback is and it is said; a hole is where
    /// no layer and no override names anybody; `until` is kept.
    #[test]
    fn somebody_is_on_call_or_the_fallback_is_named(
        team in any_team(),
        name in prop::sample::select(ZONES.to_vec()),
        minutes in prop::collection::vec(0_i64..30_000, 20),
    ) {
        let (zone, table) = (zone(name), table());
        for minute in minutes {
            let at = Millis(BASE + minute * 60_000);
            let got = who(&team, &table, &zone, at);
            prop_assert!(!got.people.is_empty());
            prop_assert_eq!(got.via == Via::Fallback, got.people == team.fallback);
            prop_assert_eq!(&got, &who(&team, &table, &zone, at), "the same asked twice");
            prop_assert_eq!(&got.people, &people(&team, &table, &zone, at));
            prop_assert!(got.until > at);
            for inside in [at, Millis(i64::midpoint(at.0, got.until.0)), got.until.plus_ms(-1)] {
                let then = who(&team, &table, &zone, inside);
                prop_assert_eq!((&then.people, then.via), (&got.people, got.via));
            }
            if got.until < at.plus_ms(LOOK_AHEAD_MS) {
                let then = who(&team, &table, &zone, got.until);
                prop_assert_ne!((then.people, then.via), (got.people, got.via));
            }
        }
    }

    /// The shifts tile the span, agree with `who`, and their holes are the holes.
    #[test]
    fn shifts_tile_and_agree(
        team in any_team(),
        name in prop::sample::select(ZONES.to_vec()),
        start in 0_i64..20_000,
        length in 1_i64..15_000,
        shares in prop::collection::vec(0_i64..1_000, 20),
    ) {
        let (zone, table) = (zone(name), table());
        let span = Span::new(Millis(BASE + start * 60_000), Millis(BASE + (start + length) * 60_000));
        let span = span.unwrap();
        let shifts = changes(&team, &table, &zone, span);
        prop_assert_eq!(shifts[0].span.start(), span.start());
        prop_assert_eq!(shifts[shifts.len() - 1].span.end(), span.end());
        for pair in shifts.windows(2) {
            prop_assert_eq!(pair[0].span.end(), pair[1].span.start());
            prop_assert_ne!((&pair[0].people, pair[0].via), (&pair[1].people, pair[1].via));
        }
        for share in shares {
            let at = span.start().plus_ms(span.length_ms() * share / 1_000);
            let shift = shifts.iter().find(|it| it.span.contains(at)).unwrap();
            let now = who(&team, &table, &zone, at);
            prop_assert_eq!((&shift.people, shift.via), (&now.people, now.via));
            let in_hole = holes(&team, &table, &zone, span).iter().any(|it| it.contains(at));
            prop_assert_eq!(in_hole, now.via == Via::Fallback);
        }
    }

    /// Overrides never leave a hole that was not there.
    #[test]
    fn overrides_leave_no_new_hole(team in any_team(), minute in 0_i64..30_000) {
        let (zone, table, at) = (zone(VN), table(), Millis(BASE + minute * 60_000));
        let without = Team { overrides: Vec::new(), ..team.clone() };
        if who(&team, &table, &zone, at).via == Via::Fallback {
            prop_assert_eq!(who(&without, &table, &zone, at).via, Via::Fallback);
        }
    }

    /// A number on the wall is shown first at an instant at which it is shown.
    #[test]
    fn the_wall_and_the_instants_agree(
        name in prop::sample::select(vec![VN, "Europe/Berlin", "America/Asuncion", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca"]),
        minute in 0_i64..30_000_000,
    ) {
        let zone = zone(name);
        let at = Millis(minute * 60_000 + 1_000);
        let now = wall::shown(at, &zone).unwrap();
        prop_assert!(wall::shown(at.plus_ms(60_000), &zone).unwrap() >= now, "it never falls");
        let first = wall::first_at(now, &zone).unwrap();
        prop_assert!(first <= at);
        prop_assert!(wall::shown(first, &zone).unwrap() >= now);
        prop_assert!(wall::shown(first.plus_ms(-1), &zone).unwrap() < now);
    }
}
