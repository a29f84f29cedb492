//! Bytes that a result takes on disk once its day is sealed.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use thongsuot::history::{History, Record, Settings};
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::time::{Micros, Millis};
use tokio::time::Instant;

use crate::Broken;
use crate::ground::Ground;

const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 30;
const CHECKS: usize = 20;

/// Step of a check every 30 s, in microseconds.
const STEP_US: i64 = 29_123_456;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Results kept.
    pub(crate) results: u64,
    /// Bytes of the sealed blocks, a result.
    pub(crate) block_bytes: f64,
    /// Bytes of the whole file, a result, with all its tables and free pages.
    pub(crate) file_bytes: f64,
    /// Wall time to store and seal one result, in microseconds.
    pub(crate) stored_us: f64,
}

/// Keeps a month and seals it day by day.
pub(crate) async fn month(ground: &Ground) -> Result<Kept, Broken> {
    let folder = ground.folder("month")?;
    let settings =
        Settings { folder: Some(folder.clone()), reserve_bytes: 0, ..Settings::default() };
    let history = History::open(settings, None)?;
    let vantage = VantageId::new("hn-1")?;
    let checks: Vec<_> =
        (0..CHECKS).map(|at| CheckId::new(&format!("check-{at}"))).collect::<Result<_, _>>()?;
    let mut noise = Noise { rng: SmallRng::seed_from_u64(111) };
    let from = Instant::now();
    let first_day = 20_000;
    for day in first_day..first_day + DAYS {
        for check in &checks {
            history.append(noise.day(check, &vantage, day)).await?;
        }
        history.flush().await?;
        history.maintain(Millis((day + 1) * DAY_MS)).await?;
    }
    history.maintain(Millis((first_day + DAYS + 2) * DAY_MS)).await?;
    let took = from.elapsed();
    let counts = history.reader()?.counts()?;
    history.close().await?;
    let file = std::fs::metadata(folder.join("history.sqlite"))?.len();
    let results = counts.sealed;
    if counts.raw > 0 || results < 1_000 {
        return Err(format!("not everything was sealed: {counts:?}").into());
    }
    Ok(Kept {
        results,
        block_bytes: counts.block_bytes as f64 / results as f64,
        file_bytes: file as f64 / results as f64,
        stored_us: took.as_secs_f64() * 1e6 / results as f64,
    })
}

/// Medians and spreads of probes over HTTPS inside a country, as in `src/history/block/tests.rs`.
struct Noise {
    rng: SmallRng,
}

impl Noise {
    fn day(&mut self, check: &CheckId, vantage: &VantageId, day: i64) -> Vec<Record> {
        let first = (day * DAY_MS * 1_000).div_euclid(STEP_US) + 1;
        let last = ((day + 1) * DAY_MS * 1_000 - 1).div_euclid(STEP_US);
        let one = |k: i64| Record::Result(self.result(check, vantage, k * STEP_US));
        (first..=last).map(one).collect()
    }

    fn result(&mut self, check: &CheckId, vantage: &VantageId, due_us: i64) -> RunResult {
        let lateness = self.spread(600.0, 0.5);
        let bad = self.rng.random_range(0..2_000) == 0;
        let lengths = [
            self.spread(900.0, 0.3),
            self.spread(5_000.0, 0.04),
            self.spread(11_000.0, 0.05),
            self.spread(45.0, 0.2),
            self.spread(60_000.0, 0.08),
            self.spread(400.0, 0.3),
        ];
        RunResult {
            check: check.clone(),
            lane: Lane::Any,
            vantage: vantage.clone(),
            due: Millis(due_us.div_euclid(1_000)),
            started: Millis((due_us + i64::from(lateness)).div_euclid(1_000)),
            lateness: Micros(lateness),
            kind: RunKind::Grid,
            run: 0,
            reason: if bad { Reason::HttpStatus } else { Reason::None },
            phases: Phases::from_array(lengths.map(Micros)),
            status: Some(if bad { 503 } else { 200 }),
            bytes: if bad { 512 } else { 15_000 },
            reused: false,
        }
    }

    /// About `middle`, log-normal with this sigma.
    fn spread(&mut self, middle: f64, sigma: f64) -> u32 {
        // Twelve evenly spread numbers add up to a normal one.
        let sum: f64 = (0..12).map(|_| self.rng.random_range(0.0..1.0)).sum();
        (middle * ((sum - 6.0) * sigma).exp()) as u32
    }
}
