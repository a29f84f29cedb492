//! What people read: an incident put into words, by templates.
//!
//! [`told`] puts an incident into words with nothing left to look up, [`Templates`] makes
//! messages of it. Whatever a server said is tamed before a template sees it, escaped by the
//! HTML ones, and never longer than a line.

mod filters;
mod plain;
mod samples;
mod scene;
mod tame;
mod templates;
mod told;
mod words;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use plain::{SHORT_CHARS_MAX, short, unaccented};
pub use scene::Scene;
pub use templates::{BUNDLE_MAX, NAMES, TemplateFault, Templates};
pub use told::{CHECKS_MAX, PARTS_MAX, Told, ToldCheck, ToldSaid, told};

pub(in crate::alert) use filters::{LINKS, engine};

/// A message, ready to be sent over any channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Idempotency key of the delivery. Rendering leaves it empty: whoever sends fills it in.
    pub key: String,
    /// The incident's number, which threads messages: `SC-2026-0012`. Of several incidents: the first.
    pub incident: String,
    /// `page`, `ticket`, `acknowledged`, `update`, `resolved`.
    pub purpose: String,
    /// `page`, `ticket`, `info`.
    pub severity: String,
    /// One line: `[GIÁN ĐOẠN] VNeID: từ 08:14 ngày 23/11`.
    pub subject: String,
    /// Plain text, several lines.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// One line without accents, at most 160 characters of GSM 03.38: for an SMS.
    pub short: String,
    /// Acknowledge link of the recipient; empty: none, or several in the text.
    pub ack_url: String,
    /// Link to the incident; empty: none.
    pub incident_url: String,
    /// Name of the system, or of what it is about.
    pub system: String,
    /// Every address in the text that is the operator's or ours, and may be followed.
    #[serde(skip)]
    pub links: Vec<String>,
}

/// `text` of others as one short line that steers nothing.
pub(in crate::alert) fn tamed(text: &str) -> String {
    tame::piece(text)
}

/// `text` cut to `max` characters, after a word.
pub(in crate::alert) fn cut(text: &str, max: usize) -> String {
    tame::cut(text, max)
}
