//! What the figures mean: states, outages, months and budgets, from results alone.
//!
//! Pure: no input or output, no clock, no async, no randomness, and integers until a figure is
//! printed. `docs/measurement.md` is the definition of everything here; each file names the
//! heading that it implements. The live side ([`live`]: alerts and metrics) and the batch side
//! (reports) share [`sample`], [`confirm`] and [`combine`], so they say the same.
//!
//! Read in this order: [`sample`] (how far a result speaks), [`confirm`] (what makes an outage),
//! [`combine`] (lanes and systems), [`live`].

pub mod sample;
pub mod confirm;
pub mod segment;
pub mod timeline;
pub mod span_set;
pub mod combine;
pub mod track;
pub mod incident;
pub mod maintenance;
pub mod figures;
pub mod calendar;
pub mod hours;
pub mod burn;
pub mod latency;
pub mod number;
pub mod judge;
pub mod live;

#[cfg(test)]
pub(crate) mod sketch;

#[cfg(test)]
mod invariants;

#[cfg(test)]
mod truth;
