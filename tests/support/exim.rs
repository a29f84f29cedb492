//! Debian's Exim, of one test alone, with a mailbox that Python's own parser reads.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// How long a server may take to start, and a message to reach its mailbox.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom it lets send, and by which password.
pub(crate) const USER: &str = "giamsat";
pub(crate) const PASSWORD: &str = "mật khẩu & dài";

/// Prints the last message of a mailbox as JSON.
const READ_MAILBOX: &str = r#"
import email.policy, json, mailbox, sys
it = mailbox.mbox(sys.argv[1], create=False)
raw = it.get_bytes(it.keys()[-1])
m = email.message_from_bytes(raw, policy=email.policy.default)
print(json.dumps({
    "count": len(it), "headers": {k.lower(): str(v) for k, v in m.items()},
    "type": m.get_content_type(), "parts": [p.get_content_type() for p in m.iter_parts()],
    "text": m.get_body(("plain",)).get_content(), "html": m.get_body(("html",)).get_content(),
    "ascii": raw.isascii(),
}))
"#;

/// Exim and the parser; `None`: not installed.
pub(crate) fn program() -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/sbin", "/bin"];
    let find = |name| folders.iter().map(|it| Path::new(it).join(name)).find(|it| it.is_file());
    find("python3").and(find("exim4"))
}

/// An Exim of this test alone, with its spool and mailbox in a folder of its own.
pub(crate) struct Exim {
    folder: tempfile::TempDir,
    child: Child,
    /// For STARTTLS, and for TLS from the first byte.
    pub(crate) ports: [u16; 2],
    pub(crate) root_pem: Vec<u8>,
}

impl Drop for Exim {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Exim {
    /// Starts one and waits until it listens.
    pub(crate) fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        // Exim gives up being root.
        fs::set_permissions(home, fs::Permissions::from_mode(0o777)).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "mail.example.gov.vn".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        fs::write(home.join("cert.pem"), certificate.pem()).unwrap();
        fs::write(home.join("key.pem"), key.serialize_pem()).unwrap();
        let (starttls, implicit) = (free_port(), free_port());
        let root = rustix::process::geteuid().is_root();
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let (user, group) = if root {
            ("Debian-exim".to_owned(), "Debian-exim".to_owned())
        } else {
            (own.0.to_string(), own.1.to_string())
        };
        let config = home.join("exim.conf");
        fs::write(&config, configuration(home, &user, &group, starttls, implicit)).unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
        let child = Command::new(program)
            .args(["-bdf", "-C"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(home.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let exim =
            Self { folder, child, ports: [starttls, implicit], root_pem: certificate.pem().into() };
        exim.until("it listens", || std::net::TcpStream::connect(("127.0.0.1", implicit)).ok());
        exim
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let from = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            let log = |name: &str| fs::read_to_string(self.folder.path().join(name));
            assert!(
                from.elapsed() < PATIENCE,
                "not in time: {what}\n{:?}\n{:?}\n{:?}",
                log("stderr"),
                log("mainlog.txt"),
                log("paniclog.txt")
            );
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// The last message, once there are `count`.
    pub(crate) fn mailbox(&self, count: u64) -> Value {
        let mailbox = self.folder.path().join("mbox");
        self.until("the message is in the mailbox", || {
            let out = Command::new("python3").args(["-c", READ_MAILBOX]).arg(&mailbox).output();
            let value: Value = serde_json::from_slice(&out.ok()?.stdout).ok()?;
            (value["count"].as_u64()? >= count).then_some(value)
        })
    }
}

fn configuration(home: &Path, user: &str, group: &str, starttls: u16, implicit: u16) -> String {
    let home = home.display();
    format!(
        r"exim_user = {user}
exim_group = {group}
primary_hostname = mail.example.gov.vn
spool_directory = {home}/spool
log_file_path = {home}/%slog.txt
pid_file_path = {home}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {starttls} : {implicit}
tls_on_connect_ports = {implicit}
tls_advertise_hosts = *
tls_certificate = {home}/cert.pem
tls_privatekey = {home}/key.pem
deliver_drop_privilege = true
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = rcpt
acl_smtp_data = data

begin acl
rcpt:
  deny local_parts = khong-co
       message = no such user
  accept authenticated = *
  deny message = authenticate first
data:
  accept

begin routers
all:
  driver = accept
  transport = mailbox

begin transports
mailbox:
  driver = appendfile
  file = {home}/mbox
  user = {user}
  group = {group}
  no_check_owner
  no_mode_fail_narrower

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{giamsat}}}}{{eq{{$auth3}}{{mật khẩu & dài}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"
    )
}
