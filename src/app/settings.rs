//! From the configuration to each part's own settings.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::AppError;
use super::control::Control;
use super::runs::Outside;
use crate::config::{self, Config};
use crate::history;
use crate::metrics::{self, Metrics};
use crate::model::check::Check;
use crate::model::span::Span;
use crate::model::step::Step;
use crate::probe::block::BlockSignature;
use crate::probe::heartbeat::Board;
use crate::probe::{self, Net};
use crate::schedule::plan::Grid;
use crate::web;

/// Every metric of the process.
pub(super) fn metrics(config: &Config) -> Result<Metrics, AppError> {
    let settings = metrics::Settings::new(config.monitor.latency_buckets.clone())?
        .with_carrier(config.monitor.carrier.clone());
    let build = metrics::Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("THONGSUOT_REVISION").unwrap_or_default().to_owned(),
    };
    Ok(Metrics::new(settings, &build)?)
}

/// How results are kept in `folder`.
pub(super) fn history(config: &Config, folder: PathBuf) -> history::Settings {
    let keys = config.monitor.history;
    history::Settings {
        folder: Some(folder),
        commit_within: keys.commit_within,
        seal_after_days: keys.raw_days,
        keep_days: Some(keys.results_days),
        ..history::Settings::default()
    }
}

/// What the web shows to whom.
pub(super) fn web(config: &Config) -> web::Settings {
    let monitor = &config.monitor;
    web::Settings { token: monitor.token.clone(), zone: monitor.timezone.clone() }
}

/// How the outside is reached.
pub(super) fn outside(config: &Config, board: &Arc<Board>) -> Result<Outside, AppError> {
    let anchors = config.monitor.anchors.iter().map(|it| format!("{}:{}", it.host, it.port));
    let control = Control::new(anchors.collect());
    Ok(Outside { net: net(config)?.with_board(Arc::clone(board)), control })
}

/// The network as probes see it. Reads the system's roots: blocks for some milliseconds.
///
/// # Errors
///
/// [`AppError::Net`] if roots or resolvers can't be had.
pub fn net(config: &Config) -> Result<Net, AppError> {
    let monitor = &config.monitor;
    Ok(Net::new(probe::Settings {
        user_agent: monitor.user_agent.clone(),
        resolvers: monitor.resolvers.clone(),
        source: monitor.source,
        system_roots: monitor.system_roots,
        extra_roots_pem: monitor.extra_roots_pem.clone(),
        kill: monitor.kill.clone(),
        block_signatures: monitor.block_signatures.iter().map(signature).collect(),
    })?)
}

fn signature(written: &config::BlockSignature) -> BlockSignature {
    let owned = |text: &String| Cow::Owned(text.clone());
    BlockSignature {
        name: Cow::Owned(written.name.clone()),
        statuses: Cow::Owned(written.statuses.clone()),
        header: written.header.as_ref().map(|(name, text)| (owned(name), owned(text))),
        body: written.body.iter().map(owned).collect(),
    }
}

/// The slots of a check at this vantage: one vantage a daemon, so nobody to stagger with.
pub(super) fn grid(check: &Check) -> Grid {
    Grid::new(Step::of(&check.id, check.interval_ms), 0, 1)
}

/// How many slots of a check are due in a span, over its lanes.
pub(super) fn slots(check: &Check, span: Span) -> u64 {
    let grid = grid(check);
    let [from, to] = [span.start(), span.end()].map(|it| grid.first_from(it.0 * 1_000));
    u64::try_from((to - from).max(0)).unwrap_or(0) * check.lanes().len() as u64
}
