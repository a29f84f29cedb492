//! Unit, containers and manifests.

use std::fs;
use std::os::unix::fs::symlink;

use thongsuot::config;

use crate::harness::{BINARY, Daemon, Folder, is_installed, until};
use crate::{lint, lonely, project, run, said, skip};

/// Highest exposure of the unit by `systemd-analyze security`: 0 is none, 10 is all.
const EXPOSURE_MAX: f64 = 2.0;

#[test]
fn the_unit_is_hardened() {
    if !is_installed("systemd-analyze") {
        return skip::skip("the unit is hardened", "no systemd-analyze");
    }
    let unit = "deploy/systemd/thongsuot.service";
    let output = run("systemd-analyze", &["security", "--offline=true", "--no-pager", unit]);
    let told = said(&output);
    let score = told.split("thongsuot.service: ").nth(1).and_then(|it| it.split(' ').next());
    let score: f64 = score.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{told}"));
    assert!(score <= EXPOSURE_MAX, "{told}");
}

#[test]
fn the_unit_says_what_the_daemon_needs() {
    let unit = fs::read_to_string(project("deploy/systemd/thongsuot.service")).unwrap();
    for line in [
        "Type=notify",
        "WatchdogSec=60s",
        "StateDirectory=thongsuot",
        "User=thongsuot",
        "Restart=always",
        "RestartPreventExitStatus=64 78",
        "LoadCredential=secrets:/etc/thongsuot/secrets",
    ] {
        assert!(unit.lines().any(|it| it == line), "{line}");
    }
    let user = fs::read_to_string(project("deploy/systemd/thongsuot.sysusers")).unwrap();
    assert!(user.contains("\nu thongsuot "), "{user}");
}

#[test]
fn compose_is_pinned_closed_and_without_a_default_password() {
    lint("compose", "deploy/compose/compose.yml");
}

#[test]
fn the_prometheus_of_compose_is_one() {
    if !is_installed("promtool") {
        return skip::skip("the Prometheus of compose", "no promtool");
    }
    // The token and the rules are at other places there.
    let folder = Folder::new();
    let here = folder.path().to_str().unwrap();
    let text = fs::read_to_string(project("deploy/compose/prometheus.yml")).unwrap();
    fs::write(folder.path().join("thongsuot-token"), "thu").unwrap();
    fs::write(folder.path().join("rules.yml"), "groups: []\n").unwrap();
    let path = folder.path().join("prometheus.yml");
    fs::write(&path, text.replace("/run/secrets", here)).unwrap();
    let output = run("promtool", &["check", "config", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
}

/// Loads a configuration for containers, whose secrets are elsewhere here.
#[track_caller]
fn loads(text: &str) {
    let folder = Folder::new();
    fs::write(folder.path().join("token"), "thu").unwrap();
    let here = folder.path().to_str().unwrap();
    let text = text
        .replace("/run/secrets/thongsuot-token", &format!("{here}/token"))
        .replace("/run/secrets/thongsuot/token", &format!("{here}/token"));
    folder.write(&text);
    let config = config::load(&folder.path().join("targets.toml"), &|_| None);
    let config = config.unwrap_or_else(|it| panic!("{it}"));
    for check in config.roster.checks() {
        let host = check.spec.host().unwrap();
        let inside = !host.contains('.') || host == "kubernetes.default.svc";
        assert!(inside, "{host}: by default nobody outside is watched");
    }
}

#[test]
fn containers_begin_by_watching_their_neighbours_only() {
    loads(&fs::read_to_string(project("deploy/compose/thongsuot/targets.toml")).unwrap());
}

#[test]
fn manifests_fit_together_and_are_restricted() {
    if !run("python3", &["-c", "import kubernetes_validate"]).status.success() {
        skip::skip("manifests against Kubernetes' schema", "no module kubernetes_validate");
    }
    let Some(data) = lint("kubernetes", "deploy/kubernetes") else { return };
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    loads(data["targets.toml"].as_str().unwrap());
}

/// A large history makes a start long, and somebody saves meanwhile.
#[test]
fn a_configuration_that_changes_during_the_start_is_taken_over() {
    let folder = Folder::new();
    let (path, data) = (folder.path().join("targets.toml"), folder.path().join("var"));
    fs::write(&path, lonely()).unwrap();
    let command = folder.command(&["run", "--data", data.to_str().unwrap()]);
    let daemon = std::thread::scope(|scope| {
        // The lock is taken once the configuration has been read.
        scope.spawn(|| {
            until("the folder is locked", || data.join("history.lock").exists().then_some(()));
            fs::write(&path, lonely().replace("\"a\"", "\"other\"")).unwrap();
        });
        Daemon::ready(command, folder.path())
    });
    until("the new file is in force", || {
        daemon.get("/api/v1/checks/other").filter(|(status, _)| *status == 200)
    });
}

/// Kubernetes puts a folder with the new files in the place of the old one, behind a link.
#[test]
fn a_configuration_that_kubernetes_swaps_is_taken_over() {
    let folder = Folder::new();
    let version = |name: &str, text: &str| {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("targets.toml"), text).unwrap();
    };
    version("..1", &lonely());
    // Of another length: two files of the same instant are the same at a glance.
    version("..2", &lonely().replace("\"a\"", "\"other\""));
    symlink("..1", folder.path().join("..data")).unwrap();
    symlink("..data/targets.toml", folder.path().join("targets.toml")).unwrap();
    let data = folder.path().join("var");
    let command = folder.command(&["run", "--data", data.to_str().unwrap()]);
    let daemon = Daemon::ready(command, folder.path());
    assert_eq!(daemon.check("a")["id"], "a");

    symlink("..2", folder.path().join("..data_tmp")).unwrap();
    fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
    until("the new file is in force", || {
        daemon.get("/api/v1/checks/other").filter(|(status, _)| *status == 200)
    });
}

#[test]
fn the_health_check_of_the_image_says_yes_and_no() {
    let folder = Folder::with(&lonely());
    let mut daemon = folder.start();
    let url = format!("http://{}", daemon.address);
    for arguments in [vec!["healthy", "--url", &url], vec!["healthy", "--ready", "--url", &url]] {
        let (code, out, error) = folder.run(&arguments);
        let word = if arguments.contains(&"--ready") { "ready\n" } else { "healthy\n" };
        assert_eq!((code, out.as_str(), error.as_str()), (0, word, ""));
    }
    assert_eq!(daemon.terminate(), 0);
    let (code, out, error) = folder.run(&["healthy", "--url", &url]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(error.contains("no answer from"), "{error}");
}

#[test]
fn the_dockerfile_keeps_its_promises() {
    let file = fs::read_to_string(project("Dockerfile")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        "USER 65532:65532",
        "VOLUME [\"/var/lib/thongsuot\"]",
        "EXPOSE 9247",
        "FROM scratch",
        "  CMD [\"/usr/bin/thongsuot\", \"healthy\"]",
        &format!("ARG VERSION={version}"),
    ] {
        assert!(file.lines().any(|it| it == line), "{line}");
    }
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(file.contains(&format!("rust:{rust}-bookworm")), "the Rust of Cargo.toml");
    for (name, text) in [
        ("compose/compose.yml", format!("image: thongsuot:{version}")),
        ("kubernetes/statefulset.yaml", format!("/thongsuot:{version}")),
    ] {
        let file = fs::read_to_string(project("deploy").join(name)).unwrap();
        assert!(file.contains(&text), "{name}: {text}");
    }
    assert!(BINARY.ends_with("thongsuot"));
}
