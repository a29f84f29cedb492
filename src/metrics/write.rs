//! The two text formats: Prometheus 0.0.4 and OpenMetrics 1.0.
//!
//! Counts and lengths are integers up to here and are printed exactly.

use super::family::{Family, Shape};

/// A format that a page can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0 text format.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that an `Accept` header asks for (RFC 9110, section 12.5.1); text if it says
    /// nothing that helps. Of equal weights OpenMetrics is preferred.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let (mut text, mut open) = (0, 0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let (mut weight, mut version) = (1_000, "");
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim() {
                    "q" => weight = thousandths(value.trim()),
                    "version" => version = value.trim().trim_matches('"'),
                    _ => {}
                }
            }
            if kind.eq_ignore_ascii_case("application/openmetrics-text") {
                if matches!(version, "" | "1.0.0") {
                    open = open.max(weight);
                }
            } else if ["text/plain", "text/*", "*/*"].iter().any(|it| kind.eq_ignore_ascii_case(it))
            {
                text = text.max(weight);
            }
        }
        if open > 0 && open >= text { Self::OpenMetrics } else { Self::Text }
    }
}

/// A weight `0` to `1.000` in thousandths; 0 if it is not one.
fn thousandths(text: &str) -> u16 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 {
        return 0;
    }
    format!("{whole}{decimals:0<3}").parse().map_or(0, |it: u16| it.min(1_000))
}

/// The value of a sample.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A number of things.
    Count(u64),
    /// Microseconds, printed as seconds.
    Micros(u64),
    /// Milliseconds since 1970, printed as Unix time in seconds.
    Millis(i64),
    /// Anything else; not printed exactly.
    Float(f64),
}

/// Labels of a sample, in order.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// Writes samples into a buffer, in one format.
#[derive(Debug)]
pub struct Writer<'a> {
    /// In which format.
    pub format: Format,
    /// Where to.
    pub out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    /// Begins a family. All its samples must follow before the next head.
    pub fn head(&mut self, family: &Family) {
        let name = match self.format {
            Format::Text => family.name,
            Format::OpenMetrics => family.stem(),
        };
        let shape = match (family.shape, self.format) {
            (Shape::Counter, _) => "counter",
            (Shape::Gauge, _) | (Shape::Info, Format::Text) => "gauge",
            (Shape::Histogram, _) => "histogram",
            (Shape::Info, Format::OpenMetrics) => "info",
        };
        self.text(&["# TYPE ", name, " ", shape, "\n"]);
        if let (Some(unit), Format::OpenMetrics) = (family.unit(), self.format) {
            self.text(&["# UNIT ", name, " ", unit, "\n"]);
        }
        self.text(&["# HELP ", name, " "]);
        self.escaped(family.help, self.format == Format::OpenMetrics);
        self.out.push(b'\n');
    }

    /// One sample of a counter, gauge or info.
    pub fn sample(&mut self, family: &Family, labels: Labels<'_>, value: Value) {
        self.text(&[family.name]);
        self.labels(labels, None);
        self.value(value);
    }

    /// One histogram: for each bound, in seconds as text, the number of values up to it that no
    /// lower bound has; after the last bound the number above it.
    pub fn histogram(
        &mut self,
        family: &Family,
        labels: Labels<'_>,
        bounds: &[String],
        counts: &[u64],
        sum: Value,
    ) {
        let mut total = 0;
        let ends = bounds.iter().map(String::as_str).chain(["+Inf"]);
        for (end, count) in ends.zip(counts) {
            total += count;
            self.text(&[family.name, "_bucket"]);
            self.labels(labels, Some(end));
            self.value(Value::Count(total));
        }
        self.text(&[family.name, "_sum"]);
        self.labels(labels, None);
        self.value(sum);
        self.text(&[family.name, "_count"]);
        self.labels(labels, None);
        self.value(Value::Count(total));
    }

    /// Ends the page.
    pub fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.text(&["# EOF\n"]);
        }
    }

    fn text(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    fn labels(&mut self, labels: Labels<'_>, le: Option<&str>) {
        let all = labels.iter().copied().chain(le.map(|le| ("le", le)));
        let mut before = b'{';
        for (name, value) in all {
            self.out.push(before);
            self.text(&[name, "=\""]);
            self.escaped(value, true);
            self.out.push(b'"');
            before = b',';
        }
        if before == b',' {
            self.out.push(b'}');
        }
    }

    fn escaped(&mut self, text: &str, quote: bool) {
        for byte in text.bytes() {
            match byte {
                b'\\' => self.text(&["\\\\"]),
                b'\n' => self.text(&["\\n"]),
                b'"' if quote => self.text(&["\\\""]),
                _ => self.out.push(byte),
            }
        }
    }

    fn value(&mut self, value: Value) {
        self.out.push(b' ');
        match value {
            Value::Count(count) => digits(self.out, count),
            Value::Micros(micros) => decimal(self.out, micros, 6),
            Value::Millis(millis) => {
                if millis < 0 {
                    self.out.push(b'-');
                }
                decimal(self.out, millis.unsigned_abs(), 3);
            }
            Value::Float(float) => self.text(&[&float.to_string()]),
        }
        self.out.push(b'\n');
    }
}

