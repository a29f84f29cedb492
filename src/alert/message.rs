//! What people read: an incident put into words, by templates.

use serde::Serialize;

/// A message, ready to be sent over any channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Idempotency key of the delivery.
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
    /// Acknowledge link of the recipient; empty: none.
    pub ack_url: String,
    /// Link to the incident; empty: none.
    pub incident_url: String,
    /// Name of the system, or of what it is about.
    pub system: String,
}
