//! What the figures mean: states, outages, months and budgets, from results alone.
//!
//! Pure: no input or output, no clock, no async, no randomness, and integers until a figure is
//! printed. `docs/measurement.md` is the definition of everything here; each file names the
//! heading that it implements. The live side ([`live`]: alerts and metrics) and the batch side
//! ([`judge`]: reports) share [`sample`], [`confirm`] and [`combine`], so they say the same.
//!
//! ```text
//! results -> sample (how far each speaks) -> confirm (which are an outage)
//!              |-> live    the present state, one result at a time
//!              `-> track   the whole course: alone or quorum, lanes, system
//!                    |-> incident, burn
//!                    `-> figures of a period: calendar, hours and maintenance say what is judged
//! ```

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

#[cfg(test)]
mod slow;
