//! `thongsuot demo`: the real daemon over a small country on loopback, offline.

mod country;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use self::country::{Addresses, Country};

/// A running demo: its servers, and the configuration that watches them.
#[derive(Debug)]
pub struct Demo {
    country: Country,
    config: PathBuf,
}

impl Demo {
    /// Starts the servers and writes `targets.toml` and the demo's root certificate to `folder`.
    /// `listen` is where the daemon will serve; `now_s` is the time in seconds since 1970.
    ///
    /// # Errors
    ///
    /// If a port, a certificate or a file can't be had.
    pub async fn start(folder: &Path, listen: &str, now_s: i64) -> io::Result<Self> {
        let country = Country::start(now_s).await?;
        let root = folder.join("demo-root.pem");
        let config = folder.join("targets.toml");
        std::fs::write(&root, &country.root_pem)?;
        std::fs::write(&config, targets(country.addresses, listen))?;
        Ok(Self { country, config })
    }

    /// The configuration that watches the demo.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Ends the servers.
    pub async fn stop(self) {
        self.country.stop().await;
    }
}

/// One row of the demo: a system with one check.
struct Row {
    id: &'static str,
    owner: &'static str,
    name: &'static str,
    check: String,
}

/// The configuration: the same format that the real thing reads.
fn targets(at: Addresses, listen: &str) -> String {
    let mut text = format!(
        "# Written by `thongsuot demo`. Every address is a server of the demo on loopback.\n\
         [monitor]\nlisten = \"{listen}\"\ndata = \"data\"\nvantage = \"demo\"\n\
         timezone = \"Asia/Ho_Chi_Minh\"\nextra_roots = [\"demo-root.pem\"]\n\
         per_host_per_minute = 6000\n"
    );
    for (id, name) in [("bca", "Bộ Công an"), ("btp", "Bộ Tư pháp"), ("btc", "Bộ Tài chính")]
    {
        let _ = write!(text, "\n[[owner]]\nid = \"{id}\"\nname = \"{name}\"\n");
    }
    for row in rows(at) {
        let Row { id, owner, name, check } = row;
        let _ = write!(
            text,
            "\n[[system]]\nid = \"{id}\"\nowner = \"{owner}\"\nname = \"{name}\"\n\
             objective = \"99.9%\"\n\n[[system.check]]\nid = \"{id}-check\"\n{check}\n\
             interval = \"2s\"\ntimeout = \"1500ms\"\n"
        );
    }
    text
}

fn rows(at: Addresses) -> Vec<Row> {
    let http = |address, more: &str| {
        format!(
            "kind = \"http\"\nurl = \"http://{address}/\"\n{more}\
             expect = {{ status = [200], body_contains = [\"Xin chào\"] }}"
        )
    };
    let row = |id, owner, name, check| Row { id, owner, name, check };
    vec![
        row("vneid", "bca", "VNeID (trả lời tốt)", http(at.healthy, "")),
        row("thue", "btc", "Thuế điện tử (chậm)", http(at.slow, "slow = \"400ms\"\n")),
        row("lltp", "bca", "Lý lịch tư pháp (treo)", http(at.hanging, "")),
        row("hotich", "btp", "Hộ tịch (lúc được lúc không)", http(at.flaky, "")),
        row(
            "dkkd",
            "btc",
            "Đăng ký kinh doanh (chứng thư sắp hết hạn)",
            format!(
                "kind = \"http\"\nurl = \"https://localhost:{}/\"\nip = \"v4\"\n\
                 expect = {{ body_contains = [\"Xin chào\"], cert_days = 14 }}",
                at.expiring.port()
            ),
        ),
        row("gplx", "bca", "Giấy phép lái xe (từ chối kết nối)", http(at.refused, "")),
        row("nsw", "btc", "Một cửa quốc gia (sau tường lửa)", http(at.walled, "")),
        row(
            "thu",
            "btp",
            "Thư điện tử công vụ (hội thoại TCP)",
            format!(
                "kind = \"tcp\"\naddress = \"{}\"\n\
                 dialogue = [{{ expect = \"^220 \" }}, {{ send = \"QUIT\\r\\n\" }}, {{ expect = \"^221 \" }}]",
                at.mail
            ),
        ),
    ]
}
