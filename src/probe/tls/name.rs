//! Distinguished names as text (RFC 4514).

use std::fmt::Write as _;

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::model::bytes::hex;

/// Attribute types with a name of their own: those of RFC 4514, section 3, and two that
/// certificates of offices have (X.520).
const KNOWN: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.17", "POSTALCODE"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// `name` from its last part to its first, with commas between (section 2.1).
pub(super) fn text(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = name
        .iter_rdn()
        .map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+"))
        .collect();
    parts.reverse();
    parts.join(",")
}

/// One attribute: what has no name or is no text is written in hexadecimal (section 2.4).
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let known = KNOWN.iter().find(|(id, _)| *id == oid).map(|(_, name)| *name);
    match (known, attribute.as_str()) {
        (Some(name), Ok(value)) => format!("{name}={}", escaped(value)),
        _ => format!("{}=#{}", known.unwrap_or(&oid), hex(attribute.as_slice())),
    }
}

/// A value with what would be read as something else behind a backslash.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, sign) in value.chars().enumerate() {
        let special = matches!(sign, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (at == 0 && matches!(sign, '#' | ' '))
            || (at == last && sign == ' ');
        match sign {
            '\0' => _ = text.write_str("\\00"),
            _ if special => text.extend(['\\', sign]),
            _ => text.push(sign),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use x509_parser::certificate::X509Certificate;
    use x509_parser::prelude::FromDer;

    use super::*;

    #[test]
    fn a_name_is_written_from_its_last_part_to_its_first() {
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "VN");
        name.push(DnType::OrganizationName, "Bộ A, phòng \"B\" ");
        name.push(DnType::CustomDnType(vec![1, 2, 3, 4]), "x");
        name.push(DnType::CommonName, "#a.vn+b");
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (_, read) = X509Certificate::from_der(made.der()).unwrap();
        assert_eq!(
            text(read.subject()),
            "CN=\\#a.vn\\+b,1.2.3.4=#78,O=Bộ A\\, phòng \\\"B\\\"\\ ,C=VN"
        );
    }
}
