//! What a dialogue has said and heard so far, whatever carries it.

use super::template::{ADDED_BYTES_MAX, Match, expand, fill};
use crate::model::how::How;
use crate::model::kept::{DialogueKept, Kept, Unmet};
use crate::model::observation::Detail;
use crate::model::reason::Reason;
use crate::model::spec::Line;
use crate::model::text::Pattern;
use crate::probe::screen;
use crate::probe::stopwatch::Fault;

/// The memory of a dialogue.
#[derive(Debug, Default)]
pub(in crate::probe) struct Talk {
    last: Match,
    kept: DialogueKept,
}

impl Talk {
    /// What is sent for `line`; nothing for lines that send nothing.
    ///
    /// # Errors
    ///
    /// `dialogue_mismatch` if what was heard makes it too long.
    pub(in crate::probe) fn says(&self, line: &Line) -> Result<Vec<u8>, Fault> {
        let said = match line {
            Line::Send(written) => fill(written, &self.last),
            Line::SendExpanded(written) => expand(written, &self.last),
            _ => Some(Vec::new()),
        };
        said.ok_or_else(|| too_long("what is sent"))
    }

    /// Whether `pattern` matches `text`, which is shown in any case. A match is remembered.
    pub(in crate::probe) fn hears(
        &mut self,
        pattern: &Pattern,
        text: &[u8],
        detail: &mut Detail,
    ) -> bool {
        shows(text, detail);
        match Match::of(pattern, text) {
            Some(found) => {
                self.last = found;
                true
            }
            None => false,
        }
    }

    /// Keeps what the template `value` makes of the last match under `name`.
    ///
    /// # Errors
    ///
    /// `dialogue_mismatch` if it is too long.
    pub(in crate::probe) fn labels(&mut self, name: &str, value: &[u8]) -> Result<(), Fault> {
        let value = expand(value, &self.last).ok_or_else(|| too_long("a label"))?;
        let value = String::from_utf8_lossy(&value).into_owned();
        self.kept.labels.push((name.to_owned(), value));
        Ok(())
    }

    /// The dialogue ends for want of this.
    pub(in crate::probe) const fn misses(&mut self, what: Unmet) {
        self.kept.unmet = Some(what);
    }

    /// The connection has become a WebSocket.
    pub(in crate::probe) const fn upgraded(&mut self) {
        self.kept.upgraded = true;
    }

    /// What is left of the dialogue, if `how` asks for it.
    pub(in crate::probe) fn kept(&mut self, how: How) -> Option<Box<Kept>> {
        how.keep.then(|| Box::new(Kept::Dialogue(std::mem::take(&mut self.kept))))
    }
}

/// Shows `text` as a line of the answer. Of many, the last ones explain a failure.
pub(in crate::probe) fn shows(text: &[u8], detail: &mut Detail) {
    if detail.answer.len() == screen::LINES_MAX {
        detail.answer.remove(0);
    }
    detail.answer.push(screen::line(text));
}

fn too_long(what: &str) -> Fault {
    let why = format!("groups add more than {ADDED_BYTES_MAX} bytes to {what}");
    Fault::new(Reason::DialogueMismatch, why)
}
