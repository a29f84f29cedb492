//! What people say of an incident: "I have it" (tiếp nhận), "it is over" (đóng sự cố).

use crate::alert::book::{Ack, Incident};
use crate::model::time::Millis;

/// Why an incident can't be taken on or closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Somebody has it.
    #[error("{} has it already", .0.by)]
    AlreadyAcked(Ack),
    /// It is over.
    #[error("it is closed already")]
    Closed,
}

/// Somebody takes an incident on: from now nobody is paged for it, until `ack_timeout_ms` later.
/// `by`: a person's id, or what they call themselves; `via`: `link`, `api`, `cli`.
///
/// # Errors
///
/// [`NotTaken`] if somebody else has it or it is closed; whoever has it already may say so
/// again, which changes nothing.
pub fn acknowledge(
    incident: &mut Incident,
    by: &str,
    via: &str,
    now: Millis,
) -> Result<(), NotTaken> {
    if !incident.is_open() {
        return Err(NotTaken::Closed);
    }
    match &incident.ack {
        Some(ack) if ack.by == by => return Ok(()),
        Some(ack) => return Err(NotTaken::AlreadyAcked(ack.clone())),
        None => {}
    }
    incident.ack = Some(Ack { at: now, by: by.to_owned(), via: via.to_owned() });
    incident.escalation.next = None;
    incident.note(now, "acked", format!("{by} ({via})"));
    Ok(())
}
