//! What a handshake showed, as metrics.

use crate::model::observation::TlsFacts;
use crate::model::time::Millis;

use super::super::text::Page;

/// Adds the certificates, the version and, where `cipher` asks for it, the cipher suite.
pub(super) fn answer(facts: &TlsFacts, cipher: bool, page: &mut Page) {
    page.labelled(
        "probe_tls_version_info",
        "The TLS version spoken",
        ("version", facts.version),
        1.0,
    );
    if cipher {
        // Go has no infix for TLS 1.3.
        let name = facts.cipher.replacen("TLS13_", "TLS_", 1);
        page.labelled("probe_tls_cipher_info", "The cipher suite in use", ("cipher", &name), 1.0);
    }
    if let Some(earliest) = facts.chain.iter().map(|it| it.not_after).min() {
        let help = "When the first of the certificates sent ends, as Unix time";
        page.gauge("probe_ssl_earliest_cert_expiry", help, seconds(earliest));
    }
    if let Some(ends) = facts.chain_not_after {
        let help = "When the verified chain that lasts longest ends, as Unix time";
        page.gauge("probe_ssl_last_chain_expiry_timestamp_seconds", help, seconds(ends));
    }
    if let Some(leaf) = facts.chain.first() {
        let is_name = |name: &&String| name.parse::<std::net::IpAddr>().is_err();
        let names: Vec<_> = leaf.names.iter().filter(is_name).map(String::as_str).collect();
        let serial = leaf.serial.trim_start_matches('0');
        let labels = [
            ("fingerprint_sha256", leaf.sha256.as_str()),
            ("subject", &leaf.subject),
            ("issuer", &leaf.issuer),
            ("subjectalternative", &names.join(",")),
            ("serialnumber", if serial.is_empty() { "0" } else { serial }),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let help = "What the server's own certificate says";
        page.sample("probe_ssl_last_chain_info", help, labels.to_vec(), 1.0);
    }
}

/// Whole seconds of Unix time.
fn seconds(at: Millis) -> f64 {
    at.0.div_euclid(1_000) as f64
}
