//! People and teams: who is called, and when.

use std::collections::{HashMap, HashSet};

use super::channel::address;
use super::{Ground, millis};
use crate::config::check::roster::{Known, known, reference};
use crate::config::element::{self, NotAn, clock, people as element_people, words};
use crate::config::mistake::{Mistake, What};
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::Node;
use crate::model::alerting::people::{
    Contact, DaysOff, Layer, Override, Person, Step, Target, Team, Turn, Window,
};
use crate::model::alerting::presets::Address;
use crate::model::alerting::rules::Severity;
use crate::model::id::{ChannelId, PersonId, TeamId};
use crate::model::terms::{DAY_MIN, DayKind, Holiday, weekday};
use jiff::civil::Weekday;

/// How much later than the contact before it one is used, if nothing is written.
const CONTACT_GAP_MS: i64 = 120_000;

/// How much later than the step before it one comes, if nothing is written.
const STEP_GAP_MS: i64 = 600_000;

/// How often steps are gone through again, if nothing is written.
const REPEAT: u32 = 2;

/// Eight o'clock.
const HANDOVER_MIN: u16 = 480;

/// Stands for an address where the channel itself says where messages go.
const NO_ADDRESS: &str = "-";

/// What people and teams refer to.
struct Names<'a> {
    whole: bool,
    channels: HashMap<&'a str, &'a Node>,
    channel_places: Known<'a>,
    people: Known<'a>,
}

/// All people and teams, in the order written.
pub(super) fn people(desk: &mut Desk<'_>, ground: &Ground<'_>) -> (Vec<Person>, Vec<Team>) {
    let id = |node: &'_ Node| node.get("id").map_or(node.at, |id| id.at);
    let mut channels = HashMap::new();
    let mut channel_places = Known::new();
    for node in ground.all("channel") {
        if let Some(text) = node.text("id") {
            channels.entry(text).or_insert(node);
            channel_places.entry(text).or_insert(id(node));
        }
    }
    let places = known(desk, "person", ground.all("person"));
    let names = Names { whole: ground.whole, channels, channel_places, people: places };
    let people: Vec<_> =
        ground.all("person").filter_map(|node| person(desk, node, &names)).collect();
    let teams: Vec<_> =
        ground.all("team").filter_map(|node| team(desk, node, &names, ground)).collect();
    unused(desk, &names, &people, &teams);
    (people, teams)
}

/// Notes people of no team, and channels of nobody.
fn unused(desk: &mut Desk<'_>, names: &Names<'_>, people: &[Person], teams: &[Team]) {
    let (mut called, mut used) = (HashSet::new(), HashSet::new());
    for team in teams {
        called.extend(team.layers.iter().flat_map(|it| &it.people));
        called.extend(&team.fallback);
        called.extend(team.overrides.iter().map(|it| &it.person));
        for target in team.steps.iter().flat_map(|it| &it.targets) {
            match target {
                Target::Person(id) => drop(called.insert(id)),
                Target::Address(channel, _) => drop(used.insert(channel)),
                Target::OnCall | Target::Everyone => {}
            }
        }
    }
    used.extend(people.iter().flat_map(|it| it.contacts.iter().map(|it| &it.channel)));
    let idle = people.iter().filter(|it| !teams.is_empty() && !called.contains(&it.id));
    let idle = idle.map(|it| ("person", it.id.as_str(), &names.people));
    let mute = names.channels.keys().filter(|id| !used.iter().any(|it| it.as_str() == **id));
    let mute = mute.map(|id| ("channel", *id, &names.channel_places));
    for (of, id, places) in idle.chain(mute) {
        if let Some(at) = places.get(id) {
            desk.note(*at, NoteWhat::Unused { of, id: id.to_owned() });
        }
    }
}

fn person(desk: &mut Desk<'_>, node: &Node, names: &Names<'_>) -> Option<Person> {
    let mut contacts: Vec<Contact> = Vec::new();
    let mut places = Vec::new();
    let mut after = None;
    for item in node.list("contacts") {
        let wanted = after.map_or(0, |ms: i64| ms.saturating_add(CONTACT_GAP_MS));
        let after_ms = millis(item, "after", wanted);
        after = Some(after_ms);
        let Some(contact) = contact(desk, item, names, after_ms) else { continue };
        let same = |it: &Contact| it.channel == contact.channel && it.to == contact.to;
        if let Some(first) = contacts.iter().position(same) {
            let id = format!("{} {}", contact.channel, contact.to);
            let what = What::Duplicate { of: "contact", id };
            desk.mistakes
                .push(Mistake::new(item.at, what).and(places[first], "first described here"));
        }
        contacts.push(contact);
        places.push(item.at);
    }
    let mail = |it: &Contact| {
        names.channels.get(it.channel.as_str()).is_some_and(|it| it.text("kind") == Some("email"))
    };
    if !contacts.is_empty() && contacts.iter().all(mail) {
        let at = node.get("contacts").map_or(node.at, |it| it.at);
        let person = node.text("id").unwrap_or_default().to_owned();
        desk.note(at, NoteWhat::EmailOnly { person });
    }
    Some(Person {
        id: PersonId::new(node.text("id")?).ok()?,
        name: element::nfc(node.text("name")?),
        contacts,
    })
}

