//! Bearer tokens (RFC 6750).

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::model::secret::Secret;

/// Whether `given` is the secret, in a time that says nothing about either: the digests are
/// compared, whole.
#[must_use]
pub fn same(secret: &Secret, given: &str) -> bool {
    let (ours, theirs) = (Sha256::digest(secret.reveal()), Sha256::digest(given));
    ours.iter().zip(theirs.iter()).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

/// The token of `Authorization: Bearer …`; the scheme's case does not matter (RFC 9110,
/// section 11.1). A token may be any UTF-8, though RFC 6750 has only ASCII.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = std::str::from_utf8(headers.get(header::AUTHORIZATION)?.as_bytes()).ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let secret = Secret::new("tối mật".to_owned());
        assert!(same(&secret, "tối mật"));
        for other in ["", "tối", "tối mật ", "tối mật\0", "TỐI MẬT"] {
            assert!(!same(&secret, other), "{other:?}");
        }
    }

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer mật", Some("mật")),
            ("Basic abc", None),
            ("Bearer", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.as_bytes().try_into().unwrap());
            assert_eq!(bearer(&headers), expected, "{value}");
        }
    }
}
