//! The configuration of blackbox_exporter, read strictly: what its modules say, or all that is
//! wrong with them.

pub mod cel;
pub mod fault;
pub mod module;
pub mod no_proxy;

pub use fault::Fault;
pub use module::{Module, Modules, Prober};