fn contact(desk: &mut Desk<'_>, node: &Node, names: &Names<'_>, after_ms: i64) -> Option<Contact> {
    let written = node.get("channel");
    names.refer(desk, "channel", written);
    let channel = ChannelId::new(written?.as_text()?).ok()?;
    let on = names.channels.get(channel.as_str());
    let is_mail = on.is_some_and(|it| it.text("kind") == Some("email"));
    let to = match node.get("to") {
        Some(to) => {
            let text = to.as_text()?;
            let sound = on.map_or(Ok(text.to_owned()), |on| written_to(text, on));
            sound.map_err(|not| desk.wrong(to.at, What::Element(not))).ok()?
        }
        None if on.is_some_and(|on| address(on) == Some(Address::Optional)) => {
            NO_ADDRESS.to_owned()
        }
        None => {
            let what =
                What::Missing { key: "to", table: "[[person.contacts]]", example: "\"…\"" };
            if on.is_some() {
                desk.wrong(node.at, what);
            }
            return None;
        }
    };
    Some(Contact {
        channel,
        to,
        after_ms,
        from_severity: match node.text("from") {
            Some("ticket") => Severity::Ticket,
            None if is_mail => Severity::Ticket,
            _ => Severity::Page,
        },
    })
}

/// `text` as an address on the channel described by `on`.
fn written_to(text: &str, on: &Node) -> Result<String, NotAn> {
    match (on.text("kind"), address(on)) {
        (Some("email"), _) => words::mailbox(text).map(|()| text.to_owned()),
        (_, Some(Address::Phone)) => element_people::phone(text),
        _ => Ok(text.to_owned()),
    }
}

fn team(desk: &mut Desk<'_>, node: &Node, names: &Names<'_>, ground: &Ground<'_>) -> Option<Team> {
    let id = node.text("id").unwrap_or_default();
    let holidays = &ground.roster.holidays;
    let layers = node.list("layer");
    let layers: Vec<_> = layers.iter().filter_map(|it| layer(desk, it, names, holidays)).collect();
    let members: Vec<PersonId> = unique(layers.iter().flat_map(|it| it.people.iter().cloned()));
    let overrides = node.list("override").iter();
    let overrides: Vec<_> =
        overrides.filter_map(|it| stand_in(desk, it, names, ground, &members)).collect();
    let written = persons(desk, names, node, "fallback");
    let mut steps = steps(desk, node, names, node.list("layer").is_empty());
    let named = steps.iter().flat_map(|it| &it.targets).filter_map(|target| match target {
        Target::Person(id) => Some(id.clone()),
        _ => None,
    });
    let fallback = match (written.is_empty(), members.is_empty()) {
        (false, _) => written,
        (true, false) => members,
        (true, true) => unique(named),
    };
    if steps.is_empty() {
        steps = default_steps(layers.is_empty(), &fallback);
    }
    let addresses = steps.iter().flat_map(|it| &it.targets);
    let reaches = addresses.into_iter().any(|it| matches!(it, Target::Address(..)));
    let nobody = fallback.is_empty() && !reaches;
    // Whoever is written but wrong was told of.
    let untold = ["layer", "fallback", "step"].iter().all(|key| node.list(key).is_empty());
    if nobody && untold {
        let at = node.get("id").map_or(node.at, |it| it.at);
        desk.wrong(at, What::NobodyInTeam { team: id.to_owned() });
    }
    let repeat = node.integer("repeat").and_then(|it| u32::try_from(it).ok());
    Some(Team {
        id: TeamId::new(id).ok()?,
        name: element::nfc(node.text("name")?),
        layers,
        overrides,
        steps,
        repeat: repeat.unwrap_or(REPEAT),
        fallback,
    })
}

/// Each once, in the order they first come.
fn unique(all: impl Iterator<Item = PersonId>) -> Vec<PersonId> {
    let mut seen = HashSet::new();
    all.filter(|id| seen.insert(id.clone())).collect()
}

/// The people named at `key`.
fn persons(desk: &mut Desk<'_>, names: &Names<'_>, table: &Node, key: &str) -> Vec<PersonId> {
    let mut people = Vec::new();
    for node in table.list(key) {
        names.refer(desk, "person", Some(node));
        people.extend(node.as_text().and_then(|id| PersonId::new(id).ok()));
    }
    people
}

impl Names<'_> {
    fn refer(&self, desk: &mut Desk<'_>, of: &'static str, node: Option<&Node>) {
        let places = if of == "person" { &self.people } else { &self.channel_places };
        if self.whole {
            reference(desk, of, places, node);
        }
    }
}

