//! Asking a running daemon.

use std::path::Path;

use serde::Deserialize;

use super::Failure;
use super::run::runtime;

/// Longest that the daemon is waited for.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// A daemon somewhere.
#[derive(Debug)]
pub(super) struct Daemon {
    url: String,
    token: Option<String>,
}

/// How the daemon refuses.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    hint: String,
}

impl Daemon {
    /// The one at `url`, asked with the token in a file.
    pub(super) fn new(url: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        if !url.contains("://") {
            return Err(Failure::Usage(format!("`--url {url}` has no scheme: write http://{url}")));
        }
        let token = token_file.map(std::fs::read_to_string).transpose().map_err(|why| {
            let file = token_file.unwrap_or(Path::new("")).display();
            Failure::Ours(format!("can't read the token file {file}: {why}"))
        })?;
        let token = token.map(|it| it.trim().to_owned());
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token })
    }

    /// What it answers at `path`.
    pub(super) fn get(&self, path: &str) -> Result<String, Failure> {
        self.ask(path, None)
    }

    /// What it answers to `body` at `path`.
    pub(super) fn post(&self, path: &str, body: Vec<u8>) -> Result<String, Failure> {
        self.ask(path, Some(body))
    }

    fn ask(&self, path: &str, body: Option<Vec<u8>>) -> Result<String, Failure> {
        let url = format!("{}{path}", self.url);
        runtime()?.block_on(self.fetch(&url, body))
    }

    async fn fetch(&self, url: &str, body: Option<Vec<u8>>) -> Result<String, Failure> {
        let ours = |why: String| Failure::Ours(why);
        let client = caller().map_err(|why| ours(format!("can't call anybody: {why}")))?;
        let mut request = match body {
            None => client.get(url),
            Some(body) => client.post(url).body(body),
        };
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let unreachable = |why: reqwest::Error| {
            ours(format!(
                "no answer from {url}: {}\nhelp: is the daemon running? `--url` names another",
                deepest(&why)
            ))
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(unreachable)?;
        match (status, serde_json::from_str::<Refusal>(&text)) {
            (200, _) => Ok(text),
            (401, _) => Err(ours(format!("{url} wants a token: give it with --token-file"))),
            (_, Ok(Refusal { error, hint })) => Err(ours(format!("{error}\nhelp: {hint}"))),
            (status, Err(_)) => Err(ours(format!("{url} answers {status}"))),
        }
    }
}

/// `text` as one segment of a path.
pub(super) fn in_path(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The first cause: what wraps it only says that a request failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |it| it.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// A client that trusts what the system trusts.
fn caller() -> Result<reqwest::Client, Box<dyn std::error::Error>> {
    let tls = crate::alert::channel::trust::system_tls()?;
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(TIMEOUT).build()?)
}
