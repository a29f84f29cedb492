//! Who a step means, address by address.

use crate::alert::rota;
use crate::model::alerting::people::{Contact, Person, Target, Team};
use crate::model::alerting::rules::Severity;
use crate::model::id::{ChannelId, PersonId};
use crate::model::time::Millis;

use super::Desk;

/// An address to which something is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipient {
    /// Whose it is; `None`: nobody's own.
    pub(super) person: Option<PersonId>,
    pub(super) channel: ChannelId,
    pub(super) to: String,
    /// How long after the step.
    pub(super) after_ms: i64,
}

impl Desk<'_> {
    /// The addresses of a step, each once. A ticket waits for no answer, so it goes at once to
    /// every contact that is used for tickets.
    pub(super) fn recipients(
        &self,
        team: &Team,
        targets: &[Target],
        severity: Severity,
        at: Millis,
    ) -> Vec<Recipient> {
        let mut all = Vec::new();
        for target in targets {
            let people = match target {
                Target::OnCall => rota::people(team, self.holidays, self.zone, at),
                Target::Everyone => rota::everyone(team),
                Target::Person(id) => vec![id.clone()],
                Target::Address(channel, to) => {
                    let (channel, to) = (channel.clone(), to.clone());
                    push(&mut all, Recipient { person: None, channel, to, after_ms: 0 });
                    continue;
                }
            };
            self.contacts(&people, severity, &mut all);
        }
        all
    }

    /// The addresses of the fallback list.
    pub(super) fn fallback(&self, team: &Team, severity: Severity) -> Vec<Recipient> {
        let mut all = Vec::new();
        self.contacts(&team.fallback, severity, &mut all);
        all
    }

    fn contacts(&self, people: &[PersonId], severity: Severity, all: &mut Vec<Recipient>) {
        for person in people.iter().filter_map(|id| self.person(id)) {
            for it in person.contacts.iter().filter(|it| it.from_severity <= severity) {
                let after_ms = if severity == Severity::Page { it.after_ms.max(0) } else { 0 };
                let (channel, to) = (it.channel.clone(), it.to.clone());
                push(all, Recipient { person: Some(person.id.clone()), channel, to, after_ms });
            }
        }
    }

    /// Whether an address still belongs to somebody, or to a step of a team.
    pub(super) fn knows(&self, person: Option<&PersonId>, channel: &ChannelId, to: &str) -> bool {
        let is_contact = |it: &Contact| it.channel == *channel && it.to == to;
        let is_target = |it: &Target| matches!(it, Target::Address(of, address) if of == channel && address == to);
        if let Some(id) = person {
            return self.person(id).is_some_and(|it| it.contacts.iter().any(is_contact));
        }
        let steps = self.alerting.teams.iter().flat_map(|it| &it.steps);
        steps.flat_map(|it| &it.targets).any(is_target)
    }

    fn person(&self, id: &PersonId) -> Option<&Person> {
        self.alerting.people.iter().find(|it| it.id == *id)
    }
}

/// Adds an address that is not there yet.
fn push(all: &mut Vec<Recipient>, new: Recipient) {
    let same =
        |it: &Recipient| (&it.person, &it.channel, &it.to) == (&new.person, &new.channel, &new.to);
    if !all.iter().any(same) {
        all.push(new);
    }
}
