//! The wall clock was set back: what was noted ahead of the time now is moved to when it was by
//! the clock that counts from here on.

use crate::availability::judge::Reach;
use crate::availability::sample::Sample;
use crate::availability::segment::Segment;
use crate::model::span::Span;
use crate::model::time::Millis;

use super::{Carry, LiveLane};

impl LiveLane {
    /// The clock was set by `by_ms`, which is negative, and says `now`. Results ahead of `now`
    /// are moved by it, and older ones as far as those would else no longer come after them:
    /// their order and all that they confirm stay. What lies farther back stays where the record
    /// has it.
    pub(in crate::availability::live) fn set_back(&mut self, by_ms: i64, now: Millis) {
        let mut from = now.plus_ms(1);
        let mut earliest_moved = from;
        let mut stays = 0;
        for (index, entry) in self.entries.iter_mut().enumerate().rev() {
            if entry.sample.at < from {
                stays = index + 1;
                break;
            }
            earliest_moved = entry.sample.at;
            entry.sample = moved(entry.sample, by_ms);
            from = entry.sample.at;
        }
        for backoff in self.backoffs.iter_mut().filter(|it| it.at >= earliest_moved) {
            backoff.at = backoff.at.plus_ms(by_ms);
        }
        self.backoffs.sort_unstable();
        if stays == 0 && self.begins.is_some_and(|it| it >= from) {
            self.begins = self.begins.map(|it| it.plus_ms(by_ms));
            self.carry = self.carry.and_then(|it| moved_end(it, by_ms, now));
        }
        // An interval that changed at an instant ahead of now is in force now.
        self.reach = Reach::constant(self.rule.reach_ms);
        self.recount();
    }
}

fn moved(sample: Sample, by_ms: i64) -> Sample {
    let Sample { at, ended, held_to, .. } = sample;
    Sample {
        at: at.plus_ms(by_ms),
        ended: ended.plus_ms(by_ms),
        held_to: held_to.plus_ms(by_ms),
        ..sample
    }
}

/// The state before the first result, whose end moves with that. Its start stays if it can.
fn moved_end(carry: Carry, by_ms: i64, now: Millis) -> Option<Carry> {
    let Segment { span, state } = carry.segment;
    let (start, end) = (span.start(), span.end().plus_ms(by_ms));
    let stays = start <= now && start < end;
    let span = Span::new(if stays { start } else { start.plus_ms(by_ms) }, end)?;
    Some(Carry { segment: Segment { span, state }, ..carry })
}
