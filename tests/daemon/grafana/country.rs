//! What the dashboards are shown: systems on loopback with three days of past, first well, then not.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::process::Signal;
use thongsuot::clock::Clock;
use thongsuot::demo::Demo;
use thongsuot::history::{History, Record, Settings};
use tokio::runtime::Runtime;

use crate::harness::{Daemon, Folder, until};
use crate::past;
use crate::server::{Manner, Server};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// How often the past was probed.
const STEP: i64 = MINUTE;

/// The outage that only the second daemon finds in its past: after the first began, so that burn rates of
/// every window see it.
const OUTAGE: (i64, i64) = (30 * MINUTE, 3 * MINUTE);

/// How long the process stands still: three intervals and more.
const STOPPED: Duration = Duration::from_secs(4);

pub(super) struct Country {
    pub(super) folder: Folder,
    runtime: Runtime,
    demo: Option<Demo>,
    /// Stand-ins: of the portal, of the sign-on, of a channel that works, of one that doesn't, of an
    /// Alertmanager and of the service that waits for signs of life.
    portal: Server,
    sign_on: Server,
    slow: Server,
    channel: Server,
    dead_channel: Server,
    other: Server,
    listen: SocketAddr,
    secure: String,
    begun: i64,
}

impl Country {
    pub(super) fn start() -> Self {
        let folder = Folder::new();
        let runtime = Runtime::new().unwrap();
        let begun = Clock::System.now().0;
        let place = folder.path().join("demo");
        std::fs::create_dir(&place).unwrap();
        let demo = runtime.block_on(Demo::start(&place, "127.0.0.1:0", begun / 1_000)).unwrap();
        let written = std::fs::read_to_string(demo.config()).unwrap();
        let secure = written.split('"').find(|it| it.starts_with("https://")).unwrap().to_owned();
        // Free a moment ago: the second daemon must be where the first was.
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let country = Self {
            runtime,
            demo: Some(demo),
            portal: Server::start(),
            sign_on: Server::start(),
            slow: Server::with(Manner::After(Duration::from_millis(300))),
            channel: Server::start(),
            dead_channel: Server::with(Manner::Broken),
            other: Server::start(),
            listen,
            secure,
            begun,
            folder,
        };
        std::fs::write(
            country.folder.path().join("beat"),
            format!("http://{}/", country.other.address()),
        )
        .unwrap();
        country.past(
            |at, from| {
                let outage = from.begun - OUTAGE.0..from.begun - OUTAGE.1;
                (!outage.contains(&at)).then_some(false)
            },
            true,
        );
        country
    }

    /// A daemon to which all is well.
    pub(super) fn healthy(&self) -> Daemon {
        self.folder.write(&self.config("1s", ""));
        self.folder.start()
    }

    /// Ends `daemon` and starts one that finds an outage in its past, its systems down, a channel dead, a
    /// rota with a hole, a system that says nothing, maintenance under way, and that stood still.
    pub(super) fn broken(&mut self, mut daemon: Daemon) -> Daemon {
        daemon.terminate();
        self.past(
            |at, from| {
                let outage = from.begun - OUTAGE.0..from.begun - OUTAGE.1;
                outage.contains(&at).then_some(true)
            },
            false,
        );
        self.portal.set(Manner::Broken);
        self.sign_on.stop();
        let more = "[[system]]\nid = \"im\"\nowner = \"vp\"\nname = \"Hệ thống im lặng\"\n\
             [[system.check]]\nid = \"im\"\nkind = \"heartbeat\"\ntoken = { file = \"beat\" }\n\
             max_age = \"1h\"\n\
             [[team]]\nid = \"trong\"\nname = \"Tổ chưa phân công\"\nlayer = [{ people = [\"an\"], start = \"2999-01-01\" }]\n";
        self.folder.write(&self.config("1s", more));
        let daemon = self.folder.start();
        let url = format!("http://{}", daemon.address);
        let now = Clock::System.now().0 / 1_000;
        let instant = |at: i64| jiff::Timestamp::from_second(at).unwrap().to_string();
        let (from, to) = (instant(now - 5), instant(now + 3_600));
        let said = ["--from", &from, "--to", &to, "--who", "trực ca", "--why", "nâng cấp"];
        let arguments =
            [&["maintenance", "add", "--system", "cham", "--url", &url][..], &said].concat();
        let (code, _, error) = self.folder.run(&arguments);
        assert_eq!(code, 0, "{error}");
        until("the portal is down", || (daemon.state("dvc").starts_with("down")).then_some(()));
        daemon.process.signal(Signal::STOP);
        std::thread::sleep(STOPPED);
        daemon.process.signal(Signal::CONT);
        daemon
    }

