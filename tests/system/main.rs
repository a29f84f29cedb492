//! Tests of the parts against real sockets, files and processes.

#![expect(clippy::expect_used, reason = "a test whose surroundings are not sound has failed")]

mod nasty;
