//! What everything stands on: a folder, nginx with and without TLS, a certificate of ours.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::Broken;
use crate::process::Program;

/// Loopback addresses that the targets are spread over: the cap of runs a minute is by host.
const ADDRESSES: usize = 16;

/// How long a server may take to answer its first request.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A page of a usual kind.
const PAGE: &str =
    "<!doctype html><html lang=vi><title>Cong dich vu</title><p>thong suot</p></html>";

/// The folder, the servers and where they are.
#[derive(Debug)]
pub(crate) struct Ground {
    folder: TempDir,
    _nginx: Program,
    plain: u16,
    secure: u16,
}

impl Ground {
    /// Starts nginx.
    pub(crate) async fn start() -> Result<Self, Broken> {
        let folder = TempDir::new()?;
        certificate(folder.path())?;
        let (plain, secure) = (free_port().await?, free_port().await?);
        let config = folder.path().join("nginx.conf");
        std::fs::write(&config, nginx(folder.path(), plain, secure))?;
        let mut command = Command::new(found("nginx"));
        command.arg("-c").arg(&config).arg("-p").arg(folder.path());
        let nginx = Program::start(&command, &folder.path().join("nginx.log"))?;
        let ground = Self { folder, _nginx: nginx, plain, secure };
        ready(plain, "/").await?;
        Ok(ground)
    }

    /// A new folder of this name.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, Broken> {
        let path = self.folder.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    /// The certificate to trust.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The URL of target number `at`.
    pub(crate) fn url(&self, at: usize, secure: bool) -> String {
        let (scheme, port) = if secure { ("https", self.secure) } else { ("http", self.plain) };
        format!("{scheme}://127.0.0.{}:{port}/", at % ADDRESSES + 1)
    }

    /// Requests that nginx has answered in clear, this one not counted.
    pub(crate) async fn requests(&self) -> Result<f64, Broken> {
        let page = get(self.plain, "/status").await?;
        // A line of titles, then `accepts handled requests`.
        let numbers = page.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1);
        let requests = numbers.and_then(|line| line.split_whitespace().nth(2)?.parse::<f64>().ok());
        requests.map(|it| it - 1.0).ok_or_else(|| "nginx does not say what it has served".into())
    }
}

/// Of what kind the machine is, and how busy.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or(": unknown").trim_start_matches([' ', '\t', ':']).to_owned();
    let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
    format!("Machine: {cpus} processors ({model}); load average {load} before the run.")
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) async fn free_port() -> Result<u16, Broken> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port())
}

/// Waits until `path` on `port` answers well.
pub(crate) async fn ready(port: u16, path: &str) -> Result<(), Broken> {
    let until = Instant::now() + READY_WITHIN;
    loop {
        if get(port, path).await.is_ok() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("nothing answers on port {port}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The body that `path` on `port` of 127.0.0.1 answers with, if its status is 200.
pub(crate) async fn get(port: u16, path: &str) -> Result<String, Broken> {
    let exchange = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, Broken>(answer)
    };
    let answer = timeout(READY_WITHIN, exchange).await??;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(format!("{path}: {}", head.lines().next().unwrap_or_default()).into());
    }
    Ok(body.to_owned())
}

/// A program of Debian, which may lie where only root looks.
pub(crate) fn found(name: &str) -> PathBuf {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(|it| Path::new(it).join(name));
    places.into_iter().find(|it| it.exists()).unwrap_or_else(|| name.into())
}

fn nginx(folder: &Path, plain: u16, secure: u16) -> String {
    let listen = |port: u16, more: &str| {
        let one = |at| format!("listen 127.0.0.{at}:{port} backlog=4096{more};");
        (1..=ADDRESSES).map(one).collect::<String>()
    };
    format!(
        "daemon off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/error.log;
         events {{ worker_connections 16384; }}
         http {{
           access_log off; default_type text/html;
           client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f;
           uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
           server {{ {1} location / {{ return 200 '{3}'; }} location /status {{ stub_status; }} }}
           server {{ {2} ssl_certificate {0}/leaf.pem; ssl_certificate_key {0}/leaf.key;
             ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; location / {{ return 200 '{3}'; }} }}
         }}",
        folder.display(),
        listen(plain, ""),
        listen(secure, " ssl"),
        PAGE,
    )
}

/// A root and a leaf for every address, both ECDSA on P-256, as most public servers have.
fn certificate(folder: &Path) -> Result<(), Broken> {
    let root_key = KeyPair::generate()?;
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name of its own: a leaf that names itself as its issuer is refused, as by OpenSSL.
    root.distinguished_name.push(DnType::CommonName, "a root for the bench");
    let root_pem = root.self_signed(&root_key)?.pem();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::default();
    for at in 1..=ADDRESSES as u8 {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, at));
        leaf.subject_alt_names.push(SanType::IpAddress(address));
    }
    let leaf = leaf.signed_by(&key, &issuer)?;
    std::fs::write(folder.join("root.pem"), root_pem)?;
    std::fs::write(folder.join("leaf.pem"), leaf.pem())?;
    std::fs::write(folder.join("leaf.key"), key.serialize_pem())?;
    Ok(())
}
