//! Names and values of headers and of gRPC metadata.

use http::{HeaderName, HeaderValue};

use super::NotAn;

pub(crate) use crate::model::secret::is_credential;

/// Headers that the program sets itself; a second one would break the message.
const OWN: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The name of a header, lower case.
pub(crate) fn name(text: &str) -> Result<String, NotAn> {
    HeaderName::from_bytes(text.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| NotAn::HeaderName { written: text.to_owned() })
}

/// The name of a header that may be set, lower case.
pub(crate) fn settable_name(text: &str) -> Result<String, NotAn> {
    let name = name(text)?;
    if OWN.contains(&name.as_str()) { Err(NotAn::OwnHeader { written: name }) } else { Ok(name) }
}

/// The name of a header that may be sent to a proxy with `CONNECT`, lower case.
pub(crate) fn connect_name(text: &str) -> Result<String, NotAn> {
    let name = settable_name(text)?;
    if name == "host" { Err(NotAn::OwnHeader { written: name }) } else { Ok(name) }
}

/// The same for the opening request of a WebSocket, whose own headers are ours.
pub(crate) fn opening_name(text: &str) -> Result<String, NotAn> {
    let name = settable_name(text)?;
    let ours = name.starts_with("sec-websocket-");
    if ours { Err(NotAn::OwnHeader { written: name }) } else { Ok(name) }
}

/// Whether `text` can name a subprotocol of WebSocket: a token (RFC 6455, section 4.1).
pub(crate) fn subprotocol(text: &str) -> Result<(), NotAn> {
    let not = |_| NotAn::Subprotocol { written: text.to_owned() };
    HeaderName::from_bytes(text.as_bytes()).map(drop).map_err(not)
}

/// The name of gRPC metadata with a text as value.
pub(crate) fn metadata_name(text: &str) -> Result<String, NotAn> {
    let plain =
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    let ours = text.starts_with("grpc-")
        || text.ends_with("-bin")
        || OWN.contains(&text)
        || text == "content-type";
    if text.is_empty() || !plain || ours {
        return Err(NotAn::MetadataName { written: text.to_owned() });
    }
    Ok(text.to_owned())
}

/// Whether `text` can be the value of a header: one line of visible ASCII and blanks.
pub(crate) fn value(text: &str) -> Result<(), NotAn> {
    let sound = HeaderValue::from_str(text).is_ok() && text.is_ascii() && text.trim() == text;
    if sound { Ok(()) } else { Err(NotAn::HeaderValue) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_and_values_are_one_visible_line() {
        assert_eq!(name("X-Api-Key"), Ok("x-api-key".to_owned()));
        assert!(name("a b").is_err() && name("").is_err() && name("é").is_err());
        assert!(settable_name("Content-Length").is_err() && settable_name("Host").is_ok());
        assert!(connect_name("Host").is_err() && connect_name("User-Agent").is_ok());
        assert!(opening_name("Sec-WebSocket-Key").is_err() && opening_name("Origin").is_ok());
        assert!(subprotocol("v12.stomp").is_ok() && subprotocol("a, b").is_err());
        assert!(metadata_name("grpc-timeout").is_err() && metadata_name("Authorization").is_err());
        assert!(value("text/html; q=0.5").is_ok());
        assert!(value("a\r\nb").is_err() && value("Việt").is_err() && value(" a").is_err());
    }

    #[test]
    fn headers_that_prove_who_one_is_are_known() {
        for credential in ["Authorization", "Cookie", "X-Api-Key", "x_auth_token"] {
            assert!(is_credential(credential), "{credential}");
        }
        assert!(!is_credential("accept") && !is_credential("x-request-id"));
    }
}