fn layer(
    desk: &mut Desk<'_>,
    node: &Node,
    names: &Names<'_>,
    holidays: &[Holiday],
) -> Option<Layer> {
    let people = persons(desk, names, node, "people");
    let only = node.get("only").map(window);
    if let (Some(window), Some(at)) = (&only, node.get("only"))
        && never(window, holidays)
    {
        desk.wrong(at.at, What::NeverOnCall);
    }
    let handover = match node.get("handover") {
        Some(at) => {
            let minute = clock::minute(at.as_text()?).ok()?;
            if minute >= DAY_MIN {
                desk.wrong(at.at, What::EndOfDay);
                return None;
            }
            minute
        }
        None => HANDOVER_MIN,
    };
    Some(Layer {
        people: Some(people).filter(|it| !it.is_empty())?,
        start: clock::date(node.text("start")?).ok()?,
        handover_min: handover,
        turn: node
            .get("turn")
            .map_or(Some(Turn::Weeks(1)), |it| element_people::turn(it.as_text()?).ok())?,
        only,
    })
}

fn window(node: &Node) -> Window {
    Window {
        days: node.list("days").iter().filter_map(|it| weekday(it.as_text()?)).collect(),
        which: match node.text("which") {
            Some("working") => DaysOff::Working,
            Some("off") => DaysOff::Off,
            _ => DaysOff::Any,
        },
        hours: node.text("hours").and_then(|text| element_people::window(text).ok()),
    }
}

/// Whether no day can be in `window`, as far as the table of days off says.
fn never(window: &Window, holidays: &[Holiday]) -> bool {
    let weekend = |day: &Weekday| matches!(day, Weekday::Saturday | Weekday::Sunday);
    let told = |off: bool| {
        let here = holidays.iter().filter(|it| window.days.contains(&it.date.weekday()));
        here.into_iter().any(|it| (it.kind == DayKind::Off) == off)
    };
    match window.which {
        _ if window.days.is_empty() => false,
        DaysOff::Any => false,
        DaysOff::Working => window.days.iter().all(weekend) && !told(false),
        DaysOff::Off => !window.days.iter().any(weekend) && !told(true),
    }
}

fn stand_in(
    desk: &mut Desk<'_>,
    node: &Node,
    names: &Names<'_>,
    ground: &Ground<'_>,
    members: &[PersonId],
) -> Option<Override> {
    names.refer(desk, "person", node.get("person"));
    names.refer(desk, "person", node.get("instead_of"));
    let instead_of = node.text("instead_of").and_then(|id| PersonId::new(id).ok());
    let stranger = instead_of.as_ref().filter(|id| !members.contains(id));
    if let (Some(id), Some(at)) = (stranger, node.get("instead_of"))
        && names.people.contains_key(id.as_str())
    {
        desk.note(at.at, NoteWhat::NotInLayers { person: id.to_string() });
    }
    let moment = |key: &str| element_people::moment(node.text(key)?, &ground.zone).ok();
    let (from, to) = (moment("from")?, moment("to")?);
    if to <= from {
        desk.wrong(node.get("to")?.at, What::EndsBeforeStart);
        return None;
    }
    Some(Override { person: PersonId::new(node.text("person")?).ok()?, instead_of, from, to })
}

fn steps(desk: &mut Desk<'_>, node: &Node, names: &Names<'_>, no_layers: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, item) in node.list("step").iter().enumerate() {
        let after_ms = millis(item, "after", if index == 0 { 0 } else { STEP_GAP_MS });
        let mut targets = Vec::new();
        for written in item.list("targets") {
            targets.extend(target(desk, written, names, no_layers));
        }
        if !targets.is_empty() {
            steps.push(Step { after_ms, targets });
        }
    }
    steps
}

fn target(desk: &mut Desk<'_>, node: &Node, names: &Names<'_>, no_layers: bool) -> Option<Target> {
    let text = node.as_text()?;
    let target = element_people::target(text).ok()?;
    let id = |text: &str| Node { at: node.at, value: crate::config::raw::Value::Text(text.into()) };
    match &target {
        Target::OnCall | Target::Everyone if no_layers => {
            let key = format!("\"{text}\"");
            desk.wrong(node.at, What::Needs { key, needs: "a `[[team.layer]]`" });
            None
        }
        Target::OnCall | Target::Everyone => Some(target),
        Target::Person(person) => {
            names.refer(desk, "person", Some(&id(person.as_str())));
            Some(target)
        }
        Target::Address(channel, to) => {
            names.refer(desk, "channel", Some(&id(channel.as_str())));
            let to = match names.channels.get(channel.as_str()) {
                Some(on) => {
                    let sound = written_to(to, on);
                    sound.map_err(|not| desk.wrong(node.at, What::Element(not))).ok()?
                }
                None => to.clone(),
            };
            Some(Target::Address(channel.clone(), to))
        }
    }
}

fn default_steps(no_layers: bool, fallback: &[PersonId]) -> Vec<Step> {
    if no_layers {
        let targets: Vec<_> = fallback.iter().cloned().map(Target::Person).collect();
        return vec![Step { after_ms: 0, targets }];
    }
    vec![
        Step { after_ms: 0, targets: vec![Target::OnCall] },
        Step { after_ms: STEP_GAP_MS, targets: vec![Target::Everyone] },
    ]
}
