//! `/probe`: one run now, for whoever asks, answered as blackbox_exporter does.

use std::future::Future;
use std::io::Write as _;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use url::form_urlencoded;

use super::source::Source;
use super::{Shared, scrape};

/// Where Prometheus says how long it waits for a scrape.
const PATIENCE: &str = "x-prometheus-scrape-timeout-seconds";

/// The module if none is named, as in blackbox_exporter.
const MODULE: &str = "http_2xx";

/// What Prometheus' text format is called.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One probe that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeAsk {
    /// The module of the `blackbox.yml`.
    pub module: String,
    /// The target as written; never empty.
    pub target: String,
    /// The `Host` header to send instead of the target's own.
    pub hostname: Option<String>,
    /// How long the asker waits.
    pub patience: Option<Duration>,
    /// Whether the asker wants to know how it went, in words.
    pub debug: bool,
}

/// Why there is no probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeRefusal {
    /// The daemon was started without modules.
    NoModules,
    /// The request is wrong; in a sentence.
    Wrong(String),
    /// The operator forbids it; in a sentence.
    Forbidden(String),
    /// There is no room for it now; in a sentence.
    Full(String),
}

/// Who probes.
pub trait Prober {
    /// Probes, and gives the page: metrics, or words if they were asked for. Dropping it ends
    /// the probe. A target that is down is an answer.
    ///
    /// # Errors
    ///
    /// [`ProbeRefusal`]; then nothing was sent to anybody.
    fn probe(&self, ask: ProbeAsk) -> impl Future<Output = Result<String, ProbeRefusal>> + Send;
}

pub(super) async fn probe<S: Source>(
    State(web): Shared<S>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let ask = match ask(&query.unwrap_or_default(), &headers) {
        Ok(ask) => ask,
        Err(why) => return plain(StatusCode::BAD_REQUEST, why),
    };
    let debug = ask.debug;
    match web.source.probe(ask).await {
        Ok(page) => answer(page, debug, &headers),
        Err(refusal) => refuse(refusal),
    }
}

/// The question in a request. Parameters that blackbox_exporter does not know are passed over,
/// as it does; the first of several counts.
fn ask(query: &str, headers: &HeaderMap) -> Result<ProbeAsk, String> {
    let find = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(it, _)| it == name).map(|(_, value)| value.into_owned());
        found.filter(|it| !it.is_empty())
    };
    let target = find("target")
        .ok_or("Target parameter is missing: ask for /probe?target=HOST&module=MODULE")?;
    let patience = match headers.get(PATIENCE) {
        None => None,
        Some(value) => Some(patience(value.to_str().unwrap_or_default()).ok_or_else(|| {
            format!(
                "Failed to parse timeout from Prometheus header: {PATIENCE} is no length in seconds"
            )
        })?),
    };
    Ok(ProbeAsk {
        module: find("module").unwrap_or_else(|| MODULE.to_owned()),
        target,
        hostname: find("hostname"),
        patience,
        debug: find("debug").is_some_and(|it| it == "true"),
    })
}

fn patience(text: &str) -> Option<Duration> {
    text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn answer(page: String, debug: bool, headers: &HeaderMap) -> Response {
    if debug {
        return plain(StatusCode::OK, page);
    }
    let kind = (header::CONTENT_TYPE, TEXT_FORMAT);
    let vary = (header::VARY, "Accept-Encoding");
    if !scrape::takes_gzip(headers) {
        return ([kind, vary], page).into_response();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let packed = gzip.write_all(page.as_bytes()).and_then(|()| gzip.finish()).unwrap_or_default();
    ([kind, vary, (header::CONTENT_ENCODING, "gzip")], packed).into_response()
}

fn refuse(refusal: ProbeRefusal) -> Response {
    match refusal {
        ProbeRefusal::NoModules => plain(
            StatusCode::NOT_FOUND,
            "/probe needs modules: start the daemon with --blackbox-config FILE",
        ),
        ProbeRefusal::Wrong(why) => plain(StatusCode::BAD_REQUEST, why),
        ProbeRefusal::Forbidden(why) => plain(StatusCode::FORBIDDEN, why),
        ProbeRefusal::Full(why) => plain(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

/// Whoever scrapes shows the body of an error as it is.
fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    (status, [kind], text.into() + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_blackbox_exporter_reads_it() {
        let mut headers = HeaderMap::new();
        let asked = ask("target=https%3A%2F%2Fa.vn&x=1&module=&debug=True", &headers).unwrap();
        assert_eq!((asked.module.as_str(), asked.debug), ("http_2xx", false));
        assert_eq!((asked.target.as_str(), asked.hostname), ("https://a.vn", None));
        headers.insert(PATIENCE, "9.5".parse().unwrap());
        let asked =
            ask("module=tcp&target=a:1&target=b:2&debug=true&hostname=h", &headers).unwrap();
        assert_eq!((asked.module.as_str(), asked.target.as_str()), ("tcp", "a:1"));
        assert_eq!(asked.patience, Some(Duration::from_millis(9_500)));
        assert!(asked.debug && asked.hostname.as_deref() == Some("h"));
        for (query, patience) in [("module=x", "1"), ("target=", "1"), ("target=a", "-1")] {
            headers.insert(PATIENCE, patience.parse().unwrap());
            assert!(ask(query, &headers).is_err(), "{query} {patience}");
        }
        for patience in ["soon", "NaN", "inf", "1e300"] {
            headers.insert(PATIENCE, patience.parse().unwrap());
            assert!(ask("target=a", &headers).is_err(), "{patience}");
        }
    }
}
