//! blackbox_exporter under the same load: alone, driven by a small generator, and scraped by
//! Prometheus as it is in practice. Both as Debian ships them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::ground::{self, Ground, found, free_port};
use crate::process::Program;
use crate::stats::{least, median};
use crate::{Broken, Plan};

/// Connections of the generator, as Prometheus keeps one a target: enough that none waits.
const CONNECTIONS: usize = 128;

/// Targets of Prometheus, and how often each is probed.
const SCRAPED: usize = 2_000;
const SCRAPED_EVERY: Duration = Duration::from_secs(10);

/// Probes a second of `/probe`, ours and theirs.
const PROBES_A_SECOND: f64 = 330.0;

/// Before the first slice: connections and caches are made.
pub(crate) const WARM_UP: Duration = Duration::from_secs(5);

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Processor time a probe, in microseconds: median and least of the slices.
    pub(crate) cpu_us: (f64, f64),
    /// Resident memory at the end, in MB.
    pub(crate) memory_mb: f64,
}

/// An answer of the exporter: the path asked for, and its page of metrics.
pub(crate) type Probed = (usize, String);

/// Probes nginx in clear.
pub(crate) async fn http(ground: &Ground, plan: &Plan, rate: f64) -> Result<Measured, Broken> {
    let exporter = exporter(ground, "plain-bb").await?;
    alone(exporter, ground, plan, rate, false).await
}

/// Probes nginx over TLS.
pub(crate) async fn tls(ground: &Ground, plan: &Plan, rate: f64) -> Result<Measured, Broken> {
    let exporter = exporter(ground, "tls-bb").await?;
    alone(exporter, ground, plan, rate, true).await
}

/// `/probe` and blackbox_exporter, in this order, driven in the same way.
pub(crate) async fn probe(
    ground: &Ground,
    plan: &Plan,
    secure: bool,
) -> Result<(Measured, Measured), Broken> {
    let (name, theirs) =
        if secure { ("tls-own", "tls-their") } else { ("plain-own", "plain-their") };
    let own = daemon(ground, plan, name).await?;
    let ours = alone(own, ground, plan, PROBES_A_SECOND, secure).await?;
    let theirs = exporter(ground, theirs).await?;
    Ok((ours, alone(theirs, ground, plan, PROBES_A_SECOND, secure).await?))
}

async fn alone(
    (exporter, port): (Program, u16),
    ground: &Ground,
    plan: &Plan,
    rate: f64,
    secure: bool,
) -> Result<Measured, Broken> {
    let url = |at| ground.url(at, secure);
    drive(port, rate, WARM_UP, &url).await?;
    let mut slices = Vec::new();
    for _ in 0..plan.slices {
        let before = exporter.cpu_us()?;
        let answers = drive(port, rate, plan.slice, &url).await?;
        slices.push((exporter.cpu_us()? - before) / answers.len() as f64);
        let good = answers.iter().filter(|(_, page)| page.contains("\nprobe_success 1")).count();
        if (good as f64) < 0.99 * answers.len() as f64 {
            return Err(format!("/probe: {good} of {} good", answers.len()).into());
        }
    }
    println!("    cpu a probe by slice, in us: {slices:.1?}");
    let memory_mb = exporter.memory_mb()?.0;
    Ok(Measured { cpu_us: (median(&slices), least(&slices)), memory_mb })
}

