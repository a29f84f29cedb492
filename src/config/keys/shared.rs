//! Shapes that several kinds of check share.

use super::{Choice, Form, Key, PATH, Shape, Table, optional, plain};

/// Status codes and ranges of them.
pub(crate) const STATUS: Shape = Shape::List {
    of: &Shape::Either(&[
        Shape::Integer { min: 100, max: 599, unit: "" },
        Shape::Text(Form::StatusRange),
    ]),
    min: 1,
};

/// TLS on or off, or on with settings.
pub(crate) const TLS_SWITCH: Shape = Shape::Either(&[Shape::Bool, Shape::Table(&TLS_CLIENT)]);

/// How to speak TLS.
pub(crate) static TLS_CLIENT: Table = plain(
    "tls",
    "How to speak TLS to the server.",
    &[
        optional(
            "verify",
            Shape::Bool,
            "true",
            "false",
            "Whether a certificate that does not verify fails the run. Its facts are kept either \
             way.",
        ),
        optional(
            "roots",
            PATH,
            "none",
            r#""roots/chuyen-dung.pem""#,
            "PEM file with more certificates to trust, for this check.",
        ),
        optional(
            "cert",
            PATH,
            "none",
            r#""client.pem""#,
            "PEM file with our own certificate, for servers that ask for one; needs `key`.",
        ),
        optional(
            "key",
            Shape::Secret,
            "none",
            r#"{ file = "client.key" }"#,
            "PEM with the private key of `cert`.",
        ),
        optional(
            "server_name",
            Shape::Text(Form::Host),
            "the host",
            r#""www.example.gov.vn""#,
            "The name to ask for and to verify.",
        ),
        optional(
            "version_min",
            Shape::Word(&["1.2", "1.3"]),
            "1.2",
            r#""1.3""#,
            "Lowest TLS version accepted.",
        ),
        optional(
            "version_max",
            Shape::Word(&["1.2", "1.3"]),
            "1.3",
            r#""1.2""#,
            "Highest TLS version offered.",
        ),
    ],
);

/// What a certificate must be, for kinds without other expectations.
pub(crate) static CERT_EXPECT: Table = plain(
    "expect (tcp, unix, websocket, tls, grpc)",
    "What the certificate must be, beyond being valid.",
    &[CERT_DAYS, CHAIN_DAYS],
);

/// Days the leaf has left.
pub(crate) const CERT_DAYS: Key = optional(
    "cert_days",
    Shape::Integer { min: 0, max: 3_650, unit: "days" },
    "none",
    "14",
    "Fewest whole days until the certificate expires.",
);

/// Days the chain has left.
pub(crate) const CHAIN_DAYS: Key = optional(
    "chain_days",
    Shape::Integer { min: 0, max: 3_650, unit: "days" },
    "none",
    "14",
    "Fewest whole days until the first certificate of the verified chain expires.",
);

/// A header value, or where to find it.
pub(crate) const HEADER_VALUE: Shape =
    Shape::Either(&[Shape::Text(Form::HeaderValue), Shape::Table(&SECRET)]);

/// Where a secret is.
pub(crate) static SECRET: Table = Table {
    title: "secret",
    doc: "Where a secret is found. The secret itself never stands in a configuration file. The \
          newline at its end is cut.",
    keys: &[
        optional(
            "file",
            PATH,
            "-",
            r#""/run/secrets/token""#,
            "A file that holds it and nothing else, relative to the file it is written in.",
        ),
        optional(
            "env",
            Shape::Text(Form::EnvName),
            "-",
            r#""THONGSUOT_TOKEN""#,
            "The name of an environment variable that holds it.",
        ),
    ],
    kinds: &[],
    choice: Choice::One(&["file", "env"]),
};
