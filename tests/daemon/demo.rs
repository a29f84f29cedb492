//! `thongsuot demo` shows what it says.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::harness::{Daemon, Folder, within};

/// Each system, and the states that are right for it.
const STATES: [(&str, &[&str]); 8] = [
    ("vneid", &["up "]),
    ("thue", &["slow over_slow"]),
    ("lltp", &["down timeout_wait"]),
    ("hotich", &["up ", "down http_status"]),
    ("dkkd", &["down tls_expires_soon"]),
    ("gplx", &["down connect_refused"]),
    ("nsw", &["unknown waf_block"]),
    ("thu", &["up "]),
];

#[test]
fn within_a_minute_each_service_of_the_demo_stands_as_its_name_says() {
    let folder = Folder::new();
    let from = Instant::now();
    let command = folder.command(&["demo", "--listen", "127.0.0.1:0", "--folder", "demo"]);
    let mut daemon = Daemon::ready(command, folder.path());
    let standing = || -> Vec<String> {
        let country = daemon.json("/api/v1/systems");
        let of = |id: &str| {
            let systems = country["systems"].as_array().unwrap();
            let system = systems.iter().find(|it| it["id"] == id).unwrap();
            let word = |key: &str| system[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", word("state"), word("reason"))
        };
        STATES.iter().map(|(id, _)| of(id)).collect()
    };
    let mut seen = Vec::new();
    within(Duration::from_mins(1), "every state is settled", || {
        seen = standing();
        let right = |(at, it): (usize, &String)| STATES[at].1.contains(&it.as_str());
        let all = seen.iter().enumerate().all(right);
        if !all {
            eprintln!("{seen:?}");
        }
        all.then_some(())
    });
    println!("settled after {:.1} s: {seen:?}", from.elapsed().as_secs_f64());
    let outcomes = |outcome: &str| {
        daemon.results("hotich-check").0.iter().filter(|it| it["outcome"] == outcome).count()
    };
    within(Duration::from_mins(1), "the flaky one has been both", || {
        (outcomes("ok") > 0 && outcomes("error") > 0).then_some(())
    });
    let page = daemon.get("/").unwrap().1;
    assert!(page.contains("Thuế điện tử (chậm)"), "{page}");

    daemon.process.signal(Signal::INT);
    assert_eq!(daemon.process.end(), 0);
    let log = daemon.process.log();
    assert!(log.contains("eight e-services on loopback"), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let (code, out, _) = folder.run(&["verify", "--data", "demo/data"]);
    assert_eq!(code, 0, "{out}");
}
