//! Whether every channel and Alertmanager of a configuration can be set up: what only rustls or
//! the mail part can say of a root, a key or a sender, before anything goes by it.

use std::sync::Arc;

use crate::alert::channel::alertmanager::Client;
use crate::alert::channel::{AtHand, Sender, StoreFuture, TokenPair, TokenStore};
use crate::model::alerting::Alerting;
use crate::model::id::ChannelId;

/// What can't be set up, a line each. Sets up everything once and lets it go: blocks for some
/// milliseconds.
#[must_use]
pub fn unusable(alerting: &Alerting) -> Vec<String> {
    let tokens: Arc<dyn TokenStore> = Arc::new(NoTokens::default());
    let channels = alerting.channels.iter().filter_map(|it| {
        let why = Sender::new(it, &tokens).err()?;
        Some(format!("[[channel]] `{}` can't be used: {why}", it.id))
    });
    let alertmanagers = alerting.alertmanagers.iter().filter_map(|it| {
        let why = Client::new(it).err()?;
        Some(format!("[[alertmanager]] can't be used: {why}"))
    });
    channels.chain(alertmanagers).collect()
}

/// For channels that send nothing.
#[derive(Default, Debug)]
struct NoTokens(AtHand);

impl TokenStore for NoTokens {
    fn load<'a>(&'a self, _: &'a ChannelId) -> StoreFuture<'a, Option<TokenPair>> {
        Box::pin(async { Ok(None) })
    }

    fn save<'a>(&'a self, _: &'a ChannelId, _: &'a TokenPair) -> StoreFuture<'a, ()> {
        Box::pin(async { Err("nothing is kept here".to_owned()) })
    }

    fn at_hand(&self) -> &AtHand {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::reload::read;
    use crate::app::{AppError, Options};

    /// Certificates by their looks, which no TLS library takes.
    const ROOTS: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[tokio::test]
    async fn what_rustls_refuses_is_a_mistake_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("roots.pem"), ROOTS).unwrap();
        let text = |roots: &str| {
            format!(
                "[monitor]\nvantage = \"v\"\n[[alertmanager]]\nurl = \"https://am.example:9093/\"\n{roots}\n\
                 [[channel]]\nid = \"thu\"\nkind = \"email\"\nserver = \"mail.example:587\"\n\
                 from = \"a@example.gov.vn\"\n{roots}\n"
            )
        };
        let options = Options {
            config: file("t.toml"),
            data: None,
            listen: None,
            blackbox: None,
            environment: |_| None,
        };
        std::fs::write(file("t.toml"), text("")).unwrap();
        let (good, _) = read(&options).await.unwrap_or_else(|it| panic!("{it}"));
        assert_eq!(unusable(&good.alerting), [""; 0]);
        std::fs::write(file("t.toml"), text("roots = \"roots.pem\"")).unwrap();
        let error = read(&options).await.unwrap_err();
        assert_eq!(error.exit_code(), 78, "{error}");
        let AppError::Unusable(lines) = error else { panic!("{error}") };
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("[[channel]] `thu`"), "{lines:?}");
        assert!(lines[1].contains("[[alertmanager]]") && lines[1].contains("am.example:9093"));
    }
}
