//! Without a running daemon: the same rules, over the data folder of one that is stopped.

use std::path::Path;
use std::sync::Arc;

use crate::cli::run::runtime;
use crate::cli::{Failure, environment};
use crate::web::maintenance::Act;
use crate::{app, config};

/// Answers as the API does.
pub(super) fn ask(data: &Path, file: &Path, act: Act) -> Result<String, Failure> {
    let config = config::load(file, &environment)
        .map_err(|mistakes| Failure::Config(mistakes.to_string()))?;
    runtime()?.block_on(async {
        let offline = app::Offline::open(data, Arc::new(config)).await?;
        let answer = offline.ask(act).await;
        offline.close().await?;
        answer.map_err(|it| Failure::Ours(format!("{}\nhelp: {}", it.error, it.hint)))
    })
}
