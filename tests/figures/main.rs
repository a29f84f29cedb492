//! The figures, judged from outside: a slow reference written from `docs/measurement.md` alone,
//! scripted services whose truth is known, and what must hold between them.
#![cfg(test)]

mod reference;
mod brute;
mod simulate;
mod truth;
mod invariants;
mod examples;
mod compare;
