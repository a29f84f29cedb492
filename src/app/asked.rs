//! Figures and incidents that somebody asks for, from the history, by what was in force.

use tokio::time::Instant;

use super::source::AppSource;
use crate::availability::incident::Incident;
use crate::model::id::SystemId;
use crate::model::span::Span;
use crate::report::judged::{Judged, has_enough_data, judge, promised};
use crate::report::{Reading, ReportError};
use crate::web::figures::JUDGE_TIME_MAX;
use crate::web::source::{IncidentSeen, JudgeFailure, SystemFigures};

impl AppSource {
    pub(super) async fn figures_of(
        &self,
        id: SystemId,
        span: Span,
    ) -> Result<Option<SystemFigures>, JudgeFailure> {
        let judged = self.judge_each(Some(id), span, |system, judged| {
            let pieces = judged.piecewise();
            SystemFigures {
                system: system.clone(),
                objective: judged.pieces.last().and_then(|it| it.objective),
                promised: promised(&pieces),
                enough_data: has_enough_data(&pieces),
                figures: judged.figures(),
                incidents: judged.incidents().len(),
            }
        });
        Ok(judged.await?.pop())
    }

    pub(super) async fn incidents_in(
        &self,
        id: Option<SystemId>,
        span: Span,
    ) -> Result<Vec<IncidentSeen>, JudgeFailure> {
        let end = span.end().min(self.now_for_judging());
        let all = self.judge_each(id, span, move |system, judged| {
            let seen = |it: Incident| IncidentSeen {
                system: system.clone(),
                checks: judged.checks(&it),
                open: it.end().at >= end,
                excluded_down_ms: it.down().intersect(&judged.maintenance).length_ms(),
                incident: it,
            };
            judged.incidents().into_iter().map(seen).collect::<Vec<_>>()
        });
        let mut all: Vec<IncidentSeen> = all.await?.into_iter().flatten().collect();
        all.sort_by(|a, b| {
            (a.incident.start().at, &a.system).cmp(&(b.incident.start().at, &b.system))
        });
        Ok(all)
    }

    /// Judges one system or all of them, where blocking is allowed; gives up when nobody can be
    /// waiting any more.
    async fn judge_each<T: Send + 'static>(
        &self,
        id: Option<SystemId>,
        span: Span,
        each: impl Fn(&SystemId, &Judged) -> T + Send + 'static,
    ) -> Result<Vec<T>, JudgeFailure> {
        let failed = |why: String| JudgeFailure { why };
        let journal = self.notices.journal().map_err(failed)?;
        let (history, config) = (self.history.clone(), self.config());
        let now = self.now_for_judging();
        let until = Instant::now() + JUDGE_TIME_MAX;
        let judged = tokio::task::spawn_blocking(move || {
            let reader = history.reader()?;
            let wanted = || Instant::now() < until;
            let reading = Reading { reader: &reader, until: now, beside_ms: None, wanted: &wanted };
            let mut all = Vec::new();
            let systems = config.roster.systems.iter().map(|it| &it.id);
            for system in systems.filter(|it| id.as_ref().is_none_or(|id| *it == id)) {
                if !wanted() {
                    return Err(ReportError::TooLong);
                }
                all.extend(judge(reading, &journal, system, span)?.map(|it| each(system, &it)));
            }
            Ok(all)
        });
        judged
            .await
            .map_err(|panic| failed(panic.to_string()))?
            .map_err(|error: ReportError| failed(error.to_string()))
    }
}
