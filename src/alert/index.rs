//! Where things are in the facts, looked up once a step.

use std::collections::HashMap;

use super::condition::Thread;
use super::facts::{CheckFacts, Facts, SystemFacts, TroubleKind};
use crate::model::id::{CheckId, SystemId};
use crate::model::system::System;

/// The facts by id.
pub(super) struct Index<'a> {
    /// The facts.
    pub(super) facts: &'a Facts,
    systems: HashMap<&'a SystemId, usize>,
    checks: HashMap<&'a CheckId, &'a CheckFacts>,
}

impl<'a> Index<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        let systems = facts.each().enumerate().map(|(at, (system, _))| (&system.id, at));
        let checks = facts.systems.iter().flat_map(|it| &it.checks);
        Self {
            facts,
            systems: systems.collect(),
            checks: checks.map(|it| (&it.check.id, it)).collect(),
        }
    }

    /// The place of a system in the roster.
    pub(super) fn place(&self, id: &SystemId) -> Option<usize> {
        self.systems.get(id).copied()
    }

    /// A system with what is true of it.
    pub(super) fn system(&self, id: &SystemId) -> Option<(&'a System, &'a SystemFacts)> {
        let at = self.place(id)?;
        Some((self.facts.roster.systems.get(at)?, self.facts.systems.get(at)?))
    }

    /// What is true of an enabled check.
    pub(super) fn check(&self, id: &CheckId) -> Option<&'a CheckFacts> {
        self.checks.get(id).copied()
    }

    /// The system that a conversation is about.
    pub(super) fn system_of(&self, thread: &Thread) -> Option<(&'a System, &'a SystemFacts)> {
        match thread {
            Thread::Service(id) | Thread::Coverage(id) | Thread::Objective(id) => self.system(id),
            Thread::Certificate(id) => self.system(&self.check(id)?.check.system),
            Thread::Monitor(..) | Thread::Drill(_) => None,
        }
    }

    /// Whether the vantage can't see.
    pub(super) fn is_blind(&self) -> bool {
        is_blind(self.facts)
    }
}

/// Whether the vantage can't see.
pub(super) fn is_blind(facts: &Facts) -> bool {
    facts.troubles.iter().any(|it| it.kind == TroubleKind::Blind)
}
