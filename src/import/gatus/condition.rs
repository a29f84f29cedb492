//! One condition of Gatus: what is looked at, how, and what it must be.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::{pattern, span};
use crate::model::text::Pattern;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) subject: Subject,
    pub(super) op: Op,
    pub(super) want: Want,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Status,
    Ip,
    ResponseTime,
    Body,
    /// A path into a body of JSON, as JSONPath; `None`: one that can't be said so.
    Json(Option<String>),
    Header(String),
    Connected,
    Certificate,
    Domain,
    Rcode,
    Context,
    /// The length of something, or its age.
    Measured,
    /// Whether something is there.
    Has(Box<Subject>),
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Is,
    IsNot,
    Less,
    LessEqual,
    More,
    MoreEqual,
}

/// What it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Want {
    Text(String),
    Any(Vec<String>),
    Glob(String),
}

/// In the order in which Gatus looks for them.
const OPS: &[(&str, Op, Op)] = &[
    (" == ", Op::Is, Op::Is),
    (" != ", Op::IsNot, Op::IsNot),
    (" <= ", Op::LessEqual, Op::MoreEqual),
    (" >= ", Op::MoreEqual, Op::LessEqual),
    (" > ", Op::More, Op::Less),
    (" < ", Op::Less, Op::More),
];

impl Condition {
    /// `None`: not a condition, or one that looks at nothing or at two things.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, op, turned) = OPS.iter().find(|(sign, ..)| text.contains(sign))?;
        let (left, right) = text.split_once(sign)?;
        match (subject(left.trim()), subject(right.trim())) {
            (Some(subject), None) => Some(Self { subject, op: *op, want: want(right.trim()) }),
            (None, Some(subject)) => Some(Self { subject, op: *turned, want: want(left.trim()) }),
            _ => None,
        }
    }

    /// Whether it is met if its subject is `value`.
    pub(super) fn holds(&self, value: &str) -> bool {
        let Want::Text(text) = &self.want else {
            return (self.op == Op::Is) == self.is(value) && matches!(self.op, Op::Is | Op::IsNot);
        };
        let (left, right) = (number(value), number(text));
        match self.op {
            Op::Is => self.is(value),
            Op::IsNot => !self.is(value),
            Op::Less => left < right,
            Op::LessEqual => left <= right,
            Op::More => left > right,
            Op::MoreEqual => left >= right,
        }
    }

    fn is(&self, value: &str) -> bool {
        match &self.want {
            Want::Text(text) => {
                let whole = |text: &str| text.parse::<i64>().ok();
                text == value || (whole(text).is_some() && whole(text) == whole(value))
            }
            Want::Any(options) => options.iter().any(|it| it == value),
            Want::Glob(_) => self
                .anchored("", "")
                .and_then(|it| Pattern::new(&it).ok())
                .is_some_and(|it| it.is_match(value.as_bytes())),
        }
    }

    /// What is wanted as an expression for the whole value, between `before` and `after`; `None`
    /// if it is a pattern that can't be said so.
    pub(super) fn anchored(&self, before: &str, after: &str) -> Option<String> {
        let inner = self.expression("(?s:.)")?;
        Some(format!("^{before}{inner}{after}$"))
    }

    /// The same without anchors; `any` is what `*` runs over.
    pub(super) fn expression(&self, any: &str) -> Option<String> {
        match &self.want {
            Want::Text(text) => Some(pattern::literal(text)),
            Want::Any(options) => {
                let all: Vec<_> = options.iter().map(|it| pattern::literal(it)).collect();
                Some(format!("(?:{})", all.join("|")))
            }
            Want::Glob(glob) => pattern::glob(glob, any),
        }
    }

    /// What is wanted as a length of time: a number is milliseconds.
    pub(super) fn length(&self) -> Option<Duration> {
        let Want::Text(text) = &self.want else { return None };
        span::go(text).or_else(|| text.parse().ok().map(Duration::from_millis))
    }
}

