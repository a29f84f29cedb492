//! What a period comes to: figures by system, check and vantage, incidents and maintenance.

pub mod contract;
