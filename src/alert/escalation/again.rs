//! An escalation that reached nobody: every message of it was refused for good. It must not end
//! so: somebody mends a channel, or a gateway that refused all is itself again.

use crate::alert::book::Incident;
use crate::model::time::Millis;

use super::steps::again_ms;
use super::{Run, What};

impl Run<'_> {
    /// After the last place: if no page of this round has left or still can, the round is to be
    /// followed by another, with keys of its own, after a pause that grows from time to time.
    pub(super) fn begin_again(&mut self, incident: &mut Incident) {
        let escalation = &mut incident.escalation;
        let pages: Vec<_> = self.sent.pages(escalation.round).collect();
        let all_dead = !pages.is_empty() && pages.iter().all(|it| self.is_dead(it));
        if escalation.next.is_some() || !all_dead || !self.decided.new.is_empty() {
            return;
        }
        let times = escalation.fruitless.saturating_add(1);
        escalation.fruitless = times;
        escalation.round = escalation.round.saturating_add(1);
        (escalation.turn, escalation.step, escalation.fell_back) = (0, 0, false);
        escalation.next = Some(self.now.plus_ms(again_ms(times)));
        self.happen(incident, What::Unreached { times });
    }
}

/// The configuration has changed: an escalation that reached nobody so far and pauses is tried at
/// once, since what was wrong may be mended.
pub fn try_at_once(incident: &mut Incident, now: Millis) {
    let escalation = &mut incident.escalation;
    let pauses = escalation.fruitless > 0 && (escalation.turn, escalation.step) == (0, 0);
    if pauses && incident.closed.is_none() {
        escalation.next = escalation.next.map(|it| it.min(now));
    }
}
