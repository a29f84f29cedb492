//! URLs of checks and proxies.

use url::Url;

use super::NotAn;
use crate::model::spec::Peer;

/// Why a text is not a URL that can be checked. A user and password in it are never repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAUrl {
    /// No scheme.
    #[error("`{written}` is not a whole URL: it has no scheme")]
    NoScheme {
        /// As written.
        written: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// Some other reason.
    #[error("this is not a URL: {problem}")]
    Malformed {
        /// The parser's words.
        problem: String,
    },
    /// A scheme that is not for this.
    #[error("scheme `{scheme}` is not for this: only {wanted} is")]
    Scheme {
        /// As written.
        scheme: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// A user or a password.
    #[error("a URL must not hold a user or password")]
    User,
    /// A fragment.
    #[error("fragment `#{fragment}` is never sent to the server")]
    Fragment {
        /// As written.
        fragment: String,
    },
    /// Port 0.
    #[error("port 0 can't be reached")]
    Port,
    /// A proxy with a path.
    #[error("a proxy has no path: write only scheme, host and port")]
    ProxyPath,
}

impl NotAUrl {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoScheme { written, wanted } if wanted.starts_with("`ws`") => {
                format!("write `wss://{written}`")
            }
            Self::NoScheme { written, .. } => format!("write `https://{written}`"),
            Self::Malformed { .. } => "write, for example, `https://vneid.gov.vn/`".to_owned(),
            Self::Scheme { scheme, wanted } if wanted.starts_with("`http`") => {
                match scheme.as_str() {
                    "tcp" | "tls" | "dns" | "icmp" | "grpc" => {
                        format!("write `kind = \"{scheme}\"`")
                    }
                    "ws" | "wss" => "write `kind = \"websocket\"`".to_owned(),
                    _ => format!("write {wanted}"),
                }
            }
            Self::Scheme { wanted, .. } => format!("write {wanted}"),
            Self::User => {
                "take them out: a check has `auth`, a proxy `user` and `password`".to_owned()
            }
            Self::Fragment { .. } => "take it out".to_owned(),
            Self::Port | Self::ProxyPath => return None,
        })
    }
}

/// A URL of `http` or `https`, without user, password or fragment.
pub(crate) fn http(text: &str) -> Result<Url, NotAn> {
    let url = parse(text, &["http", "https"], "`http` or `https`")?;
    if let Some(fragment) = url.fragment() {
        return Err(NotAUrl::Fragment { fragment: fragment.to_owned() }.into());
    }
    Ok(url)
}

/// A URL of `ws` or `wss`, without user, password or fragment (RFC 6455, section 3).
pub(crate) fn websocket(text: &str) -> Result<Url, NotAn> {
    let url = parse(text, &["ws", "wss"], "`ws` or `wss`")?;
    if let Some(fragment) = url.fragment() {
        return Err(NotAUrl::Fragment { fragment: fragment.to_owned() }.into());
    }
    Ok(url)
}

/// Where an HTTP proxy listens.
pub(crate) fn proxy(text: &str) -> Result<Peer, NotAn> {
    let url = parse(text, &["http"], "`http`")?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(NotAUrl::ProxyPath.into());
    }
    let host = url.host().map(|host| host.to_owned());
    let malformed = || NotAUrl::Malformed { problem: "it has no host".to_owned() };
    let host = host.ok_or_else(malformed)?;
    Ok(Peer { host, port: url.port_or_known_default().unwrap_or(80) })
}

fn parse(text: &str, schemes: &[&str], wanted: &'static str) -> Result<Url, NotAUrl> {
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase if !text.contains('@') => {
            NotAUrl::NoScheme { written: text.trim_start_matches('/').to_owned(), wanted }
        }
        error => NotAUrl::Malformed { problem: error.to_string() },
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotAUrl::User);
    }
    if !schemes.contains(&url.scheme()) {
        let looks_like_host = url.cannot_be_a_base() && !text.contains('@');
        return Err(if looks_like_host && url.scheme().contains('.') {
            NotAUrl::NoScheme { written: text.to_owned(), wanted }
        } else {
            NotAUrl::Scheme { scheme: url.scheme().to_owned(), wanted }
        });
    }
    if url.port() == Some(0) {
        return Err(NotAUrl::Port);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_whole_and_hold_no_secret() {
        let check = |text: &str, expected: &str| {
            let got = http(text).map_or_else(|not| not.to_string(), |url| url.to_string());
            assert_eq!(got, expected, "{text}");
        };
        check("https://vneid.gov.vn", "https://vneid.gov.vn/");
        check("http://[::1]:8080/a?b=c", "http://[::1]:8080/a?b=c");
        check("vneid.gov.vn/a", "`vneid.gov.vn/a` is not a whole URL: it has no scheme");
        check("vneid.gov.vn:443", "`vneid.gov.vn:443` is not a whole URL: it has no scheme");
        check("ftp://a.vn/", "scheme `ftp` is not for this: only `http` or `https` is");
        check("https://u:hunter2@a.vn/", "a URL must not hold a user or password");
        check("https://a.vn/#x", "fragment `#x` is never sent to the server");
        check("https://a.vn:0/", "port 0 can't be reached");
        check("https://", "this is not a URL: empty host");
        check("https://a.vn:99999/", "this is not a URL: invalid port number");
    }

    #[test]
    fn a_websocket_has_schemes_of_its_own() {
        assert_eq!(websocket("wss://a.vn/ws?x=1").unwrap().as_str(), "wss://a.vn/ws?x=1");
        for bad in ["https://a.vn/", "a.vn", "ws://u:p@a.vn/", "ws://a.vn/#x", "ws://a.vn:0/"] {
            assert!(websocket(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        assert_eq!(proxy("http://10.0.0.1:3128").unwrap().port, 3128);
        assert_eq!(proxy("http://proxy.vn").unwrap().port, 80);
        for bad in ["https://a", "http://a/b", "10.0.0.1:3128", "http://u:p@a", "socks5://a"] {
            assert!(proxy(bad).is_err(), "{bad}");
        }
    }
}
