//! Alerts: from what is true now to a person who answers.
//!
//! What is decided is pure and kept apart from how it is delivered:
//!
//! ```text
//! Facts (what is true now) -> rules -> Conditions -> step -> Book (incidents) + notices
//! Book + rota + escalation + time -> Deliveries -> outbox -> channels (e-mail, HTTP)
//! Book -> Alertmanager, state-based
//! ```
//!
//! The facts are levels, not edges: a restart, a lost event or a reload changes nothing of what
//! is true, so nothing is forgotten. The book and the deliveries are kept in the history as
//! documents, changed together or not at all.

pub mod facts;
pub mod condition;
pub mod book;
pub mod rules;
pub mod root;
pub mod step;
pub mod delivery;
pub mod outbox;
pub mod link;
pub mod message;
pub mod channel;
mod index;
pub mod rota;
pub mod escalation;
#[cfg(test)]
mod sketch;

/// The word that stands for a variant in files, labels and the API.
#[must_use]
pub fn word(variant: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(variant).ok();
    word.as_ref().and_then(|it| it.as_str()).unwrap_or("unknown").to_owned()
}
