//! Signatures of requests: the receiver knows that we wrote them, and when.

use crate::model::bytes::hex;
use ring::hmac;

/// `sha256=<hex of HMAC-SHA256(key, "<seconds>.<body>")>` (RFC 2104, FIPS 180-4). With the time
/// in it, an old request can't be played back.
#[must_use]
pub fn signature(key: &[u8], seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    format!("sha256={}", hex(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// By `printf '1795396440.{"a":"đ"}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn it_is_what_openssl_says() {
        assert_eq!(
            signature(b"key", 1_795_396_440, "{\"a\":\"đ\"}".as_bytes()),
            "sha256=58be888ebe9784500db46ec0e368a3dad2340026d6c456eda7cb27533e62c4da"
        );
    }
}
