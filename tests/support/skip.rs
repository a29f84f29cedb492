//! Tests that can't be run here are named where whoever runs the tests looks.

use std::io::Write;

/// Names `test` and why it is skipped: on standard error, and in the file that `tests/all` reads.
pub(crate) fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os("THONGSUOT_SKIPPED") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
