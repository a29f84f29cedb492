//! What it costs. Run by hand, in a release build:
//! `cargo test --release --test system history::cost -- --ignored --nocapture`.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use thongsuot::history::{Filter, History, Observer, Settings};
use thongsuot::model::phases::Phases;
use thongsuot::model::result::RunResult;
use thongsuot::model::time::{Micros, Millis};
use tokio::time::Instant;

use super::sample::{DAY, NEW_YEAR, all_time, check, records, result, settings, vantage};

/// Processor time of all threads so far, in microseconds.
fn cpu_us() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let ran = |path: &Path| {
        let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0)
    };
    tasks.map(|it| ran(&it.unwrap().path())).sum::<u64>() / 1_000
}

/// A result with noise as of a probe over HTTPS.
fn noisy(rng: &mut StdRng, check_number: u32, due: i64) -> RunResult {
    let mut around = |median: f64, spread: f64| {
        let angle = std::f64::consts::TAU * rng.random::<f64>();
        let normal = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * angle.cos();
        Micros((median * (spread * normal).exp()) as u32)
    };
    let mut it = result(&format!("check-{check_number}"), due);
    it.vantage = vantage(["hn", "hcm", "dn"][check_number as usize % 3]);
    it.lateness = around(600.0, 0.5);
    it.started = Millis(due + it.lateness.whole_ms());
    it.phases = Phases::from_array([
        around(900.0, 0.3),
        around(5_000.0, 0.04),
        around(11_000.0, 0.05),
        around(45.0, 0.2),
        around(60_000.0, 0.08),
        around(400.0, 0.3),
    ]);
    it
}

/// Bytes written to files so far.
fn written_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap();
    let line = text.lines().find_map(|it| it.strip_prefix("wchar: "));
    line.and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn file_bytes(folder: &Path) -> u64 {
    fs::metadata(folder.join("history.sqlite")).unwrap().len()
}

#[tokio::test]
#[ignore = "measures for half a minute and more"]
async fn what_a_result_costs() {
    let folder = tempfile::tempdir().unwrap();
    let commits = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&commits);
    let observer: Observer = Arc::new(move |commit| seen.lock().unwrap().push(commit.took));
    let settings = Settings { backlog_records_max: 1_000_000, ..settings(folder.path()) };
    let history = History::open(settings, Some(observer)).unwrap();
    let mut rng = StdRng::seed_from_u64(1);

    // Bulk: a day of 100 checks every 29.1 seconds.
    let results: Vec<_> = (0..2_967)
        .flat_map(|slot| (0..100).map(move |number| (number, NEW_YEAR + slot * 29_123)))
        .map(|(number, due)| noisy(&mut rng, number, due))
        .collect();
    let count = results.len() as u64;
    let batches: Vec<_> = results.chunks(256).map(records).collect();
    let (cpu, wall) = (cpu_us(), Instant::now());
    for batch in batches {
        history.append(batch).await.unwrap();
    }
    history.flush().await.unwrap();
    let (cpu, wall) = (cpu_us() - cpu, wall.elapsed());
    println!(
        "bulk: {count} results in {wall:.1?}, {:.2} us CPU a result; {:.1} bytes a raw row",
        cpu as f64 / count as f64,
        file_bytes(folder.path()) as f64 / count as f64
    );

    // Sealing, with a barrier every 20 ms beside it: how long is it held up?
    let mut holds = Vec::new();
    let sealing = history.clone();
    let (cpu, wall) = (cpu_us(), Instant::now());
    let mut sealed = std::pin::pin!(sealing.maintain(Millis(NEW_YEAR + 3 * DAY)));
    let done = loop {
        let asked = Instant::now();
        tokio::select! {
            biased;
            done = &mut sealed => break done.unwrap(),
            flushed = history.flush() => {
                flushed.unwrap();
                holds.push(asked.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (cpu, wall) = (cpu_us() - cpu, wall.elapsed());
    holds.sort();
    let counts = history.reader().unwrap().counts().unwrap();
    println!(
        "sealing: {} results, {} blocks in {wall:.1?}, {:.2} us CPU a result; {:.2} bytes a result; \
         a barrier meanwhile: p50 {:?}, p99 {:?}, longest {:?}",
        done.sealed_results,
        done.sealed_blocks,
        cpu as f64 / count as f64,
        counts.block_bytes as f64 / counts.sealed as f64,
        percentile(&holds, 0.5),
        percentile(&holds, 0.99),
        percentile(&holds, 1.0)
    );
    let copy = folder.path().join("copy");
    rusqlite::Connection::open(folder.path().join("history.sqlite"))
        .unwrap()
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    let size = fs::metadata(&copy).unwrap().len();
    println!("sealed file, all included: {:.2} bytes a result", size as f64 / count as f64);

    // Reading it back.
    let reader = history.reader().unwrap();
    let (cpu, mut read) = (cpu_us(), 0u64);
    for number in 0..100 {
        let check = check(&format!("check-{number}"));
        reader.scan(&check, all_time(), &Filter::default(), |_| read += 1).unwrap();
    }
    println!("reading sealed: {:.2} us CPU a result", (cpu_us() - cpu) as f64 / read as f64);
    let opening = Instant::now();
    for _ in 0..100 {
        history.reader().unwrap();
    }
    println!("opening a reader: {:?}", opening.elapsed() / 100);

    // 300 a second for half a minute, as the daemon does it: 9,000 checks, each every 30 s, so
    // that no two results of a commit are neighbours.
    let of_tick = |rng: &mut StdRng, tick: i64| {
        let number = |i| ((tick * 3 + i) * 7_919 % 9_000) as u32;
        let due = NEW_YEAR + 10 * DAY + tick * 10;
        records(&[0, 1, 2].map(|i| noisy(rng, number(i), due)))
    };
    let made: Vec<_> = (-3_000..3_000).map(|tick| of_tick(&mut rng, tick)).collect();
    let mut made = made.into_iter();
    for old in made.by_ref().take(3_000) {
        history.append(old).await.unwrap();
    }
    history.flush().await.unwrap();
    commits.lock().unwrap().clear();
    let written = written_bytes();
    let (cpu, wall) = (cpu_us(), Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for three in made {
        ticks.tick().await;
        history.append(three).await.unwrap();
    }
    history.flush().await.unwrap();
    let (cpu, wall) = (cpu_us() - cpu, wall.elapsed());
    let mut took = commits.lock().unwrap().clone();
    took.sort();
    println!(
        "300/s: 9000 results in {wall:.1?}, {} bytes written a result, at most {:.1} us CPU a result (timers of this test \
         included); {} commits: p50 {:?}, p99 {:?}, longest {:?}",
        (written_bytes() - written) / 9_000,
        cpu as f64 / 9_000.0,
        took.len(),
        percentile(&took, 0.5),
        percentile(&took, 0.99),
        percentile(&took, 1.0)
    );
    history.close().await.unwrap();
}