/// A bound of a histogram in seconds; always with a decimal point, as OpenMetrics asks and so
/// that both formats name the same series.
#[must_use]
pub fn bound(micros: u64) -> String {
    let mut out = Vec::new();
    decimal(&mut out, micros, 6);
    if !out.contains(&b'.') {
        out.extend_from_slice(b".0");
    }
    String::from_utf8(out).unwrap_or_default()
}

fn digits(out: &mut Vec<u8>, number: u64) {
    let (mut buffer, mut at, mut rest) = ([0_u8; 20], 20, number);
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

/// `number` in units of `10^-places`, without zeros at the end.
fn decimal(out: &mut Vec<u8>, number: u64, places: u32) {
    let unit = 10_u64.pow(places);
    digits(out, number / unit);
    let (mut rest, mut unit) = (number % unit, unit);
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        unit /= 10;
        out.push(b'0' + (rest / unit) as u8);
        rest %= unit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn printed(value: Value, expected: &str) {
        let mut out = Vec::new();
        Writer { format: Format::Text, out: &mut out }.value(value);
        assert_eq!(String::from_utf8(out).unwrap(), format!(" {expected}\n"));
    }

    #[test]
    fn integers_are_printed_exactly() {
        printed(Value::Count(0), "0");
        printed(Value::Count(u64::MAX), "18446744073709551615");
        printed(Value::Micros(0), "0");
        printed(Value::Micros(1), "0.000001");
        printed(Value::Micros(250_000), "0.25");
        printed(Value::Micros(9_007_199_254_740_993), "9007199254.740993");
        printed(Value::Millis(1_764_000_000_050), "1764000000.05");
        printed(Value::Millis(-1_500), "-1.5");
        assert_eq!(bound(1_000_000), "1.0");
        assert_eq!(bound(50_000), "0.05");
    }

    #[test]
    fn a_label_may_say_anything() {
        let mut out = Vec::new();
        let mut writer = Writer { format: Format::Text, out: &mut out };
        let family = super::super::family::BUILD;
        writer.sample(&family, &[("version", "a\\b\"c\nd"), ("revision", "đ")], Value::Count(1));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "thongsuot_build_info{version=\"a\\\\b\\\"c\\nd\",revision=\"đ\"} 1\n"
        );
    }

    /// Undoes the escaping of a label, as a reader of the format does.
    fn unescape(text: &str) -> String {
        let (mut plain, mut chars) = (String::new(), text.chars());
        while let Some(char) = chars.next() {
            plain.push(match char {
                '\\' => match chars.next().unwrap() {
                    'n' => '\n',
                    other => other,
                },
                other => other,
            });
        }
        plain
    }

    proptest::proptest! {
        #[test]
        fn a_label_comes_back_as_it_was(label in "(?s).{0,20}") {
            let mut out = Vec::new();
            Writer { format: Format::Text, out: &mut out }.escaped(&label, true);
            let written = String::from_utf8(out).unwrap();
            proptest::prop_assert!(!written.contains('\n'));
            proptest::prop_assert_eq!(unescape(&written), label);
        }
    }

    #[test]
    fn the_format_is_what_accept_prefers() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,*/*;q=0.8", Format::Text),
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; version=\"1.0.0\"; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=0.5,text/plain", Format::Text),
            ("application/openmetrics-text;q=nonsense", Format::Text),
        ] {
            assert_eq!(Format::negotiate(accept), expected, "{accept}");
        }
    }
}
