//! Tokens by the client's credentials (RFC 6749, section 4.4), fetched apart from the run.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::model::expect::HttpExpect;
use crate::model::how::How;
use crate::model::observation::Detail;
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::{Auth, HttpOffer, HttpSpec, OAuth2, RedirectTo, Redirects, TlsClient};
use crate::model::time::{Micros, Millis};
use crate::probe::net::Net;
use crate::probe::stopwatch::{Fault, Stopwatch};

use super::{Arrival, Asked, Trip, travel};

/// Most tokens kept; when full, all are forgotten and fetched anew.
const TOKENS_MAX: usize = 1_024;

/// Most bytes of a token endpoint's answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A token is not used in the last part of its life: the run that carries it must end before.
const MARGIN: Duration = Duration::from_secs(30);

/// How long a token is kept if the endpoint does not say how long it lives.
const UNSTATED_LIFE: Duration = Duration::from_mins(1);

/// Longest that a token is kept, whatever the endpoint says.
const LIFE_MAX: Duration = Duration::from_hours(24);

/// A token and when to fetch the next.
type Slot = Arc<Mutex<Option<(Secret, Instant)>>>;

/// Every token in use, each fetched by one run at a time.
#[derive(Debug, Default)]
pub(in crate::probe) struct Tokens {
    slots: std::sync::Mutex<HashMap<OAuth2, Slot>>,
}

impl Tokens {
    fn slot(&self, key: OAuth2) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= TOKENS_MAX {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// Drops the token of `auth`: the service does not take it.
    pub(super) fn forget(&self, auth: &Auth) {
        if let Some(key) = key_of(auth) {
            self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        }
    }
}

fn key_of(auth: &Auth) -> Option<&OAuth2> {
    match auth {
        Auth::OAuth2(key) => Some(key),
        _ => None,
    }
}

/// The token for the run, if it needs one: the one kept, or a new one within `timeout`.
///
/// # Errors
///
/// `auth_refused` if the endpoint refuses or can't be reached; a void reason if our side fails.
pub(super) async fn fetch(
    spec: &HttpSpec,
    proxy: Option<&[IpAddr]>,
    timeout: Micros,
    how: How,
    net: &Net,
    now: Millis,
) -> Result<Option<Secret>, Fault> {
    let Some(key) = key_of(&spec.auth) else { return Ok(None) };
    let slot = net.tokens.slot(key.clone());
    let late = || Fault::new(Reason::AuthRefused, "the token endpoint did not answer in time");
    let deadline = Instant::now() + timeout.duration();
    let mut kept = timeout_at(deadline, slot.lock()).await.map_err(|_elapsed| late())?;
    if let Some((token, _)) = kept.as_ref().filter(|(_, until)| Instant::now() < *until) {
        return Ok(Some(token.clone()));
    }
    let left = Micros::of(deadline.saturating_duration_since(Instant::now()));
    let question = question(spec, key);
    let trip = Trip { spec: &question, token: None, proxy, how, net, now };
    let mut watch = Stopwatch::start(left);
    let (mut head, mut unused) = (None, Detail::default());
    let first = Asked::first(&question)?;
    let got = travel(&trip, first, &mut head, &mut watch, &mut unused).await.map_err(|fault| {
        let own = fault.reason.outcome() == crate::model::outcome::Outcome::Void;
        let reason = if own { fault.reason } else { Reason::AuthRefused };
        Fault::new(reason, format!("fetching a token: {}", fault.why))
    })?;
    let (token, life) = read(&got)?;
    *kept = Some((token.clone(), Instant::now() + life));
    Ok(Some(token))
}

/// The request for a token, by the same way as the run's own.
fn question(spec: &HttpSpec, key: &OAuth2) -> HttpSpec {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !key.scopes.is_empty() {
        form.append_pair("scope", &key.scopes.join(" "));
    }
    for (name, value) in &key.params {
        form.append_pair(name, value.reveal());
    }
    // Encoded before they are joined (RFC 6749, section 2.3.1).
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let plain = |text: &str| Secret::new(text.to_owned());
    HttpSpec {
        url: key.token_url.clone(),
        method: "POST".to_owned(),
        headers: vec![
            ("content-type".to_owned(), plain("application/x-www-form-urlencoded")),
            ("accept".to_owned(), plain("application/json")),
        ],
        body: Some(form.finish().into_bytes()),
        auth: Auth::Basic {
            user: encode(&key.client_id),
            password: Secret::new(encode(key.client_secret.reveal())),
        },
        tls: key.tls.clone().unwrap_or_else(|| TlsClient {
            identity_pem: None,
            server_name: None,
            ..spec.tls.clone()
        }),
        proxy: spec.proxy.clone(),
        redirects: Redirects { hops_max: 0, to: RedirectTo::SameHost, downgrade: false },
        offer: HttpOffer::Auto,
        compressed: false,
        body_bytes_cap: ANSWER_BYTES_MAX,
        expect: anything(spec),
    }
}

/// No expectation: the answer is read by hand, and never judged by these.
fn anything(spec: &HttpSpec) -> HttpExpect {
    let status = spec.expect.status.clone();
    HttpExpect { status, blocked: false, ..HttpExpect::default() }
}

/// The token and how long to keep it. What the endpoint says is never told: it may be secret.
fn read(got: &Arrival) -> Result<(Secret, Duration), Fault> {
    let refused = |why: String| Fault::new(Reason::AuthRefused, why);
    if got.status != 200 {
        return Err(refused(format!("the token endpoint answered with status {}", got.status)));
    }
    let answer: serde_json::Value = serde_json::from_slice(&got.body)
        .map_err(|_| refused("the token endpoint's answer is not JSON".to_owned()))?;
    let token = answer.get("access_token").and_then(serde_json::Value::as_str);
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused("the token endpoint gave no token".to_owned()))?;
    if !is_b64token(token) {
        let why = "the token endpoint gave a token that can't be sent in a header";
        return Err(refused(why.to_owned()));
    }
    // A number by the RFC, a text by some.
    let life = answer
        .get("expires_in")
        .and_then(|it| it.as_u64().or_else(|| it.as_str().and_then(|text| text.parse().ok())));
    let life = life.map_or(UNSTATED_LIFE, |seconds| {
        Duration::from_secs(seconds).saturating_sub(MARGIN).min(LIFE_MAX)
    });
    Ok((Secret::new(token.to_owned()), life))
}

/// Whether `token` is what a bearer's header can hold (RFC 6750, section 2.1).
fn is_b64token(token: &str) -> bool {
    let bare = token.trim_end_matches('=');
    let letter = |it: u8| it.is_ascii_alphanumeric() || b"-._~+/".contains(&it);
    !bare.is_empty() && bare.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_no_header_can_hold_is_refused() {
        for (token, expected) in [
            ("eyJ0.eXAi-_~+/x==", true),
            ("a", true),
            ("", false),
            ("==", false),
            ("a=b", false),
            ("a b", false),
            ("a\r\nx: y", false),
            ("a\u{7f}", false),
            ("khóa", false),
        ] {
            assert_eq!(is_b64token(token), expected, "{token:?}");
        }
    }
}
