//! One monitor of Uptime Kuma.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::note::{Told, Weight};
use super::super::plan::Plan;
use super::super::why;
use super::{Fields, Kuma, http, other};

/// Share of the interval that a run may take where no timeout is written.
const TIMEOUT_SHARE: f64 = 0.8;

/// Longest length of time that is taken for meant: ten years.
const SECONDS_MAX: f64 = 315_360_000.0;

/// Adds a monitor to the system `group`.
pub(super) fn add(plan: &mut Plan<'_>, kuma: &Kuma, monitor: &Fields, group: &str) {
    let name = monitor.text("name").unwrap_or_default();
    let kind = monitor.text("type").unwrap_or_default();
    let place = monitor.place();
    let id = plan.id(&name, &format!("monitor {}", monitor.id()));
    let base = Draft::new(&id, &name, &place, "http");
    let made = match kind.as_str() {
        "http" | "keyword" | "json-query" | "real-browser" => {
            Ok(http::draft(&base, plan, kuma, monitor, &kind))
        }
        other => other::draft(&base, &mut plan.variables, monitor, other),
    };
    let mut draft = match made {
        Ok(draft) => draft,
        Err(why) => {
            plan.lose(group, &name, &Told::new(Weight::Lost, &place, kind, why));
            return;
        }
    };
    common(&mut draft, monitor);
    if let Some(mut instead) = draft.instead.take() {
        common(&mut instead, monitor);
        draft.instead = Some(instead);
    }
    plan.add(group, draft);
}

/// What all kinds share.
fn common(draft: &mut Draft, monitor: &Fields) {
    let place = monitor.place();
    if monitor.bool("active") == Some(false) {
        draft.switch_off("đã tắt trong Uptime Kuma");
    }
    if monitor.is("upsidedown") {
        draft.tell(Told::new(Weight::Off, &place, "upside down", why::EXPECTS_DOWN));
    }
    draft.confirm(monitor.integer("maxretries").unwrap_or(0).saturating_add(1), &place);
    match monitor.text("ipfamily").as_deref() {
        Some("ipv4") => draft.part(&["ip"], "v4", &place, "IP family"),
        Some("ipv6") => draft.part(&["ip"], "v6", &place, "IP family"),
        _ => {}
    }
    if draft.kind() == "heartbeat" {
        return;
    }
    let seconds =
        |name: &str| monitor.number(name).filter(|it| *it > 0.0).map(|it| it.min(SECONDS_MAX));
    let interval = seconds("interval").unwrap_or(60.0);
    let timeout = seconds("timeout").unwrap_or(interval * TIMEOUT_SHARE);
    draft.times(Some(Duration::from_secs_f64(interval)), Some(Duration::from_secs_f64(timeout)));
    let retry = seconds("retryinterval").filter(|it| (it - interval).abs() > 0.5);
    if retry.is_some() && monitor.integer("maxretries").unwrap_or(0) > 0 {
        draft.tell(Told::new(Weight::Elsewhere, &place, "retry interval", why::RETRY_INTERVAL));
    }
}
