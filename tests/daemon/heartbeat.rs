//! Beats that an owner pushes: taken over HTTP, missed when they stop, forgiven after a restart.

use crate::harness::{Daemon, Folder, ask_with, config, until};

const JOB: &str = "[[system]]\nid = \"job\"\nowner = \"bca\"\nname = \"Đồng bộ đêm\"\n\n\
    [[system.check]]\nid = \"job\"\nkind = \"heartbeat\"\ntoken = { file = \"beat-token\" }\n\
    max_age = \"3s\"\ninterval = \"1s\"\n";

fn beat(daemon: &Daemon, token: &str) -> u16 {
    let header = format!("Authorization: Bearer {token}\r\n");
    ask_with(daemon.address, "POST", "/api/v1/heartbeats/job", &header).unwrap().0
}

#[test]
fn beats_keep_a_check_up_their_end_is_down_and_a_restart_blames_nobody() {
    let folder = Folder::with(&config("", &[JOB.to_owned()]));
    let token = "nhip-dap-0123456789abcdef";
    std::fs::write(folder.path().join("beat-token"), token).unwrap();
    let mut daemon = folder.start();
    daemon.until_state("job", "unknown heartbeat_waiting");
    assert_eq!(beat(&daemon, "sai-0123456789abcdef0123"), 401);
    assert_eq!(ask_with(daemon.address, "POST", "/api/v1/heartbeats/none", "").unwrap().0, 401);
    until("beats make it up", || {
        assert_eq!(beat(&daemon, token), 200);
        (daemon.state("job") == "up").then_some(())
    });
    daemon.until_state("job", "down heartbeat_late");
    assert_eq!(beat(&daemon, token), 200);
    daemon.until_state("job", "up");

    assert_eq!(daemon.terminate(), 0);
    let daemon = folder.start();
    until("the first result after the restart", || {
        let last = daemon.check("job")["last"]["reason"].clone();
        (last == "heartbeat_waiting").then_some(())
    });
}