fn number(text: &str) -> i64 {
    let length = span::go(text).map(|it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
    length.or_else(|| text.parse().ok()).unwrap_or(0)
}

fn want(text: &str) -> Want {
    let inner = |name: &str| text.strip_prefix(name)?.strip_suffix(')');
    if let Some(glob) = inner("pat(") {
        Want::Glob(glob.to_owned())
    } else if let Some(options) = inner("any(") {
        Want::Any(options.split(',').map(|it| it.trim().to_owned()).collect())
    } else {
        Want::Text(text.to_owned())
    }
}

fn subject(text: &str) -> Option<Subject> {
    for measure in ["len(", "age("] {
        if text.starts_with(measure) && text.ends_with(')') {
            return Some(Subject::Measured);
        }
    }
    if let Some(inner) = text.strip_prefix("has(").and_then(|it| it.strip_suffix(')')) {
        return subject(inner).map(|it| Subject::Has(Box::new(it)));
    }
    let end = text.find(']')? + 1;
    let (name, path) = text.split_at(end);
    let whole = path.is_empty();
    Some(match name.to_ascii_uppercase().as_str() {
        "[STATUS]" if whole => Subject::Status,
        "[IP]" if whole => Subject::Ip,
        "[RESPONSE_TIME]" if whole => Subject::ResponseTime,
        "[CONNECTED]" if whole => Subject::Connected,
        "[CERTIFICATE_EXPIRATION]" if whole => Subject::Certificate,
        "[DOMAIN_EXPIRATION]" if whole => Subject::Domain,
        "[DNS_RCODE]" if whole => Subject::Rcode,
        "[BODY]" if whole => Subject::Body,
        "[BODY]" => Subject::Json(json_path(path)),
        "[HEADER]" => Subject::Header(path.strip_prefix('.')?.to_owned()),
        "[CONTEXT]" => Subject::Context,
        _ => return None,
    })
}

/// `.data[0].name` as JSONPath (RFC 9535).
pub(super) fn json_path(path: &str) -> Option<String> {
    let mut out = String::from("$");
    for (at, segment) in path.split('.').enumerate() {
        if at == 0 && segment.is_empty() {
            continue;
        }
        let (name, index) = segment.find('[').map_or((segment, ""), |at| segment.split_at(at));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        if name.is_empty() && (at > 0 || index.is_empty()) {
            return None;
        } else if !name.is_empty()
            && name.chars().all(plain)
            && !name.starts_with(|c: char| c.is_ascii_digit())
        {
            let _ = write!(out, ".{name}");
        } else if !name.is_empty() {
            let _ = write!(out, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
        }
        out.push_str(index);
    }
    serde_json_path::JsonPath::parse(&out).is_ok().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_from_either_side() {
        let check = |text: &str, subject: Subject, op: Op, want: Want| {
            assert_eq!(Condition::parse(text), Some(Condition { subject, op, want }), "{text}");
        };
        let text = |it: &str| Want::Text(it.to_owned());
        check("[STATUS] == 200", Subject::Status, Op::Is, text("200"));
        check("[status] == 200", Subject::Status, Op::Is, text("200"));
        check("300 > [STATUS]", Subject::Status, Op::Less, text("300"));
        let any = Want::Any(vec!["200".to_owned(), "429".to_owned()]);
        check("[STATUS] == any(200, 429)", Subject::Status, Op::Is, any);
        check("[BODY] == pat(*UP*)", Subject::Body, Op::Is, Want::Glob("*UP*".to_owned()));
        let path = |it: &str| Subject::Json(Some(it.to_owned()));
        check("[BODY].data[0].x-y != a", path("$.data[0]['x-y']"), Op::IsNot, text("a"));
        check("[BODY][0].id == 1", path("$[0].id"), Op::Is, text("1"));
        check("len([BODY].items) > 0", Subject::Measured, Op::More, text("0"));
        check("age([HEADER].Date) < 10m", Subject::Measured, Op::Less, text("10m"));
        let has = Subject::Has(Box::new(path("$.errors")));
        check("has([BODY].errors) == false", has, Op::Is, text("false"));
        check(
            "[HEADER].Server == nginx",
            Subject::Header("Server".to_owned()),
            Op::Is,
            text("nginx"),
        );
        for bad in
            ["", "[STATUS]", "[STATUS]==200", "1 == 1", "[STATUS] == [IP]", "[NOPE] == 1", "] == 1"]
        {
            assert_eq!(Condition::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_holds_is_what_held_there() {
        let check = |text: &str, value: &str, expected: bool| {
            assert_eq!(Condition::parse(text).unwrap().holds(value), expected, "{text} of {value}");
        };
        check("[STATUS] == 200", "200", true);
        check("[STATUS] != 200", "200", false);
        check("[STATUS] == any(200, 429)", "429", true);
        check("[STATUS] != any(200, 429)", "429", false);
        check("[STATUS] == pat(2*)", "204", true);
        check("[STATUS] == pat(2*)", "404", false);
        check("[STATUS] < 300", "299", true);
        check("[STATUS] >= 300", "299", false);
        check("[RESPONSE_TIME] < 1s", "999", true);
        check("[STATUS] < any(1, 2)", "1", false);
    }
}
