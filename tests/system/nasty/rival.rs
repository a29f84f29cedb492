//! The same servers asked by blackbox_exporter (Debian's) and by our `/probe`, metric by metric.
//!
//! What must differ is named case by case, with the heading of `docs/blackbox.md` that explains
//! it; anything else that differs fails the test.

mod kit;
mod differ;
mod http;
mod tls;
mod others;
mod refused;
