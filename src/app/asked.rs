//! Figures and incidents that somebody asks for, from the history.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::judged::{Court, JudgeError, Judged, judge};
use super::source::AppSource;
use crate::availability::incident::{Incident, incidents};
use crate::history::Reader;
use crate::model::id::{CheckId, SystemId};
use crate::model::span::Span;
use crate::model::system::System;
use crate::web::figures::JUDGE_TIME_MAX;
use crate::web::source::{IncidentSeen, JudgeFailure, SystemFigures};

/// Time before a span that is read too, so that an incident that began before it is told from
/// its beginning, and one after a short pause is one with it.
const BEFORE: Duration = Duration::from_hours(24);

impl AppSource {
    pub(super) async fn figures_of(
        &self,
        id: SystemId,
        span: Span,
    ) -> Result<Option<SystemFigures>, JudgeFailure> {
        let judged = self.judge_each(Some(id), span, move |system, judged| SystemFigures {
            system: system.id.clone(),
            objective: system.objective,
            coverage_ppm: system.terms.coverage_ppm,
            figures: judged.figures(),
            incidents: hit(&judged, span).len(),
        });
        Ok(judged.await?.pop())
    }

    pub(super) async fn incidents_in(
        &self,
        id: Option<SystemId>,
        span: Span,
    ) -> Result<Vec<IncidentSeen>, JudgeFailure> {
        let before = i64::try_from(BEFORE.as_millis()).unwrap_or(0);
        let wide = Span::new(span.start().plus_ms(-before), span.end()).unwrap_or(span);
        let now = self.now_for_judging();
        let all = self.judge_each(id, wide, move |system, judged| {
            let open = |it: &Incident| it.end().at >= wide.end().min(now);
            let seen = |it: Incident| IncidentSeen {
                system: system.id.clone(),
                checks: names(&judged, &it),
                open: open(&it),
                excluded_down_ms: it.down().intersect(&judged.plan.system).length_ms(),
                incident: it,
            };
            hit(&judged, span).into_iter().map(seen).collect::<Vec<_>>()
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
        each: impl Fn(&System, Judged) -> T + Send + 'static,
    ) -> Result<Vec<T>, JudgeFailure> {
        let (history, notices) = (self.history.clone(), Arc::clone(&self.notices));
        let config = self.config();
        let (vantage, now) = (self.vantage(), self.now_for_judging());
        let until = Instant::now() + JUDGE_TIME_MAX;
        let judged = tokio::task::spawn_blocking(move || {
            let reader: Reader = history.reader()?;
            let court = Court {
                reader: &reader,
                roster: &config.roster,
                vantage: &vantage,
                notices: &notices,
                zone: &config.monitor.timezone,
                now,
                wanted: &|| Instant::now() < until,
            };
            let mut all = Vec::new();
            let systems = config.roster.systems.iter();
            for system in systems.filter(|it| id.as_ref().is_none_or(|id| it.id == *id)) {
                if !(court.wanted)() {
                    return Err(JudgeError::TooLong);
                }
                all.extend(judge(court, system, span)?.map(|it| each(system, it)));
            }
            Ok(all)
        });
        let failed = |why: String| JudgeFailure { why };
        judged
            .await
            .map_err(|panic| failed(panic.to_string()))?
            .map_err(|error: JudgeError| failed(error.to_string()))
    }
}

/// The incidents that have a part in `span`.
fn hit(judged: &Judged, span: Span) -> Vec<Incident> {
    let mut all = incidents(&judged.track);
    all.retain(|it| it.down().length_within_ms(span) > 0);
    all
}

/// The checks that an incident hit.
fn names(judged: &Judged, incident: &Incident) -> Vec<CheckId> {
    let places = incident.checks();
    places.iter().filter_map(|it| judged.checks.get(*it)).map(|it| it.id.clone()).collect()
}