    fn config(&self, interval: &str, more: &str) -> String {
        let http = |id: &str, server: &Server| {
            format!(
                "[[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"http://{}/\"\n\
                 interval = \"{interval}\"\ntimeout = \"1s\"\nslow = \"250ms\"\n",
                server.address()
            )
        };
        format!(
            "[monitor]\nlisten = \"{listen}\"\ndata = \"var\"\nvantage = \"hn-1\"\ncarrier = \"VNPT\"\n\
             timezone = \"Asia/Ho_Chi_Minh\"\nper_host_per_minute = 6000\ncontact = \"a@example.gov.vn\"\n\
             extra_roots = [\"demo/demo-root.pem\"]\n\
             [[owner]]\nid = \"bca\"\nname = \"Bộ Công an\"\n[[owner]]\nid = \"vp\"\nname = \"Văn phòng Chính phủ\"\n\
             [[system]]\nid = \"dvc\"\nowner = \"vp\"\nname = \"Cổng Dịch vụ công\"\nobjective = \"99.99%\"\n\
             depends_on = [\"sso\"]\n{portal}\
             [[system.check]]\nid = \"dvc-cert\"\nkind = \"http\"\nurl = \"{secure}\"\nip = \"v4\"\n\
             interval = \"{interval}\"\ntimeout = \"1s\"\ncritical = false\n\
             [[system]]\nid = \"sso\"\nowner = \"bca\"\nname = \"Đăng nhập một lần\"\nobjective = \"99%\"\n{sign_on}\
             [[system]]\nid = \"cham\"\nowner = \"bca\"\nname = \"Hệ thống chậm\"\n{slow}\
             [[system]]\nid = \"tat\"\nowner = \"bca\"\nname = \"Hệ thống không giám sát\"\n\
             [[system.check]]\nid = \"tat\"\nkind = \"http\"\nurl = \"http://{other}/\"\nenabled = false\n\
             reason = \"chủ quản chưa đồng ý\"\n\
             [alerting]\ndependency_wait = \"0s\"\nheartbeat = {{ url = {{ file = \"beat\" }}, every = \"10s\" }}\n\
             [[alertmanager]]\nurl = \"http://{other}/\"\n\
             [[channel]]\nid = \"tot\"\nkind = \"webhook\"\nurl = \"http://{channel}/\"\n\
             [[channel]]\nid = \"hong\"\nkind = \"webhook\"\nurl = \"http://{dead}/\"\n\
             [[person]]\nid = \"an\"\nname = \"Đ/c Nguyễn Văn An\"\ncontacts = [{{ channel = \"hong\", to = \"an\" }}, \
             {{ channel = \"tot\", to = \"an\", after = \"0s\" }}]\n\
             [[team]]\nid = \"truc\"\nname = \"Tổ trực\"\nlayer = [{{ people = [\"an\"], start = \"2026-01-01\" }}]\n\
             {more}",
            listen = self.listen,
            portal = http("dvc", &self.portal),
            sign_on = http("sso", &self.sign_on),
            slow = http("cham", &self.slow),
            secure = self.secure,
            other = self.other.address(),
            channel = self.channel.address(),
            dead = self.dead_channel.address(),
        )
    }

    /// Writes the past of both systems: three days and some hours. `bad` says of an instant whether there
    /// is a result, and whether it is bad.
    fn past(&self, bad: impl Fn(i64, &Self) -> Option<bool>, promise: bool) {
        let data = self.folder.path().join("var");
        std::fs::create_dir_all(&data).unwrap();
        let from = self.begun - 76 * HOUR;
        let mut records = Vec::new();
        if promise {
            records.push(self.promise(from));
        }
        for at in (from..self.begun).step_by(usize::try_from(STEP).unwrap()) {
            if let Some(bad) = bad(at, self) {
                records.extend(["dvc", "sso", "cham"].map(|check| past::result(check, at, bad)));
            }
        }
        self.runtime.block_on(async {
            let settings = Settings { folder: Some(data), reserve_bytes: 0, ..Settings::default() };
            let history = History::open(settings, None).unwrap();
            history.append(records).await.unwrap();
            history.close().await.unwrap();
        });
    }

    /// What was promised from `at` on, as the journal has it: the same, probed less often.
    fn promise(&self, at: i64) -> Record {
        let written = self.config("1m", "");
        let written = written.replace("{ file = \"beat\" }", "{ env = \"BEAT\" }");
        let written = written.replace("extra_roots = [\"demo/demo-root.pem\"]\n", "");
        let alerting = written.split("[alerting]").next().unwrap();
        past::promise(at, alerting)
    }
}

impl Drop for Country {
    fn drop(&mut self) {
        if let Some(demo) = self.demo.take() {
            self.runtime.block_on(demo.stop());
        }
    }
}
