//! What was decided before: the deliveries of one incident, by their keys.

use std::collections::{BTreeMap, HashSet};

use crate::alert::book::{Incident, IncidentId};
use crate::alert::delivery::{Delivery, Purpose, Status};
use crate::model::id::{ChannelId, PersonId};

use super::recipients::Recipient;
use super::steps::Place;

/// Whose address: person, channel, address.
pub(super) type Address<'a> = (Option<&'a PersonId>, &'a ChannelId, &'a str);

/// The deliveries of an incident.
pub(super) struct Sent<'a> {
    all: Vec<&'a Delivery>,
    keys: HashSet<&'a str>,
}

impl<'a> Sent<'a> {
    pub(super) fn of(incident: &Incident, deliveries: &'a [Delivery]) -> Self {
        let all: Vec<_> = deliveries.iter().filter(|it| it.incident == incident.id).collect();
        let keys = all.iter().map(|it| it.key.as_str()).collect();
        Self { all, keys }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// What is still to be sent.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &'a Delivery> {
        self.all.iter().copied().filter(|it| it.is_waiting())
    }

    /// Addresses that were told of the incident, by a page or a ticket for which `counts`, and
    /// not that it is over since.
    pub(super) fn told(&self, counts: impl Fn(&Delivery) -> bool) -> Vec<Address<'a>> {
        let mut rounds: BTreeMap<Address<'a>, (u32, Option<u32>)> = BTreeMap::new();
        for it in &self.all {
            let round = place(&it.key).map_or(0, |it| it.0);
            let address = (it.person.as_ref(), &it.channel, it.to.as_str());
            match it.purpose {
                Purpose::Page | Purpose::Ticket if counts(it) => {
                    let entry = rounds.entry(address).or_default();
                    entry.0 = entry.0.max(round);
                }
                Purpose::Resolved if !matches!(it.status, Status::Dropped { .. }) => {
                    let entry = rounds.entry(address).or_default();
                    entry.1 = entry.1.max(Some(round));
                }
                _ => {}
            }
        }
        let open =
            |(told, over): &(u32, Option<u32>)| *told > 0 && over.is_none_or(|it| *told > it);
        rounds.into_iter().filter(|(_, it)| open(it)).map(|(address, _)| address).collect()
    }

    /// Whether anybody was told, or is to be, that it is over.
    pub(super) fn is_over(&self) -> bool {
        let told = |it: &Delivery| {
            it.purpose == Purpose::Resolved && !matches!(it.status, Status::Dropped { .. })
        };
        self.all.iter().any(|it| told(it))
    }

    /// The pages of a round.
    pub(super) fn pages(&self, round: u32) -> impl Iterator<Item = &'a Delivery> {
        self.all.iter().copied().filter(move |it| is_of_round(it, round))
    }

    /// The pages of a round that belong to the place reached last, with that place.
    pub(super) fn last_place(&self, round: u32) -> Option<(Place, Vec<&'a Delivery>)> {
        let pages = self.all.iter().copied().filter(|it| it.purpose == Purpose::Page);
        let mut placed: Vec<(Place, &Delivery)> = pages
            .filter_map(|it| place(&it.key).filter(|at| at.0 == round).map(|at| (at.1, it)))
            .collect();
        let last = placed.iter().map(|it| it.0).max()?;
        placed.retain(|it| it.0 == last);
        Some((last, placed.into_iter().map(|it| it.1).collect()))
    }
}

/// Whether it is a page of this round.
pub(super) fn is_of_round(it: &Delivery, round: u32) -> bool {
    it.purpose == Purpose::Page && place(&it.key).is_some_and(|at| at.0 == round)
}

/// Whether it is a page of this round that has left.
pub(super) fn is_page_of(it: &Delivery, round: u32) -> bool {
    is_out(it) && is_of_round(it, round)
}

/// Whether a delivery has left, as far as is known.
pub(super) const fn is_out(it: &Delivery) -> bool {
    matches!(it.status, Status::Sent { .. })
}

/// The idempotency key of a delivery.
pub(super) fn key(
    incident: &IncidentId,
    purpose: Purpose,
    round: u32,
    turn: u32,
    step: &str,
    to: &Recipient,
) -> String {
    let person = to.person.as_ref().map_or("-", PersonId::as_str);
    let purpose = purpose.as_str();
    format!("{}/{purpose}/{round}/{turn}/{step}/{person}/{}/{}", incident.0, to.channel, to.to)
}

/// Round and place of a key; the step of messages that belong to none is 0.
fn place(key: &str) -> Option<(u32, Place)> {
    let mut parts = key.split('/').skip(2);
    let round = parts.next()?.parse().ok()?;
    let turn = parts.next()?.parse().ok()?;
    let step = parts.next()?.parse().unwrap_or(0);
    Some((round, Place { turn, step }))
}
