//! The disk of the data folder is full: measuring goes on, and what waited is stored later.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::grid::every_slot_has_a_record;
use crate::harness::{Folder, check, config, millis, until};
use crate::server::{Manner, Server};
use crate::skip::skip;

/// A small file system of its own; unmounted with this value.
pub(crate) struct Tmpfs(PathBuf);

impl Tmpfs {
    pub(crate) fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at);
        mount.output().is_ok_and(|it| it.status.success()).then(|| Self(at.to_owned()))
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [64 << 10, 4 << 10, 1] {
            while file.write(&vec![1; size]).is_ok_and(|n| n > 0) {}
        }
        path
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_no_probe_and_loses_no_slot_and_it_recovers_by_itself() {
    let folder = Folder::new();
    let Some(disk) = Tmpfs::mount(&folder.path().join("var"), "4m") else {
        return skip("a full disk", "a tmpfs can't be mounted: not root");
    };
    let mut good = Server::start();
    let broken = Server::with(Manner::Broken);
    let keys = "interval = \"1s\"\ntimeout = \"1s\"";
    let mut checks: Vec<String> =
        (0..10).map(|at| check(&format!("c{at}"), good.address(), keys)).collect();
    checks.push(check("broken", broken.address(), keys));
    folder.write(&config("", &checks));
    let mut daemon = folder.start();
    daemon.until_state("c0", "up");

    let filler = disk.fill();
    let said = until("/-/ready says that results can't be stored", || {
        daemon.get("/-/ready").filter(|(status, _)| *status == 503)
    });
    println!("/-/ready: {}", said.1.trim());
    assert!(said.1.contains("wait in memory"), "{}", said.1);
    let total = "thongsuot_results_total{";
    let counted = daemon.metric_sum(total);
    until("probing and counting go on", || {
        (daemon.metric_sum(total) > counted + 60.0).then_some(())
    });
    assert!(daemon.metric("thongsuot_queue_length{queue=\"history\"}").unwrap() > 50.0);
    good.stop();
    daemon.until_state("c0", "down connect_refused");
    assert_eq!(daemon.get("/-/healthy").unwrap().0, 200);
    good.listen();
    daemon.until_state("c0", "up");

    std::fs::remove_file(filler).unwrap();
    until("it recovers by itself", || daemon.get("/-/ready").filter(|(status, _)| *status == 200));
    let last = millis(&daemon.check("c0")["next_due"]);
    for at in 0..10 {
        let id = format!("c{at}");
        until("a result after that", || {
            daemon.results(&id).0.iter().any(|it| millis(&it["due"]) > last).then_some(())
        });
        let (slots, in_spans) = every_slot_has_a_record(&daemon, &id);
        assert_eq!(in_spans, 0, "{id}: everything that waited fits in memory");
        assert!(slots > 10, "{id}: {slots}");
    }
    assert_eq!(daemon.terminate(), 0);
    assert!(daemon.process.log().contains("results are stored again"));
    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn a_data_folder_that_is_removed_is_noticed_and_used_again_when_it_is_back() {
    let good = Server::start();
    let keys = "interval = \"1s\"\ntimeout = \"1s\"";
    let folder = Folder::with(&config("", &[check("a", good.address(), keys)]));
    let mut daemon = folder.start();
    daemon.until_state("a", "up");
    let data = folder.path().join("var");
    std::fs::rename(&data, folder.path().join("moved")).unwrap();
    let ready = |status: u16| daemon.get("/-/ready").filter(|it| it.0 == status);
    until("/-/ready says that results can't be stored", || ready(503));
    let moved = daemon.check("a")["next_due"].clone();
    let count = good.requests();
    until("probing goes on", || (good.requests() > count + 2).then_some(()));

    std::fs::create_dir(&data).unwrap();
    until("it recovers by itself", || ready(200));
    until("what waited in memory is there", || {
        let (results, _) = daemon.results("a");
        (results.len() >= 3 && millis(&results[0]["due"]) <= millis(&moved)).then_some(())
    });
    every_slot_has_a_record(&daemon, "a");
    assert_eq!(daemon.terminate(), 0);
    for folder_of_data in ["var", "moved"] {
        let (code, out, _) = folder.run(&["verify", "--data", folder_of_data]);
        assert_eq!(code, 0, "{folder_of_data}: {out}");
    }
}
