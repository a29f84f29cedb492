//! Who depends on whom: strongly connected groups of systems, dependencies first.

use crate::model::id::SystemId;
use crate::model::system::System;

/// The graph of `depends_on`. A circle is one group, whose members depend on each other.
pub(super) struct Graph {
    deps: Vec<Vec<usize>>,
    users: Vec<Vec<usize>>,
    /// Groups, each after all that it depends on.
    groups: Vec<Vec<usize>>,
    group_of: Vec<usize>,
}

const NONE: usize = usize::MAX;

impl Graph {
    /// Of a roster; ids that are not in it are left out.
    pub(super) fn of(systems: &[System], place: impl Fn(&SystemId) -> Option<usize>) -> Self {
        let deps = systems.iter().enumerate().map(|(at, system)| {
            let known = system.depends_on.iter().filter_map(&place);
            known.filter(|it| *it != at && *it < systems.len()).collect()
        });
        Self::new(deps.collect())
    }

    fn new(deps: Vec<Vec<usize>>) -> Self {
        let mut users = vec![Vec::new(); deps.len()];
        for (at, of) in deps.iter().enumerate() {
            for dep in of {
                users[*dep].push(at);
            }
        }
        let groups = groups(&deps);
        let mut group_of = vec![NONE; deps.len()];
        for (number, group) in groups.iter().enumerate() {
            for member in group {
                group_of[*member] = number;
            }
        }
        Self { deps, users, groups, group_of }
    }

    /// How many systems there are.
    pub(super) const fn len(&self) -> usize {
        self.deps.len()
    }

    /// The others in the circle of a system, and itself.
    pub(super) fn circle(&self, at: usize) -> &[usize] {
        self.group_of.get(at).and_then(|it| self.groups.get(*it)).map_or(&[], Vec::as_slice)
    }

    /// For each system whether it depends on `at`, directly or through others.
    pub(super) fn below(&self, at: usize) -> Vec<bool> {
        let mut found = vec![false; self.deps.len()];
        let mut todo = vec![at];
        while let Some(next) = todo.pop() {
            for user in self.users.get(next).into_iter().flatten() {
                if !std::mem::replace(&mut found[*user], true) {
                    todo.push(*user);
                }
            }
        }
        found
    }

    /// For each system `own` of all that it depends on, directly or through others, joined;
    /// that of its own circle is left out.
    pub(super) fn above<T: Copy>(&self, own: &[T], none: T, join: impl Fn(T, T) -> T) -> Vec<T> {
        let mut above = vec![none; self.deps.len()];
        let mut whole = vec![none; self.groups.len()];
        for (number, group) in self.groups.iter().enumerate() {
            let outside = group.iter().flat_map(|it| &self.deps[*it]).map(|it| self.group_of[*it]);
            let outside = outside.filter(|it| *it != number);
            let joined = outside.map(|it| whole[it]).fold(none, &join);
            for member in group {
                above[*member] = joined;
            }
            whole[number] = group.iter().map(|it| own[*it]).fold(joined, &join);
        }
        above
    }
}

/// Tarjan's strongly connected components, without recursion: a chain may be as long as the
/// roster.
fn groups(deps: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let n = deps.len();
    let (mut index, mut low) = (vec![NONE; n], vec![NONE; n]);
    let mut is_open = vec![false; n];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for start in 0..n {
        if index[start] != NONE {
            continue;
        }
        let mut walk = vec![(start, 0)];
        while let Some((at, edge)) = walk.pop() {
            if edge == 0 {
                (index[at], low[at]) = (count, count);
                count += 1;
                stack.push(at);
                is_open[at] = true;
            }
            if let Some(&next) = deps[at].get(edge) {
                walk.push((at, edge + 1));
                if index[next] == NONE {
                    walk.push((next, 0));
                } else if is_open[next] {
                    low[at] = low[at].min(index[next]);
                }
                continue;
            }
            if let Some((before, _)) = walk.last() {
                low[*before] = low[*before].min(low[at]);
            }
            if low[at] == index[at] {
                let from = stack.iter().rposition(|it| *it == at).unwrap_or(0);
                let group = stack.split_off(from);
                for member in &group {
                    is_open[*member] = false;
                }
                found.push(group);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// All that `at` reaches, itself only through a circle: walked one by one.
    fn reached(deps: &[Vec<usize>], at: usize) -> BTreeSet<usize> {
        let (mut seen, mut todo) = (BTreeSet::new(), deps[at].clone());
        while let Some(next) = todo.pop() {
            if seen.insert(next) {
                todo.extend(&deps[next]);
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn above_is_all_that_is_reached_outside_of_the_circle(
            edges in prop::collection::vec((0..12_usize, 0..12_usize), 0..40)
        ) {
            let mut deps = vec![Vec::new(); 12];
            for (from, to) in edges {
                if from != to {
                    deps[from].push(to);
                }
            }
            let graph = Graph::new(deps.clone());
            let own: Vec<u32> = (0..12).map(|it| 1 << it).collect();
            let above = graph.above(&own, 0, |a, b| a | b);
            for (at, above) in above.into_iter().enumerate() {
                let circle: BTreeSet<usize> = graph.circle(at).iter().copied().collect();
                let reached = reached(&deps, at);
                let back = |it: &&usize| {
                    **it == at || (reached.contains(*it) && super::tests::reached(&deps, **it).contains(&at))
                };
                prop_assert_eq!(&circle, &(0..12).collect::<Vec<_>>().iter().filter(back).copied().collect());
                let expected: u32 = reached.difference(&circle).map(|it| 1 << it).sum();
                prop_assert_eq!(above, expected, "{}", at);
                for (from, depends) in graph.below(at).into_iter().enumerate() {
                    prop_assert_eq!(depends, super::tests::reached(&deps, from).contains(&at));
                }
            }
        }
    }

    #[test]
    fn a_chain_as_long_as_a_roster_is_walked_without_recursion() {
        let deps: Vec<Vec<usize>> =
            (0..100_000_usize).map(|it| it.checked_sub(1).into_iter().collect()).collect();
        let above = Graph::new(deps).above(&vec![1_u32; 100_000], 0, |a, b| a + b);
        assert_eq!(above.last(), Some(&99_999));
    }
}
