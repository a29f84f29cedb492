//! What a broken QUIC connection means. Pure.

use quinn::{ConnectionError, TransportErrorCode};

use crate::model::reason::Reason;
use crate::probe::stopwatch::Fault;

/// Codes of TLS alerts in QUIC (RFC 9001, section 4.8).
const TLS_CODES: std::ops::Range<u64> = 0x100..0x200;

/// The alert `no_application_protocol` (RFC 7301, section 3.2).
const ALERT_NO_PROTOCOL: u64 = 120;

/// The alert `protocol_version` (RFC 8446, section 6.2).
const ALERT_VERSION: u64 = 70;

/// Alerts on a certificate, from `bad_certificate` to `certificate_unknown` and `unknown_ca`.
const ALERTS_CERTIFICATE: [u64; 6] = [42, 43, 44, 45, 46, 48];

/// The fault of a handshake that ended in `error`.
pub(super) fn of_handshake(error: &ConnectionError) -> Fault {
    let reason = match error {
        ConnectionError::VersionMismatch => Reason::HttpVersion,
        ConnectionError::ConnectionClosed(close) => of_code(close.error_code, true),
        ConnectionError::TransportError(error) => of_code(error.code, false),
        ConnectionError::Reset => Reason::ConnectReset,
        _ => Reason::TlsHandshake,
    };
    let why = match (reason, error) {
        (Reason::HttpVersion, ConnectionError::VersionMismatch) => {
            "expected HTTP/3, the server speaks no version of QUIC that we do".to_owned()
        }
        (Reason::HttpVersion, _) => {
            "expected HTTP/3, the server does not offer it by ALPN".to_owned()
        }
        _ => format!("QUIC handshake: {error}"),
    };
    Fault::new(reason, why)
}

fn of_code(code: TransportErrorCode, by_peer: bool) -> Reason {
    if code == TransportErrorCode::CONNECTION_REFUSED && by_peer {
        return Reason::ConnectRefused;
    }
    let code = u64::from(code);
    match code.wrapping_sub(TLS_CODES.start) {
        ALERT_NO_PROTOCOL => Reason::HttpVersion,
        ALERT_VERSION => Reason::TlsVersion,
        // What the server says of certificates, it says of ours.
        alert if !by_peer && ALERTS_CERTIFICATE.contains(&alert) => Reason::TlsInvalid,
        _ => Reason::TlsHandshake,
    }
}

/// Whether `error` is a refusal by the server's TLS, which may come when our side of the
/// handshake is done: it does not like our certificate.
pub(in crate::probe) fn is_of_tls(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::ConnectionClosed(close)
        if TLS_CODES.contains(&u64::from(close.error_code)))
}

#[cfg(test)]
mod tests {
    use quinn::{ApplicationClose, ConnectionClose};

    use super::*;

    #[track_caller]
    fn check(error: &ConnectionError, expected: Reason) {
        assert_eq!(of_handshake(error).reason, expected, "{error}");
    }

    fn closed(error_code: TransportErrorCode) -> ConnectionError {
        let reason = b"x".to_vec().into();
        ConnectionError::ConnectionClosed(ConnectionClose { error_code, frame_type: None, reason })
    }

    #[test]
    fn a_handshake_says_whose_fault_it_is() {
        check(&ConnectionError::VersionMismatch, Reason::HttpVersion);
        check(&ConnectionError::Reset, Reason::ConnectReset);
        check(&closed(TransportErrorCode::CONNECTION_REFUSED), Reason::ConnectRefused);
        check(&closed(TransportErrorCode::INTERNAL_ERROR), Reason::TlsHandshake);
        for (alert, theirs, ours) in [
            (120, Reason::HttpVersion, Reason::HttpVersion),
            (70, Reason::TlsVersion, Reason::TlsVersion),
            (42, Reason::TlsHandshake, Reason::TlsInvalid),
            (40, Reason::TlsHandshake, Reason::TlsHandshake),
        ] {
            let code = TransportErrorCode::crypto(alert);
            check(&closed(code), theirs);
            check(&ConnectionError::TransportError(code.into()), ours);
            assert!(is_of_tls(&closed(code)));
        }
        let close = ApplicationClose { error_code: 0u32.into(), reason: Vec::new().into() };
        check(&ConnectionError::ApplicationClosed(close), Reason::TlsHandshake);
        assert!(!is_of_tls(&closed(TransportErrorCode::INTERNAL_ERROR)));
    }
}
