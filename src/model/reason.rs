//! The closed list of reasons: the phase and the fault. The text of an error is never a label.
//!
//! A reason decides its outcome, so a result can't carry a pair that contradicts itself.
//! Codes are stored in files and are never reused; extend the list at its end.

mod words;

use super::outcome::Outcome;
use super::phases::Phase;

macro_rules! reasons {
    ($($(#[$doc:meta])* $code:literal $name:ident $text:literal $outcome:ident;)*) => {
        /// Why a run ended as it did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, by code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in metrics, files and the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The number in stored results.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// The reason with this stored number, if this version knows it.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// The reason with this name, if this version knows it.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)* _ => None }
            }

            /// The outcome that goes with it.
            #[must_use]
            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$name => Outcome::$outcome,)* }
            }
        }
    };
}

reasons! {
    /// Every expectation held, in time.
    0 None "none" Ok;
    /// Every expectation held, later than the `slow` threshold.
    1 OverSlow "over_slow" Slow;

    /// The name does not exist (RFC 1035, section 4.1.1, rcode 3), or has no address of the family asked.
    10 DnsNxdomain "dns_nxdomain" Unreachable;
    /// The name servers failed (rcode 2), refused, or answered nonsense or a loop.
    11 DnsServfail "dns_servfail" Unreachable;
    /// No name server answered, with time left on the run.
    12 DnsTimeout "dns_timeout" Unreachable;
    /// A closed port, a socket file that is not there or that nobody listens on, or an ICMP
    /// administrative refusal.
    13 ConnectRefused "connect_refused" Unreachable;
    /// The kernel gave up connecting, with time left on the run.
    14 ConnectTimeout "connect_timeout" Unreachable;
    /// Reset or closed while connecting or before the first byte was sent.
    15 ConnectReset "connect_reset" Unreachable;
    /// The network says the host or network can't be reached.
    16 ConnectUnreachable "connect_unreachable" Unreachable;
    /// The handshake broke: garbage, an alert, or a close.
    17 TlsHandshake "tls_handshake" Unreachable;
    /// No protocol version in common.
    18 TlsVersion "tls_version" Unreachable;
    /// The proxy answered, and would not connect us.
    19 ProxyRefused "proxy_refused" Unreachable;

    /// The deadline passed while resolving the name.
    30 TimeoutDns "timeout_dns" Unreachable;
    /// The deadline passed while connecting.
    35 TimeoutConnect "timeout_connect" Unreachable;
    /// The deadline passed in the TLS handshake.
    31 TimeoutTls "timeout_tls" Hang;
    /// The deadline passed while sending the request.
    32 TimeoutSend "timeout_send" Hang;
    /// The deadline passed before the first byte of the answer.
    33 TimeoutWait "timeout_wait" Hang;
    /// The deadline passed before the answer was complete.
    34 TimeoutReceive "timeout_receive" Hang;

    /// The leaf, or every chain, is past `notAfter`.
    40 TlsExpired "tls_expired" Error;
    /// The leaf, or every chain, is before `notBefore`.
    41 TlsNotYetValid "tls_not_yet_valid" Error;
    /// The certificate is for other names (RFC 6125).
    42 TlsNameMismatch "tls_name_mismatch" Error;
    /// A complete chain that ends at an issuer we do not trust.
    43 TlsUnknownIssuer "tls_unknown_issuer" Error;
    /// The server did not send the intermediate certificates.
    44 TlsChainIncomplete "tls_chain_incomplete" Error;
    /// Anything else that makes a certificate invalid.
    45 TlsInvalid "tls_invalid" Error;
    /// Fewer days left on the leaf or the chain than expected.
    46 TlsExpiresSoon "tls_expires_soon" Error;
    /// TLS where plain text was expected, or the reverse.
    47 TlsUnexpected "tls_unexpected" Error;

    /// Not one of the expected status codes.
    60 HttpStatus "http_status" Error;
    /// Not HTTP, too large a head, broken framing, or a close after the request was sent; a
    /// WebSocket that breaks its own rules.
    61 HttpProtocol "http_protocol" Error;
    /// Another HTTP version than expected.
    62 HttpVersion "http_version" Error;
    /// A header is missing, forbidden, or does not match.
    63 HeaderMismatch "header_mismatch" Error;
    /// An expected text or pattern is not in the body.
    64 BodyMissing "body_missing" Error;
    /// A forbidden text or pattern is in the body.
    65 BodyForbidden "body_forbidden" Error;
    /// The body is smaller than expected.
    66 BodyTooSmall "body_too_small" Error;
    /// The body is larger than the cap, or expands more than the ratio cap.
    67 BodyTooLarge "body_too_large" Error;
    /// The body could not be decoded as its header says.
    68 BodyEncoding "body_encoding" Error;
    /// The JSON is broken, or an expression does not hold.
    69 JsonMismatch "json_mismatch" Error;
    /// More redirects than allowed.
    70 RedirectLimit "redirect_limit" Error;
    /// A redirect that the policy forbids, or to nowhere.
    71 RedirectRefused "redirect_refused" Error;
    /// Slower than the expected response time.
    72 ResponseTime "response_time" Error;
    /// A token or login needed by the run was refused.
    73 AuthRefused "auth_refused" Error;

    /// A dialogue did not say what was expected.
    80 DialogueMismatch "dialogue_mismatch" Error;
    /// Closed in the middle of a dialogue.
    81 DialogueClosed "dialogue_closed" Error;
    /// The server does not offer STARTTLS.
    82 StarttlsRefused "starttls_refused" Error;
    /// Another DNS response code than expected.
    83 DnsRcode "dns_rcode" Error;
    /// Other DNS records than expected.
    84 DnsAnswer "dns_answer" Error;
    /// No DNS answer, or one that can't be parsed.
    85 DnsNoAnswer "dns_no_answer" Unreachable;
    /// No echo reply.
    86 IcmpNoReply "icmp_no_reply" Unreachable;
    /// The gRPC status is not OK.
    87 GrpcStatus "grpc_status" Error;
    /// The health service says something else than SERVING.
    88 GrpcNotServing "grpc_not_serving" Error;
    /// No beat arrived in time.
    89 HeartbeatLate "heartbeat_late" Unreachable;
    /// The owner's beat reports a failure.
    90 HeartbeatFailed "heartbeat_failed" Error;

    /// The data is older than allowed.
    100 DataAge "data_age" Stale;
    /// The data disagrees with its source.
    101 DataMismatch "data_mismatch" Stale;

    /// A firewall's or captcha's page instead of the service.
    110 WafBlock "waf_block" Blocked;
    /// Asked to slow down (429, RFC 6585, section 4).
    111 RateLimited "rate_limited" Blocked;

    /// Our own network is down: the control anchors fail too.
    120 SelfNet "self_net" Void;
    /// Our own resolver is down.
    121 SelfDns "self_dns" Void;
    /// No file descriptor, port or memory left on our side.
    122 Fd "fd" Void;
    /// Two earlier runs of the check are still in flight, or the slot came too late.
    123 Overrun "overrun" Void;
    /// The machine or the process stood still.
    124 Suspend "suspend" Void;
    /// Switched off by the operator, or by the host's kill switch.
    125 Paused "paused" Void;
    /// The result could not be stored.
    126 DiskFull "disk_full" Void;
    /// Left out because the service asked us to wait, or because of the host's rate cap.
    127 Backoff "backoff" Void;
    /// The monitor was not running.
    128 Stopped "stopped" Void;
    /// A fault of our own that has no better name; the log says more.
    129 Internal "internal" Void;
    /// The address may not be probed under the guard against private addresses.
    130 GuardRefused "guard_refused" Void;
    /// Our own secret (password, token, key) could not be read or fetched.
    131 SelfSecret "self_secret" Void;
    /// The wall clock was set, and these instants never were.
    132 ClockStep "clock_step" Void;
    /// No beat has arrived since we began to listen for one, and none is overdue yet.
    133 HeartbeatWaiting "heartbeat_waiting" Void;
}

impl Reason {
    /// The reason for a deadline that passed in `phase`.
    #[must_use]
    pub const fn timeout(phase: Phase) -> Self {
        match phase {
            Phase::Dns => Self::TimeoutDns,
            Phase::Connect => Self::TimeoutConnect,
            Phase::Tls => Self::TimeoutTls,
            Phase::Send => Self::TimeoutSend,
            Phase::Wait => Self::TimeoutWait,
            Phase::Receive => Self::TimeoutReceive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_go_both_ways() {
        let mut names = std::collections::HashSet::new();
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert!(names.insert(reason.as_str()), "{} twice", reason.as_str());
        }
        assert_eq!(Reason::from_code(255), None);
    }
}
