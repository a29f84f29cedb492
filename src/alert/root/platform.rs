//! Causes by platform.

use std::collections::BTreeMap;

use super::view::View;
use super::{Causes, PLATFORM_SPREAD_MS};
use crate::alert::book::CauseBy;
use crate::model::time::Millis;

/// From when to when the failures of one cause began.
#[derive(Clone, Copy)]
struct Spread {
    first: Millis,
    last: Millis,
}

/// Whether a part by platform still is one. What is not down any more is on its way out.
pub(super) fn shares(part: &View, cause: &View, platform: &str) -> bool {
    cause.is_all_on(platform) && (part.down.is_none() || part.is_all_on(platform))
}

/// Makes those that fail on one platform, and have no other cause, parts of the first of them.
/// `views` are in the order in which they opened.
pub(super) fn decide(views: &[View], causes: &mut Causes) {
    let mut platforms: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, view) in views.iter().enumerate() {
        // What has another cause, or had one just now, says nothing of its platform.
        if causes.is_by_dependency(at) || causes.is_lingering(at, view) {
            continue;
        }
        if let Some(name) = view.platform.as_deref().filter(|_| view.down.is_some()) {
            platforms.entry(name).or_default().push(at);
        }
    }
    for (name, members) in platforms {
        if members.len() > 1 {
            one(views, name, &members, causes);
        }
    }
}

fn one(views: &[View], name: &str, members: &[usize], causes: &mut Causes) {
    let mut spreads: BTreeMap<usize, Spread> = BTreeMap::new();
    for at in members {
        let root = causes.parent[*at].unwrap_or(*at);
        let since = views[*at].since;
        let spread = spreads.entry(root).or_insert(Spread { first: since, last: since });
        spread.first = spread.first.min(since);
        spread.last = spread.last.max(since);
    }
    let mut roots: Vec<usize> = Vec::new();
    for at in members.iter().copied() {
        if causes.parent[at].is_some() {
            continue;
        }
        let since = views[at].since;
        let near = |it: &&usize| {
            spreads.get(*it).is_some_and(|spread| spread.is_near(since))
                && !causes.is_above(at, **it)
        };
        match roots.iter().find(near).copied() {
            Some(root) => {
                causes.set(at, root, CauseBy::Platform(name.to_owned()));
                if let Some(spread) = spreads.get_mut(&root) {
                    spread.first = spread.first.min(since);
                    spread.last = spread.last.max(since);
                }
            }
            None => roots.push(at),
        }
    }
}

impl Spread {
    fn is_near(self, at: Millis) -> bool {
        let from = self.first.plus_ms(-PLATFORM_SPREAD_MS);
        let to = self.last.plus_ms(PLATFORM_SPREAD_MS);
        from <= at && at <= to
    }
}
