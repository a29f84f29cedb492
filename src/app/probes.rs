//! Runs that somebody outside asks for: `/probe`, with the modules of a `blackbox.yml`.
//!
//! They belong to no system: they are in no figure, no incident and no history. What they share
//! with our own runs is the way to the network and the room for files that may be open.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio::time::{Duration, timeout};

use super::runs::{self, Runs};
use super::{AppError, lock};
use crate::blackbox::{self, Answered, Module, Modules, Question, Refusal};
use crate::metrics::Metrics;
use crate::model::observation::Observation;
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::time::Micros;
use crate::web::probe::{ProbeAsk, ProbeRefusal};

/// A body that takes patterns a millisecond or so, slow ones included.
const LIGHT_BYTES_MAX: u32 = 64 << 10;

/// Most heavy answers that are judged at once: each takes a thread all of its time, which our own
/// runs need too.
const JUDGES: usize = 2;

/// Longest wait for one of them; then the asker has most likely given up.
const JUDGE_WAIT: Duration = Duration::from_secs(10);

/// Why there is no room.
const FEW_FILES: &str = "as many probes are under way as may have files open; raise `ulimit -n`, or ask for fewer at once";

/// Who judges heavy answers.
static JUDGING: Semaphore = Semaphore::const_new(JUDGES);

/// Who answers `/probe`.
#[derive(Debug)]
pub(super) struct Probes {
    pub(super) runs: Arc<Runs>,
    pub(super) metrics: Arc<Metrics>,
    /// Replaced whole by a reload; `None`: started without.
    pub(super) modules: Mutex<Option<Arc<Modules>>>,
}

/// Reads the modules in `file`, if there is one. Blocks on the file system.
pub(super) fn read(
    file: Option<&PathBuf>,
    environment: fn(&str) -> Option<String>,
) -> Result<Option<Arc<Modules>>, AppError> {
    let Some(file) = file else { return Ok(None) };
    let modules = blackbox::read(file, &environment).map_err(AppError::Modules)?;
    for note in &modules.notes {
        tracing::warn!("{note}");
    }
    Ok(Some(Arc::new(modules)))
}

impl Probes {
    /// Takes modules into force.
    pub(super) fn replace(&self, modules: Option<Arc<Modules>>) {
        *lock(&self.modules) = modules;
    }

    /// The files that modules were read from.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        lock(&self.modules).as_ref().map(|it| it.files.clone()).unwrap_or_default()
    }

    /// Runs once, and answers with a page.
    pub(super) async fn probe(&self, ask: ProbeAsk) -> Result<String, ProbeRefusal> {
        let module = self.module(&ask.module)?;
        let timeout = blackbox::timeout(&module, ask.patience);
        let hostname = ask.hostname.as_deref();
        let seen = match blackbox::question(&module, &ask.target, hostname, timeout) {
            Ok(question) => self.run(&question).await?,
            Err(Refusal::Request(why)) => return Err(ProbeRefusal::Wrong(why)),
            Err(Refusal::Target(why)) => refused(why),
        };
        let (seen, answered) = judged(&module, seen, timeout).await?;
        self.metrics.probes().answered(&module.name, answered.success);
        Ok(if ask.debug {
            blackbox::told(&module, &ask.target, &seen, &answered)
        } else {
            answered.metrics
        })
    }

    fn module(&self, name: &str) -> Result<Arc<Module>, ProbeRefusal> {
        let modules = lock(&self.modules).clone().ok_or(ProbeRefusal::NoModules)?;
        modules.get(name).cloned().ok_or_else(|| {
            self.metrics.probes().unknown();
            let known = modules.names().collect::<Vec<_>>().join(", ");
            ProbeRefusal::Wrong(format!("Unknown module \"{name}\"; there are {known}"))
        })
    }

    async fn run(&self, question: &Question) -> Result<Observation, ProbeRefusal> {
        let outside = self.runs.outside();
        let host = question.check.spec.host();
        if let Some(host) = host.filter(|host| outside.net.is_killed(host)) {
            let why = format!("`{host}` is in the kill switch (`[monitor] kill`)");
            return Err(ProbeRefusal::Forbidden(why));
        }
        let full = |_full| ProbeRefusal::Full(FEW_FILES.to_owned());
        let _asked = self.runs.asked.try_acquire().map_err(full)?;
        let _room = self.runs.room.try_acquire().map_err(full)?;
        let now = self.runs.clock.now();
        let run = crate::probe::run(&question.check, question.how, &outside.net, now);
        let seen = tokio::select! {
            seen = runs::guarded(&question.check, Box::pin(run)) => seen,
            () = self.runs.cut.cancelled() => {
                return Err(ProbeRefusal::Full("the monitor is stopping".to_owned()));
            }
        };
        // Nothing is said of the target where we had not what it takes to ask it.
        match seen.reason {
            Reason::Fd => Err(ProbeRefusal::Full(seen.detail.why.unwrap_or_default())),
            _ => Ok(seen),
        }
    }
}

/// The answer to what was seen. Patterns over a large body and expressions take long enough to
/// keep other tasks waiting: they run where that is allowed.
async fn judged(
    module: &Arc<Module>,
    seen: Observation,
    deadline: Micros,
) -> Result<(Observation, Answered), ProbeRefusal> {
    if !module.is_heavy() && seen.bytes < LIGHT_BYTES_MAX {
        let answered = blackbox::answer(module, &seen, deadline);
        return Ok((seen, answered));
    }
    let Ok(Ok(judge)) = timeout(JUDGE_WAIT, JUDGING.acquire()).await else {
        let why = "too many answers wait to be judged: ask for fewer at once";
        return Err(ProbeRefusal::Full(why.to_owned()));
    };
    let module = Arc::clone(module);
    let judging = tokio::task::spawn_blocking(move || {
        let answered = blackbox::answer(&module, &seen, deadline);
        drop(judge);
        (seen, answered)
    });
    judging.await.map_err(|panic| ProbeRefusal::Wrong(format!("a bug of ours: {panic}")))
}

/// What is seen of a target that nothing can be sent to.
fn refused(why: String) -> Observation {
    let mut seen = Observation::bare(Reason::Internal, Phases::default());
    seen.detail.why = Some(why);
    seen
}
