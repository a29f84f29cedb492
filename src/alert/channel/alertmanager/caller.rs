//! The requests of one instance.

use std::error::Error;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{RequestBuilder, StatusCode};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use super::bisect::Verdict;
use super::{ClientError, NAMES};
use crate::alert::channel::trust;
use crate::model::alerting::channel::Alertmanager;
use crate::model::spec::Auth;

/// Most that is read of an answer; a list of some ten thousand alerts fits.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most that is read, and told, of a refusal.
const REFUSAL_BYTES_MAX: usize = 4 * 1024;

/// Most characters of a reason.
const WHY_CHARS_MAX: usize = 200;

/// Talks to one instance.
#[derive(Debug)]
pub(super) struct Caller {
    name: String,
    client: reqwest::Client,
    auth: Auth,
    alerts: Url,
    ours: Url,
    status: Url,
}

/// An answer to a GET.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its body; `None`: refused, there is nothing of the kind.
    pub(super) body: Option<Vec<u8>>,
    /// Its `Date`.
    pub(super) date: Option<String>,
}

impl Caller {
    pub(super) fn new(settings: &Alertmanager) -> Result<Self, ClientError> {
        let name = name(&settings.url);
        let mut base = settings.url.clone();
        base.path_segments_mut()
            .map_err(|()| ClientError::Url(name.clone()))?
            .pop_if_empty()
            .extend(["api", "v2", "alerts"]);
        base.set_query(None);
        let mut ours = base.clone();
        ours.query_pairs_mut().append_pair("filter", &format!("alertname=~\"{NAMES}.*\""));
        let mut status = base.clone();
        if let Ok(mut segments) = status.path_segments_mut() {
            segments.pop().push("status");
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(settings, &name)?)
            .timeout(settings.timeout)
            // A redirected POST becomes a GET, whose 200 would look like an acceptance.
            .redirect(reqwest::redirect::Policy::none())
            // The environment of whoever starts us must not decide how alerts travel.
            .no_proxy()
            .build()
            .map_err(|why| ClientError::Client(name.clone(), deepest(&why)))?;
        Ok(Self { name, client, auth: settings.auth.clone(), alerts: base, ours, status })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Posts alerts.
    pub(super) async fn post(&self, body: String) -> Verdict {
        let request = self.client.post(self.alerts.clone()).body(body);
        match self.send(request.header(CONTENT_TYPE, "application/json")).await {
            Err(why) => Verdict::Failed(why),
            Ok(mut response) => {
                let (code, why) = (response.status(), refusal(&mut response).await);
                match code {
                    _ if code.is_success() => Verdict::Accepted,
                    StatusCode::BAD_REQUEST
                    | StatusCode::PAYLOAD_TOO_LARGE
                    | StatusCode::UNPROCESSABLE_ENTITY => Verdict::Refused(why),
                    _ => Verdict::Failed(why),
                }
            }
        }
    }

    /// What it says of itself.
    pub(super) async fn status(&self) -> Result<Answer, String> {
        self.get(&self.status).await
    }

    /// What stands there of ours.
    pub(super) async fn alerts(&self) -> Result<Answer, String> {
        self.get(&self.ours).await
    }

    /// `Err`: not reachable, or too slow. Any answer that refuses is none.
    async fn get(&self, url: &Url) -> Result<Answer, String> {
        let mut response = self.send(self.client.get(url.clone())).await?;
        let (code, date) = (response.status(), date(response.headers()));
        if !code.is_success() {
            return Ok(Answer { body: None, date });
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|why| deepest(&why))? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER_BYTES_MAX {
                return Ok(Answer { body: None, date });
            }
        }
        Ok(Answer { body: Some(body), date })
    }

    async fn send(&self, request: RequestBuilder) -> Result<reqwest::Response, String> {
        let request = match &self.auth {
            Auth::Basic { user, password } => request.basic_auth(user, Some(password.reveal())),
            Auth::Bearer(token) => request.bearer_auth(token.reveal()),
            // The configuration offers nothing else here.
            Auth::None | Auth::OAuth2(_) => request,
        };
        request.send().await.map_err(|why| {
            let what = if why.is_timeout() { "no answer in time" } else { "no answer" };
            format!("{what}: {}", deepest(&why))
        })
    }
}

/// Host and port, and the path if there is one; never a user or password.
pub(super) fn name(url: &Url) -> String {
    let port = url.port_or_known_default().map(|it| format!(":{it}")).unwrap_or_default();
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path().trim_end_matches('/'))
}

/// Code and words of an answer that is not wanted.
async fn refusal(response: &mut reqwest::Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > REFUSAL_BYTES_MAX {
            break;
        }
    }
    let text = String::from_utf8_lossy(&body);
    let plain: String =
        text.trim().chars().filter(|c| !c.is_control()).take(WHY_CHARS_MAX).collect();
    format!("answers {}: {plain}", response.status().as_u16())
}

fn date(headers: &HeaderMap) -> Option<String> {
    headers.get(DATE)?.to_str().ok().map(str::to_owned)
}

/// The first cause: what wraps it names the address, and only says that a request failed.
fn deepest(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Trusts what the system trusts and the extra roots; with our certificate if there is one.
fn tls(settings: &Alertmanager, name: &str) -> Result<ClientConfig, ClientError> {
    let mut roots = trust::system_roots();
    for pem in &settings.extra_roots_pem {
        let wrong = |why: &dyn std::fmt::Display| ClientError::Roots(name.into(), why.to_string());
        for root in CertificateDer::pem_slice_iter(pem) {
            roots.add(root.map_err(|why| wrong(&why))?).map_err(|why| wrong(&why))?;
        }
    }
    let builder =
        trust::trusting(roots).map_err(|why| ClientError::Client(name.into(), why.to_string()))?;
    let Some(identity) = &settings.identity_pem else { return Ok(builder.with_no_client_auth()) };
    let wrong = |why: &str| ClientError::Identity(name.into(), why.to_owned());
    let pem = identity.reveal().as_bytes();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong("its certificates are not PEM"))?;
    let key =
        PrivateKeyDer::from_pem_slice(pem).map_err(|_| wrong("there is no key in the PEM"))?;
    builder.with_client_auth_cert(chain, key).map_err(|why| wrong(&why.to_string()))
}
