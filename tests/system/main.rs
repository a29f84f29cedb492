//! Tests of whole parts, over files and sockets: one binary, so that it links once.

mod history;
