//! Whole files, good and bad.

use super::*;

/// The file of the README.
const EXAMPLE: &str = r#"[monitor]
listen = "127.0.0.1:9247"
data = "var"
vantage = "hn-1"
timezone = "Asia/Ho_Chi_Minh"

[[owner]]
id = "bca"
name = "Bộ Công an"

[[system]]
id = "vneid"
owner = "bca"
name = "Định danh và xác thực điện tử (VNeID)"
objective = "99.9%"

[[system.check]]
id = "vneid-home"
kind = "http"
url = "http://127.0.0.1:18080/"
interval = "5s"
timeout = "2s"
slow = "500ms"
expect = { status = [200], body_contains = ["OK"], body_absent = ["Hệ thống đang bảo trì"] }
"#;

#[test]
fn the_example_is_a_configuration() {
    let config = parse_str("targets.toml", EXAMPLE).unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(config.monitor.vantage.as_str(), "hn-1");
    let check = config.roster.checks().next().unwrap();
    assert_eq!((check.interval_ms, check.timeout.0, check.confirm), (5_000, 2_000_000, 3));
    assert_eq!(check.slow.unwrap().whole_ms(), 500);
}

mod alerting;
mod mistakes;
mod files;
mod fuzz;
mod keys;
mod shown;
