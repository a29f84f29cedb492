//! `thongsuot status`: the country at a glance, in a terminal.

mod table;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use super::run::runtime;

/// Longest that the daemon is waited for.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Show the country at a glance, from a running daemon.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Where the daemon serves.
    #[arg(long, default_value = "http://127.0.0.1:9247")]
    url: String,
    /// A file with the bearer token, if the daemon asks for one.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The language of the words.
    #[arg(long, value_enum, default_value_t = Language::Vi)]
    lang: Language,
    /// Show each check, not only systems.
    #[arg(long, short)]
    checks: bool,
    /// Print the daemon's JSON as it is.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Tiếng Việt.
    Vi,
    /// English.
    En,
}

impl Status {
    #[expect(clippy::print_stdout, reason = "the answer of the command")]
    pub(super) fn run(self) -> Result<(), Failure> {
        let token = match &self.token_file {
            None => None,
            Some(file) => Some(std::fs::read_to_string(file).map_err(|why| {
                Failure::Ours(format!("can't read the token file {}: {why}", file.display()))
            })?),
        };
        let url = format!("{}/api/v1/systems", self.url.trim_end_matches('/'));
        let text = runtime()?.block_on(fetch(&url, token.as_deref().map(str::trim)))?;
        if self.json {
            println!("{text}");
            return Ok(());
        }
        let country: table::Country = serde_json::from_str(&text)
            .map_err(|why| Failure::Ours(format!("{url} answers something else: {why}")))?;
        let looks = table::Looks {
            colour: std::io::stdout().is_terminal(),
            vietnamese: self.lang == Language::Vi,
            checks: self.checks,
        };
        print!("{}", table::text(&country, looks));
        Ok(())
    }
}

/// The first cause: what wraps it only says that a request failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |it| it.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// A client that trusts what the system trusts.
fn caller() -> Result<reqwest::Client, Box<dyn std::error::Error>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(TIMEOUT).build()?)
}

async fn fetch(url: &str, token: Option<&str>) -> Result<String, Failure> {
    let ours = |why: String| Failure::Ours(why);
    let client = caller().map_err(|why| ours(format!("can't call anybody: {why}")))?;
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let unreachable = |why: reqwest::Error| {
        ours(format!(
            "no answer from {url}: {}\nhelp: is the daemon running? `--url` names another",
            deepest(&why)
        ))
    };
    let response = request.send().await.map_err(unreachable)?;
    match response.status().as_u16() {
        200 => response.text().await.map_err(unreachable),
        401 => Err(ours(format!("{url} wants a token: give it with --token-file"))),
        status => Err(ours(format!("{url} answers {status}"))),
    }
}
