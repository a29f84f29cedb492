//! A sync that fails: nothing is acknowledged, the file is opened anew, nothing is lost.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use thongsuot::history::{History, HistoryError, Reader, verify};

use super::sample::{NEW_YEAR, read_all, records, result, settings};

const FOLDER: &str = "THONGSUOT_TEST_SYNC_FOLDER";

/// Put before the C library: fails like a broken disk while the file named by `SYNC_FAULT` is
/// there.
const SHIM: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int broken(void) {
    const char *flag = getenv("SYNC_FAULT");
    if (!flag || access(flag, F_OK) != 0) return 0;
    errno = EIO;
    return 1;
}
int fsync(int fd) { return broken() ? -1 : syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return broken() ? -1 : syscall(SYS_fdatasync, fd); }
"#;

/// The writer, in a process with the shim.
#[test]
#[ignore = "is run by the test below, in a process of its own"]
fn writer_on_a_broken_disk() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let flag = std::env::var_os("SYNC_FAULT").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(write_through_a_fault(Path::new(&folder), Path::new(&flag)));
}

async fn write_through_a_fault(folder: &Path, flag: &Path) {
    let history = History::open(settings(folder), None).unwrap();
    let part = |n: i64| -> Vec<_> {
        (n * 100..n * 100 + 100).map(|i| result("a", NEW_YEAR + i * 1_000)).collect()
    };
    history.append(records(&part(0))).await.unwrap();
    history.flush().await.unwrap();
    fs::write(flag, "").unwrap();
    history.append(records(&part(1))).await.unwrap();
    for _ in 0..3 {
        let error = history.flush().await.unwrap_err();
        assert!(matches!(error, HistoryError::NotDurable { .. }), "{error}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert!(history.stats().failing >= 2, "{:?}", history.stats());
    history.append(records(&part(2))).await.unwrap();
    fs::remove_file(flag).unwrap();
    while history.flush().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    history.append(records(&part(3))).await.unwrap();
    history.close().await.unwrap();
    println!("recovered");
}

#[test]
fn a_failed_sync_is_not_believed_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (source, shim) = (folder.path().join("shim.c"), folder.path().join("shim.so"));
    fs::write(&source, SHIM).unwrap();
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).output();
    if !compiled.as_ref().is_ok_and(|it| it.status.success()) {
        let why = format!("no C compiler to make failing syncs with: {compiled:?}");
        crate::skip::skip("a failed sync", &why);
        return;
    }
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "history::sync_fault::writer_on_a_broken_disk"])
        .args(["--ignored", "--nocapture"])
        .env("LD_PRELOAD", &shim)
        .env("SYNC_FAULT", folder.path().join("flag"))
        .env(FOLDER, OsString::from(&data))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("recovered"), "{output:?}");
    let expected: Vec<_> = (0..400).map(|i| result("a", NEW_YEAR + i * 1_000)).collect();
    assert_eq!(read_all(&Reader::open(&data).unwrap(), "a"), expected);
    assert!(verify(&data, |_| ()).unwrap().is_sound());
}
