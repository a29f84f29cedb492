//! Owners, systems and directives, and what refers to what.

use std::{collections::HashMap, sync::Arc};

use super::alerting::rules;
use super::{checks, graph, terms};
use crate::config::element;
use crate::config::mistake::{Mistake, What};
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::Node;
use crate::config::source::Place;
use crate::model::alerting::rules::AlertRules;
use crate::model::check::Check;
use crate::model::id::{OwnerId, SystemId};
use crate::model::system::{Directive, Owner, Roster, System};
use crate::model::terms::Terms;

/// Where the ids of one kind of thing are described.
pub(super) type Known<'a> = HashMap<&'a str, Place>;

/// Everything that the files in `roots` describe; `main` is the main file, if it is whole. With `whole`, all files could be read, so
/// that a reference to nothing is a mistake.
pub(in crate::config) fn roster(
    desk: &mut Desk<'_>,
    main: Option<&Node>,
    roots: &[Node],
    whole: bool,
) -> Roster {
    let all = |key: &'static str| roots.iter().flat_map(move |root| root.list(key));
    let owners = known(desk, "owner", all("owner"));
    let systems = known(desk, "system", all("system"));
    let teams = known(desk, "team", all("team"));
    known(desk, "directive", all("directive"));
    known(desk, "check", all("system").flat_map(|system| system.list("check")));
    let refer = |desk: &mut Desk<'_>, of, known: &Known<'_>, node: Option<&Node>| {
        if whole {
            reference(desk, of, known, node);
        }
    };
    let defaults = (terms::defaults(desk, main), rules::defaults(main));
    let mut roster =
        Roster { holidays: terms::holidays(desk, all("holiday")), ..Roster::default() };
    for node in all("owner") {
        roster.owners.extend(owner(node));
    }
    for node in all("system") {
        refer(desk, "owner", &owners, node.get("owner"));
        refer(desk, "team", &teams, node.get("alert").and_then(|it| it.get("team")));
        for other in node.list("depends_on") {
            refer(desk, "system", &systems, Some(other));
        }
        roster.systems.extend(system(desk, node, &defaults));
    }
    for node in all("directive") {
        for other in node.list("systems") {
            refer(desk, "system", &systems, Some(other));
        }
        roster.directives.extend(directive(node));
    }
    graph::circles(desk, &all("system").collect::<Vec<_>>());
    idle_owners(desk, &roster, &owners);
    roster
}

/// The ids of `nodes`; an id described twice is a mistake.
pub(super) fn known<'a>(
    desk: &mut Desk<'_>,
    of: &'static str,
    nodes: impl Iterator<Item = &'a Node>,
) -> Known<'a> {
    let mut known = Known::new();
    for node in nodes {
        let Some(id) = node.get("id") else { continue };
        let Some(text) = id.as_text() else { continue };
        if let Some(first) = known.get(text) {
            let what = What::Duplicate { of, id: text.to_owned() };
            desk.mistakes.push(Mistake::new(id.at, what).and(*first, "first described here"));
        } else {
            known.insert(text, id.at);
        }
    }
    known
}

/// Reports what `node` names if it is not in `known`.
pub(super) fn reference(
    desk: &mut Desk<'_>,
    of: &'static str,
    known: &Known<'_>,
    node: Option<&Node>,
) {
    let Some(node) = node else { return };
    // What is no id was reported as such.
    let Some(id) = node.as_text().filter(|id| SystemId::new(id).is_ok()) else { return };
    if !known.contains_key(id) {
        let mut ids: Vec<_> = known.keys().copied().collect();
        ids.sort_unstable();
        let nearest = element::nearest_of(id, ids.into_iter()).map(str::to_owned);
        desk.wrong(node.at, What::NoSuch { of, id: id.to_owned(), nearest });
    }
}

fn owner(node: &Node) -> Option<Owner> {
    Some(Owner { id: OwnerId::new(node.text("id")?).ok()?, name: name(node)? })
}

/// The name at `name`, in NFC.
fn name(node: &Node) -> Option<String> {
    node.text("name").map(element::nfc)
}

fn system(desk: &mut Desk<'_>, node: &Node, defaults: &(Terms, AlertRules)) -> Option<System> {
    let written: Vec<_> =
        node.list("check").iter().map(|it| checks::check(desk, node, it)).collect();
    let judged = |check: &Check| check.critical && check.disabled.is_none();
    if !written.iter().any(|check| check.as_ref().is_none_or(judged)) {
        let system = node.text("id").unwrap_or_default().to_owned();
        desk.note(node.get("id").map_or(node.at, |id| id.at), NoteWhat::NotJudged { system });
    }
    let objective = terms::objective(desk, node);
    let terms = terms::system(desk, node, &defaults.0);
    Some(System {
        id: SystemId::new(node.text("id")?).ok()?,
        owner: OwnerId::new(node.text("owner")?).ok()?,
        name: name(node)?,
        objective,
        terms,
        depends_on: system_ids(node, "depends_on"),
        alert: rules::system(node, &defaults.1),
        checks: written.into_iter().flatten().map(Arc::new).collect(),
    })
}

fn directive(node: &Node) -> Option<Directive> {
    Some(Directive {
        id: node.text("id")?.to_owned(),
        document: element::nfc(node.text("document")?),
        task: element::nfc(node.text("task")?),
        deadline: node.text("deadline").map(element::nfc),
        systems: system_ids(node, "systems"),
    })
}

fn system_ids(node: &Node, key: &str) -> Vec<SystemId> {
    let ids = node.list(key).iter().filter_map(Node::as_text);
    ids.filter_map(|id| SystemId::new(id).ok()).collect()
}

fn idle_owners(desk: &mut Desk<'_>, roster: &Roster, owners: &Known<'_>) {
    for owner in &roster.owners {
        let idle = roster.systems.iter().all(|system| system.owner != owner.id);
        if let Some(at) = owners.get(owner.id.as_str()).filter(|_| idle) {
            desk.note(*at, NoteWhat::IdleOwner { owner: owner.id.to_string() });
        }
    }
}
