//! Is the measured latency true? A server of ours waits about 20 ms before it answers and keeps,
//! by its own clock, how long it really took; what a prober says beyond that is the prober's
//! error (a loopback connect, about 0.1 ms, is in it too).

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::mpsc;
use std::time::Duration;

use thongsuot::clock::Clock;
use thongsuot::model::phases::Phase;
use thongsuot::model::time::Millis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::daemon::{self, Load, check_id};
use crate::ground::{Ground, free_port};
use crate::stats::percentile;
use crate::{Broken, Plan, rival};

/// How long the server takes, at least.
const DELAY: Duration = Duration::from_millis(20);

/// Checks of ours, every 3 s: 300 runs a second.
const CHECKS: usize = 900;

/// Probes a second of blackbox_exporter: the same.
const RATE: f64 = 300.0;

/// Errors of measured latencies, in milliseconds.
#[derive(Debug)]
pub(crate) struct Errors {
    /// Of the whole run: its 99th percentile.
    pub(crate) total_p99: f64,
    /// Of the whole run: the middle.
    pub(crate) total_p50: f64,
    /// Of the wait for the first byte alone: its 99th percentile.
    pub(crate) wait_p99: f64,
}

/// One answer of the server.
#[derive(Clone, Copy, Debug)]
struct Answered {
    path: usize,
    at: Millis,
    took_ms: f64,
}

/// Errors of our own runs.
pub(crate) async fn ours(ground: &Ground, plan: &Plan) -> Result<Errors, Broken> {
    let (log, answers) = mpsc::channel();
    let port = free_port().await?;
    let _server = Server::start(port, log);
    let url = |at| format!("http://127.0.0.{}:{port}/{at}", at % 16 + 1);
    let load = Load { name: "delay", checks: CHECKS, every: (3, 3), url: &url };
    let measured = daemon::measure(ground, plan, &load).await?;
    let mut known: HashMap<usize, Vec<Answered>> = HashMap::new();
    for answered in answers.try_iter() {
        known.entry(answered.path).or_default().push(answered);
    }
    let number: HashMap<_, _> = (0..CHECKS).map(|at| (check_id(at), at)).collect();
    let mut errors = Vec::new();
    for result in &measured.results {
        let of_check = number.get(result.check.as_str()).and_then(|at| known.get(at));
        let during = |it: &&Answered| (result.started..=result.ended().plus_ms(1)).contains(&it.at);
        let Some(answered) = of_check.and_then(|all| all.iter().find(during)) else { continue };
        let ms = |us: u32| f64::from(us) / 1e3 - answered.took_ms;
        errors.push((ms(result.phases.total().0), ms(result.phases.get(Phase::Wait).0)));
    }
    worked_out(&errors, measured.results.len())
}

/// Errors of blackbox_exporter.
pub(crate) async fn theirs(ground: &Ground, plan: &Plan) -> Result<Errors, Broken> {
    let (log, answers) = mpsc::channel();
    let port = free_port().await?;
    let _server = Server::start(port, log);
    let (_exporter, exporter) = rival::exporter(ground, "delay-bb").await?;
    let url = |at| format!("http://127.0.0.{}:{port}/{at}", at % 16 + 1);
    rival::drive(exporter, RATE, rival::WARM_UP, &url).await?;
    answers.try_iter().for_each(drop);
    let length = plan.slice * plan.slices as u32;
    let pages = rival::drive(exporter, RATE, length, &url).await?;
    let known: HashMap<_, _> = answers.try_iter().map(|it| (it.path, it.took_ms)).collect();
    let mut errors = Vec::new();
    for (path, page) in &pages {
        let Some(took_ms) = known.get(path) else { continue };
        let said = |key: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|it| it.trim().parse::<f64>().ok()).map(|it| it * 1e3 - took_ms)
        };
        let wait = said("probe_http_duration_seconds{phase=\"processing\"}");
        if let (Some(total), Some(wait)) = (said("probe_duration_seconds"), wait) {
            errors.push((total, wait));
        }
    }
    worked_out(&errors, pages.len())
}

fn worked_out(errors: &[(f64, f64)], runs: usize) -> Result<Errors, Broken> {
    println!("    {} of {runs} runs found in the server's log", errors.len());
    if runs < 100 || (errors.len() as f64) < 0.98 * runs as f64 {
        return Err("runs are missing from the log of the server with the known delay".into());
    }
    let mut total: Vec<f64> = errors.iter().map(|it| it.0.abs()).collect();
    let mut wait: Vec<f64> = errors.iter().map(|it| it.1.abs()).collect();
    Ok(Errors {
        total_p99: percentile(&mut total, 0.99),
        total_p50: percentile(&mut total, 0.5),
        wait_p99: percentile(&mut wait, 0.99),
    })
}

/// The server, on a thread of its own.
#[derive(Debug)]
struct Server {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start(port: u16, log: mpsc::Sender<Answered>) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            // Its own lateness would count as the prober's. Where this is not allowed it does.
            let _not_allowed = rustix::process::setpriority_process(None, -20);
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build()
            else {
                return;
            };
            runtime.block_on(async move {
                tokio::select! {
                    broken = serve(port, log) => drop(broken),
                    _ = stopped => {}
                }
            });
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A server that died has been noticed by then: its answers are missing.
        let _died = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

async fn serve(port: u16, log: mpsc::Sender<Answered>) -> std::io::Result<()> {
    let mut open = JoinSet::new();
    let mut listeners = JoinSet::new();
    let (streams, mut accepted) = tokio::sync::mpsc::channel(1_024);
    for at in 1..=16_u8 {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, at), port)).await?;
        let streams = streams.clone();
        listeners.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if streams.send(stream).await.is_err() {
                    return;
                }
            }
        });
    }
    while let Some(stream) = accepted.recv().await {
        open.spawn(answer(stream, log.clone()));
        while open.try_join_next().is_some() {}
    }
    Ok(())
}

/// Answers requests on one connection, however many come.
async fn answer(mut stream: TcpStream, log: mpsc::Sender<Answered>) -> std::io::Result<()> {
    let mut request = [0; 4_096];
    loop {
        let length = stream.read(&mut request).await?;
        let from = Instant::now();
        let at = Clock::System.now();
        if length == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        let path = text.split(' ').nth(1).and_then(|it| it[1..].parse().ok());
        sleep(DELAY).await;
        let took = from.elapsed();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
        if let Some(path) = path {
            // Nobody reads any more when the measurement is over.
            let _over = log.send(Answered { path, at, took_ms: took.as_secs_f64() * 1e3 });
        }
    }
}
