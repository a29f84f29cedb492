//! Circles among the systems that depend on each other.

use std::collections::HashMap;

use crate::config::mistake::What;
use crate::config::outside::Desk;
use crate::config::raw::Node;

/// How far the search has come with a system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the path from where the search began.
    Open,
    Done,
}

/// Reports each circle once, at the `depends_on` that closes it.
pub(super) fn circles(desk: &mut Desk<'_>, systems: &[&Node]) {
    let ids: Vec<&str> = systems.iter().map(|it| it.text("id").unwrap_or_default()).collect();
    let index: HashMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut states = vec![State::New; systems.len()];
    for start in 0..systems.len() {
        if states[start] == State::New {
            search(desk, systems, &ids, &index, &mut states, start);
        }
    }
}

/// Walks in depth from `start`, with a stack of its own: a chain may be as long as the file.
fn search(
    desk: &mut Desk<'_>,
    systems: &[&Node],
    ids: &[&str],
    index: &HashMap<&str, usize>,
    states: &mut [State],
    start: usize,
) {
    // Each system on the path with how many of its dependencies have been looked at.
    let mut path = vec![(start, 0)];
    states[start] = State::Open;
    while let Some((system, looked)) = path.last_mut() {
        let Some(item) = systems[*system].list("depends_on").get(*looked) else {
            states[*system] = State::Done;
            path.pop();
            continue;
        };
        *looked += 1;
        let Some(next) = item.as_text().and_then(|id| index.get(id)).copied() else { continue };
        match states[next] {
            State::Done => {}
            State::New => {
                states[next] = State::Open;
                path.push((next, 0));
            }
            State::Open => {
                let circle = path.iter().map(|(at, _)| *at).skip_while(|at| *at != next);
                let circle = circle.chain([next]).map(|at| ids[at].to_owned()).collect();
                desk.wrong(item.at, What::Circle { circle });
            }
        }
    }
}