/// Prometheus with [`SCRAPED`] targets through the exporter.
pub(crate) async fn with_prometheus(ground: &Ground, plan: &Plan) -> Result<Measured, Broken> {
    let (exporter, port) = exporter(ground, "prometheus").await?;
    let folder = ground.folder("prometheus-data")?;
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, prometheus(ground, port))?;
    let own = free_port().await?;
    let mut command = Command::new(found("prometheus"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{own}"));
    let server = Program::start(&command, &folder.join("log"))?;
    ground::ready(own, "/-/ready").await?;
    // Every series is made in the first round.
    sleep(SCRAPED_EVERY + WARM_UP).await;
    let mut slices = Vec::new();
    for _ in 0..plan.slices {
        let before = (exporter.cpu_us()? + server.cpu_us()?, ground.requests().await?);
        sleep(plan.slice).await;
        let after = (exporter.cpu_us()? + server.cpu_us()?, ground.requests().await?);
        slices.push((after.0 - before.0) / (after.1 - before.1 - 1.0).max(1.0));
    }
    println!("    cpu a probe by slice, in us: {slices:.1?}");
    let memory_mb = exporter.memory_mb()?.0 + server.memory_mb()?.0;
    server.end().await?;
    Ok(Measured { cpu_us: (median(&slices), least(&slices)), memory_mb })
}

/// Starts the exporter; gives its port.
pub(crate) async fn exporter(ground: &Ground, name: &str) -> Result<(Program, u16), Broken> {
    let folder = ground.folder(name)?;
    let config = modules(ground, &folder)?;
    let port = free_port().await?;
    let mut command = Command::new(found("prometheus-blackbox-exporter"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let exporter = Program::start(&command, &folder.join("log"))?;
    ground::ready(port, "/-/healthy").await?;
    Ok((exporter, port))
}

/// Starts our daemon with the same modules and nothing to watch; gives its port.
async fn daemon(ground: &Ground, plan: &Plan, name: &str) -> Result<(Program, u16), Broken> {
    let folder = ground.folder(name)?;
    let (port, config) = (free_port().await?, folder.join("targets.toml"));
    std::fs::write(&config, "[monitor]\nvantage = \"bench\"\n")?;
    let mut command = Command::new(&plan.program);
    command.arg("run").arg("--config").arg(&config).arg("--data").arg(folder.join("data"));
    command.arg("--blackbox-config").arg(modules(ground, &folder)?);
    command.arg("--listen").arg(format!("127.0.0.1:{port}"));
    let daemon = Program::start(&command, &folder.join("log"))?;
    ground::ready(port, "/-/ready").await?;
    Ok((daemon, port))
}

/// Writes the one module into `folder`.
fn modules(ground: &Ground, folder: &Path) -> Result<PathBuf, Broken> {
    let config = folder.join("blackbox.yml");
    let text = format!(
        "modules:\n  http_2xx:\n    prober: http\n    timeout: 10s\n    http:\n      \
         preferred_ip_protocol: ip4\n      tls_config: {{ ca_file: {} }}\n",
        ground.root().display()
    );
    std::fs::write(&config, text)?;
    Ok(config)
}

/// Asks the exporter for `rate` probes a second, whether it keeps up or not, and gives every
/// answer.
pub(crate) async fn drive(
    port: u16,
    rate: f64,
    length: Duration,
    url: &(dyn Fn(usize) -> String + Sync),
) -> Result<Vec<Probed>, Broken> {
    let (jobs, waiting) = mpsc::channel(16_384);
    let waiting = Arc::new(Mutex::new(waiting));
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        workers.spawn(worker(port, Arc::clone(&waiting)));
    }
    let start = Instant::now();
    for at in 0..(rate * length.as_secs_f64()) as usize {
        sleep_until(start + Duration::from_secs_f64(at as f64 / rate)).await;
        jobs.try_send((at, url(at))).map_err(|_| "blackbox_exporter does not keep up")?;
    }
    drop(jobs);
    let mut answers = Vec::new();
    while let Some(worker) = workers.join_next().await {
        answers.extend(worker??);
    }
    Ok(answers)
}

type Jobs = Arc<Mutex<mpsc::Receiver<(usize, String)>>>;

async fn worker(port: u16, jobs: Jobs) -> Result<Vec<Probed>, Broken> {
    let mut answers = Vec::new();
    let mut connection = None;
    loop {
        let job = jobs.lock().await.recv().await;
        let Some((at, url)) = job else { return Ok(answers) };
        let sender = match &mut connection {
            Some(sender) => sender,
            none => none.insert(connect(port).await?),
        };
        answers.push((at, ask(sender, &url).await?));
    }
}

async fn connect(port: u16) -> Result<SendRequest<Empty<Bytes>>, Broken> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    #[expect(clippy::disallowed_methods, reason = "ends with its connection")]
    tokio::spawn(connection);
    Ok(sender)
}

/// One probe. Not compressed, which is in its favour: Prometheus asks for gzip.
async fn ask(sender: &mut SendRequest<Empty<Bytes>>, url: &str) -> Result<String, Broken> {
    let request = http::Request::get(format!("/probe?module=http_2xx&target={url}"))
        .header("host", "127.0.0.1")
        .body(Empty::new())?;
    let body = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn prometheus(ground: &Ground, exporter: u16) -> String {
    let every = SCRAPED_EVERY.as_secs();
    let mut text = format!(
        "scrape_configs:\n- job_name: probe\n  metrics_path: /probe\n  params: \
         {{ module: [http_2xx] }}\n  scrape_interval: {every}s\n  scrape_timeout: {every}s\n  \
         relabel_configs:\n  - {{ source_labels: [__address__], target_label: __param_target }}\n  \
         - {{ source_labels: [__param_target], target_label: instance }}\n  \
         - {{ target_label: __address__, replacement: '127.0.0.1:{exporter}' }}\n  \
         static_configs:\n  - targets:\n"
    );
    for at in 0..SCRAPED {
        // Writing to a String can't fail.
        let _always_ok = writeln!(text, "    - {}{at}", ground.url(at, false));
    }
    text
}
