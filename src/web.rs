//! The HTTP face: a status page, the API, `/metrics`, health and reload.
//!
//! All it shows comes through a [`Source`], which the app implements; all it shows it with are
//! types of its own, so that a change inside never changes the API by accident. The API is
//! described by `web/openapi.json`, and a test compares the two.

pub mod source;
pub mod serve;
pub mod auth;
mod alerts;
mod answer;
mod api;
mod control;
pub mod duty;
mod guard;
mod html;
mod incident;
mod incidents;
mod large;
mod link;
pub mod figures;
pub mod maintenance;
mod page;
mod patient;
mod peers;
pub mod probe;
mod query;
mod scrape;
pub mod story;
mod view;
mod words;

pub use view::time;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use tokio::sync::Semaphore;

pub use serve::{Limits, serve};
pub use source::Source;

use crate::metrics::Metrics;
use crate::model::secret::Secret;

/// Seconds after which the status page loads itself anew; the shortest usual interval.
const REFRESH_S: u32 = 30;

/// Most large answers at once, of the API and of metrics each: one can take 10 MB until the
/// client has read it. Further requests wait.
const LARGE_ANSWERS_MAX: usize = 8;

/// Most requests of acknowledge links at once, which anybody can send: a room of their own, so that
/// neither they nor the large answers keep the other waiting.
const LINKS_MAX: usize = 8;

/// What an operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A bearer token that everything asks for but health and heartbeats; `None`: open.
    pub token: Option<Secret>,
    /// The zone that the status page tells the time in.
    pub zone: TimeZone,
}

/// What every handler needs.
struct Web<S> {
    settings: Settings,
    metrics: Arc<Metrics>,
    source: S,
}

type Shared<S> = axum::extract::State<Arc<Web<S>>>;

/// Every route. Give it to [`serve`].
pub fn router<S: Source>(settings: Settings, metrics: Arc<Metrics>, source: S) -> Router {
    let web = Arc::new(Web { settings, metrics, source });
    let large = Router::new()
        .route("/", get(page::overview))
        .route("/incidents/{id}", get(incident::incident))
        .route("/api/v1/systems", get(api::systems))
        .route("/api/v1/systems/{id}", get(api::system))
        .route("/api/v1/systems/{id}/figures", get(figures::figures))
        .route("/api/v1/incidents", get(figures::incidents))
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/checks", get(api::checks))
        .route("/api/v1/checks/{id}", get(api::check))
        .route("/api/v1/checks/{id}/results", get(api::results))
        .route_layer(middleware::from_fn_with_state(room(LARGE_ANSWERS_MAX), large::room));
    let guarded = Router::new()
        .route("/metrics", get(scrape::metrics))
        .route_layer(middleware::from_fn_with_state(room(LARGE_ANSWERS_MAX), large::room))
        .route("/probe", get(probe::probe))
        .route("/-/reload", post(control::reload))
        .route("/api/v1/maintenance", get(maintenance::list))
        .route("/api/v1/maintenance", post(maintenance::add))
        .route("/api/v1/maintenance/{id}/extend", post(maintenance::extend))
        .route("/api/v1/maintenance/{id}/cancel", post(maintenance::cancel))
        .route("/api/v1/alerts/{id}", get(alerts::one))
        .route("/api/v1/alerts/{id}/acknowledge", post(alerts::acknowledge))
        .route("/api/v1/alerts/{id}/close", post(alerts::close))
        .route("/api/v1/drill", post(alerts::drill))
        .route("/api/v1/oncall", get(alerts::on_call))
        .route("/api/v1/openapi.json", get(api::openapi))
        .merge(large)
        .route_layer(middleware::from_fn_with_state(Arc::clone(&web), guard::token));
    // The token in it is what lets one in.
    let links = Router::new()
        .route("/a/{token}", get(link::show))
        .route("/a/{token}", post(link::act))
        .route_layer(middleware::from_fn_with_state(room(LINKS_MAX), large::room));
    Router::new()
        .route("/-/healthy", get(control::healthy::<S>))
        .route("/-/ready", get(control::ready))
        .route("/api/v1/heartbeats/{check}", post(control::heartbeat))
        .merge(links)
        .merge(guarded)
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::not_allowed)
        .layer(middleware::from_fn(guard::headers))
        .with_state(web)
}

fn room(answers: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(answers))
}
