//! From deliveries to the message that a recipient reads.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tracing::warn;

use super::desk::Desk;
use crate::alert::book::{Book, Incident};
use crate::alert::condition::Thread;
use crate::alert::delivery::{Delivery, Purpose};
use crate::alert::link::{Link, Links};
use crate::alert::message::{Message, Scene, Templates, Told, told};
use crate::alert::outbox::Batch;
use crate::app::watched::{self, Shared};
use crate::model::alerting::Alerting;
use crate::model::system::Roster;
use crate::model::time::Millis;

/// What it takes to put an incident into words.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) templates: Templates,
    pub(super) alerting: Arc<Alerting>,
    pub(super) zone: TimeZone,
    pub(super) links: Links,
    pub(super) watch: Shared,
}

impl Words {
    /// The message of a batch; `None` if the book knows none of its incidents any more.
    pub(super) fn message(&self, desk: &Desk, batch: &Batch, now: Millis) -> Option<Message> {
        let first = batch.deliveries.first()?;
        let roster = Arc::clone(&watched::lock(&self.watch).roster);
        let told: Vec<Told> = desk.with(|state| {
            let known = |it: &Delivery| {
                let incident = state.book.incidents.get(&it.incident)?;
                let ack_url = self.ack_url(incident, it);
                let scene = Scene {
                    hit: self.hit(incident),
                    ..self.scene(&roster, &state.book, &ack_url, now)
                };
                Some(told(incident, &scene))
            };
            batch.deliveries.iter().filter_map(known).collect()
        });
        let mut message = self.templates.bundle(&told, first.purpose, self.alerting.language)?;
        message.key.clone_from(&first.key);
        Some(message)
    }

    /// One line that says what an incident is.
    pub(super) fn title(
        &self,
        roster: &Roster,
        book: &Book,
        incident: &Incident,
        now: Millis,
    ) -> String {
        let told = told(incident, &self.scene(roster, book, "", now));
        format!("[{}] {}", told.label, told.title)
    }

    fn scene<'a>(
        &'a self,
        roster: &'a Roster,
        book: &'a Book,
        ack_url: &'a str,
        now: Millis,
    ) -> Scene<'a> {
        Scene {
            roster,
            alerting: &self.alerting,
            book,
            zone: &self.zone,
            now,
            hit: &[],
            fine: &[],
            ack_url,
        }
    }

    /// Who is hit, as far as one vantage knows: of a service, not of a certificate or a trouble of
    /// our own.
    fn hit(&self, incident: &Incident) -> &[String] {
        match incident.thread {
            Thread::Service(_) => self.alerting.seen_from.as_slice(),
            _ => &[],
        }
    }

    /// The recipient's own link; empty where there is nobody, nothing to acknowledge, or no
    /// address that people can reach.
    fn ack_url(&self, incident: &Incident, delivery: &Delivery) -> String {
        let Some(base) = &self.alerting.public_url else { return String::new() };
        let asks = matches!(delivery.purpose, Purpose::Page | Purpose::Update);
        if !asks || !incident.is_open() || incident.ack.is_some() {
            return String::new();
        }
        let who = delivery.person.as_ref().map_or(delivery.channel.as_str(), |it| it.as_str());
        let link = Link {
            incident: incident.id.clone(),
            round: incident.escalation.round,
            who: who.to_owned(),
        };
        let token = self.links.token(&link);
        base.join(&format!("a/{token}")).map(String::from).unwrap_or_default()
    }
}

/// The built-in templates, and the operator's in their place. A fault in one is told and the
/// built-in one used: silence would be worse.
pub(super) fn templates(alerting: &Alerting) -> Templates {
    let Some(folder) = &alerting.templates else { return Templates::default() };
    let (templates, faults) = Templates::of_folder(folder);
    for fault in faults {
        warn!(folder = %folder.display(), %fault, "the built-in template is used instead");
    }
    templates
}
