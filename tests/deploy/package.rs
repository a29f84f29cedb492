//! The Debian package, made around the binary under test.

use std::fs;

use crate::harness::{BINARY, Folder, is_installed};
use crate::{project, run, said, skip};

#[test]
fn the_package_has_what_it_should_and_keeps_what_the_operator_wrote() {
    for program in ["dpkg-deb", "objdump", "git"] {
        if !is_installed(program) {
            return skip::skip("the Debian package", &format!("no {program}"));
        }
    }
    let folder = Folder::new();
    let out = folder.path().join("out");
    let arguments = [
        "deploy/debian/build.sh",
        "--quick",
        "--binary",
        BINARY,
        "--output",
        out.to_str().unwrap(),
    ];
    let output = run("bash", &arguments);
    assert!(output.status.success(), "{}", said(&output));
    let package = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let name = package.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("thongsuot_{}_", env!("CARGO_PKG_VERSION"))), "{name}");

    let package = package.to_str().unwrap();
    let list = said(&run("dpkg-deb", &["--contents", package]));
    for path in [
        "./usr/bin/thongsuot",
        "./lib/systemd/system/thongsuot.service",
        "./usr/lib/sysusers.d/thongsuot.conf",
        "./usr/lib/sysctl.d/50-thongsuot.conf",
        "./etc/thongsuot/targets.toml",
        "./etc/thongsuot/targets.d/10-cong-an.toml",
        "./usr/share/doc/thongsuot/install.md",
        "./usr/share/doc/thongsuot/copyright",
        "./usr/share/man/man1/thongsuot.1.gz",
        "./usr/lib/thongsuot/backup.sh",
    ] {
        assert!(list.lines().any(|it| it.ends_with(path)), "{path}: {list}");
    }
    let secrets = list.lines().find(|it| it.ends_with("./etc/thongsuot/secrets/")).unwrap();
    assert!(secrets.starts_with("drwx------ root/root"), "{secrets}");

    let inside = folder.path().join("inside");
    let inside = inside.to_str().unwrap();
    assert!(run("dpkg-deb", &["--raw-extract", package, inside]).status.success());
    let conffiles = fs::read_to_string(format!("{inside}/DEBIAN/conffiles")).unwrap();
    assert!(conffiles.contains("/etc/thongsuot/targets.toml\n"), "{conffiles}");
    assert_eq!(conffiles.lines().count(), fs::read_dir(project("targets.d")).unwrap().count() + 1);
    let config = fs::read_to_string(format!("{inside}/etc/thongsuot/targets.toml")).unwrap();
    assert!(config.contains("\ndata = \"/var/lib/thongsuot\"\n"));
    let (code, told, error) =
        folder.run(&["check", &format!("{inside}/etc/thongsuot/targets.toml")]);
    assert_eq!((code, error.as_str()), (0, ""), "{told}");
    for script in ["postinst", "prerm", "postrm"] {
        let text = fs::read_to_string(format!("{inside}/DEBIAN/{script}")).unwrap();
        let starts = text.contains("enable --now thongsuot.service") || text.contains(" start ");
        assert!(!starts, "{script}: nobody is watched before a person says so");
    }
}
