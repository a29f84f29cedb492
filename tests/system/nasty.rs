//! Probes against servers that misbehave on purpose, all on loopback.
//!
//! Every run here goes through [`bench::Bench::probe`], which also holds it to what no run may
//! break: its phases, its deadline, its memory.

mod bench;
mod server;
mod pki;
mod dns;

mod broken;
mod tls;
mod openssl;
mod unexpected;
mod http;
mod two;
mod server3;
mod three;
mod names;
mod way;
mod strange;
mod starttls;
mod cost;
mod reasons;
mod rival;
