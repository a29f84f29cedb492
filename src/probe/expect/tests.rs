//! Expectations as a table: one change of the expectation, one of the answer, one verdict.

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json_path::JsonPath;

use crate::model::expect::CodeSet;
use crate::model::text::Pattern;

use super::*;

fn nothing_special() -> HttpExpect {
    HttpExpect::default()
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("a name");
        (name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
    });
    Answer {
        tls: false,
        version: HttpVersion::Http11,
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
        total: Micros(10_000),
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut HttpExpect), answer: &Answer, expected: Result<(), Reason>) {
    let mut expect = nothing_special();
    change(&mut expect);
    let got = judge(&expect, answer, &[]);
    if let Err(fault) = &got {
        assert!(!fault.why.is_empty() && !fault.why.contains(char::is_control), "{}", fault.why);
    }
    assert_eq!(got.map_err(|fault| fault.reason), expected);
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).expect("a pattern")
}

#[test]
fn tls_is_asked_for_or_forbidden_before_all_else() {
    let (clear, secure) = (answer(404, &[], ""), Answer { tls: true, ..answer(200, &[], "") });
    check(|expect| expect.tls = Some(false), &secure, Err(Reason::TlsUnexpected));
    check(|expect| expect.tls = Some(true), &secure, Ok(()));
    check(|expect| expect.tls = Some(true), &clear, Err(Reason::TlsUnexpected));
    check(|expect| expect.tls = Some(false), &clear, Err(Reason::HttpStatus));
}

#[test]
fn status_is_2xx_unless_said_otherwise() {
    for (status, expected) in [
        (200, Ok(())),
        (299, Ok(())),
        (301, Err(Reason::HttpStatus)),
        (404, Err(Reason::HttpStatus)),
        (503, Err(Reason::HttpStatus)),
        (429, Err(Reason::RateLimited)),
    ] {
        check(|_| {}, &answer(status, &[], ""), expected);
    }
    let unauthorised = |expect: &mut HttpExpect| {
        expect.status = CodeSet::new(vec![(200, 200), (401, 403)]).expect("a set");
    };
    check(unauthorised, &answer(403, &[], "login"), Ok(()));
    check(unauthorised, &answer(204, &[], ""), Err(Reason::HttpStatus));
}

#[test]
fn versions_are_any_unless_said_otherwise() {
    let two = |expect: &mut HttpExpect| expect.versions = vec![HttpVersion::Http2];
    check(two, &answer(200, &[], ""), Err(Reason::HttpVersion));
    let one = |expect: &mut HttpExpect| {
        expect.versions = vec![HttpVersion::Http2, HttpVersion::Http11];
    };
    check(one, &answer(200, &[], ""), Ok(()));
}

#[test]
fn headers_must_be_or_not_be() {
    let rule = |must: HeaderMust| {
        move |expect: &mut HttpExpect| {
            expect.headers.push(HeaderRule { name: "x-a".to_owned(), must });
        }
    };
    let missing = answer(200, &[("x-b", "1")], "");
    let one = answer(200, &[("X-A", "one")], "");
    let two = answer(200, &[("x-a", "one"), ("x-a", "two")], "");
    let wrong = Err(Reason::HeaderMismatch);
    let matching =
        |text: &str, allow_missing| HeaderMust::Match { pattern: pattern(text), allow_missing };
    for (must, of_missing, of_one, of_two) in [
        (HeaderMust::BePresent, wrong, Ok(()), Ok(())),
        (HeaderMust::BeAbsent, Ok(()), wrong, wrong),
        (matching("^two$", false), wrong, wrong, Ok(())),
        (matching("^two$", true), Ok(()), wrong, Ok(())),
        (matching("^one$", false), wrong, Ok(()), Ok(())),
        (HeaderMust::NotMatch(pattern("two")), Ok(()), Ok(()), wrong),
    ] {
        check(rule(must.clone()), &missing, of_missing);
        check(rule(must.clone()), &one, of_one);
        check(rule(must), &two, of_two);
    }
}

#[test]
fn sizes_are_inclusive() {
    let sizes = |least, most| {
        move |expect: &mut HttpExpect| {
            expect.body_bytes_min = least;
            expect.body_bytes_max = most;
        }
    };
    check(sizes(Some(3), Some(3)), &answer(200, &[], "abc"), Ok(()));
    check(sizes(Some(4), None), &answer(200, &[], "abc"), Err(Reason::BodyTooSmall));
    check(sizes(None, Some(2)), &answer(200, &[], "abc"), Err(Reason::BodyTooLarge));
}

#[test]
fn texts_and_patterns_are_looked_for() {
    let page = answer(200, &[], "<title>Cổng Dịch vụ công</title>");
    let contains = |text: &str| {
        let text = text.to_owned();
        move |expect: &mut HttpExpect| expect.body_contains.push(text)
    };
    check(contains("Dịch vụ công"), &page, Ok(()));
    check(contains("Bảo trì"), &page, Err(Reason::BodyMissing));
    let absent = |expect: &mut HttpExpect| expect.body_absent.push("Cổng".to_owned());
    check(absent, &page, Err(Reason::BodyForbidden));
    let matches = |expect: &mut HttpExpect| expect.body_matches.push(pattern("<title>.+</title>"));
    check(matches, &page, Ok(()));
    check(matches, &answer(200, &[], ""), Err(Reason::BodyMissing));
    let not = |expect: &mut HttpExpect| expect.body_not_matches.push(pattern("(?i)lỗi|dịch"));
    check(not, &page, Err(Reason::BodyForbidden));
    check(not, &answer(200, &[], "ok"), Ok(()));
}

#[test]
fn json_is_asked_by_path() {
    let rule = |path: &str, must: JsonMust| {
        let (written, path) = (path.to_owned(), JsonPath::parse(path).expect("a path"));
        move |expect: &mut HttpExpect| expect.json.push(JsonRule { path, written, must })
    };
    let body = answer(200, &[], r#"{"status":"up","n":2,"parts":[{"ok":true},{"ok":true}]}"#);
    let wrong = Err(Reason::JsonMismatch);
    for (path, must, expected) in [
        ("$.status", JsonMust::Select, Ok(())),
        ("$.none", JsonMust::Select, wrong),
        ("$.none", JsonMust::SelectNothing, Ok(())),
        ("$.status", JsonMust::SelectNothing, wrong),
        ("$.status", JsonMust::Equal("up".into()), Ok(())),
        ("$.status", JsonMust::Equal("down".into()), wrong),
        ("$.n", JsonMust::Equal(serde_json::json!(2.0)), Ok(())),
        ("$.n", JsonMust::Equal(serde_json::json!("2")), wrong),
        ("$.none", JsonMust::Equal(serde_json::Value::Null), wrong),
        ("$.parts[*].ok", JsonMust::Equal(true.into()), Ok(())),
        ("$.parts[?@.ok == false]", JsonMust::SelectNothing, Ok(())),
        ("$.status", JsonMust::Match(pattern("^u")), Ok(())),
        ("$.n", JsonMust::Match(pattern("^2$")), Ok(())),
        ("$.parts[*].ok", JsonMust::Match(pattern("false")), wrong),
    ] {
        check(rule(path, must), &body, expected);
    }
    let broken = answer(200, &[], r#"{"status":"#);
    check(rule("$", JsonMust::Select), &broken, wrong);
    let deep = answer(200, &[], &"[".repeat(100_000));
    check(rule("$", JsonMust::Select), &deep, wrong);
}

#[test]
fn a_run_may_be_too_late() {
    let within = |most| move |expect: &mut HttpExpect| expect.response_time = Some(Micros(most));
    check(within(10_000), &answer(200, &[], ""), Ok(()));
    check(within(9_999), &answer(200, &[], ""), Err(Reason::ResponseTime));
}

#[test]
fn a_block_outranks_the_expectations_unless_the_check_says_so() {
    let page = answer(403, &[], "Request Rejected. Your support ID is: 1");
    check(|_| {}, &page, Err(Reason::WafBlock));
    check(|expect| expect.blocked = false, &page, Err(Reason::HttpStatus));
}

#[test]
fn the_first_broken_expectation_is_told_with_what_came() {
    let mut expect = nothing_special();
    expect.body_contains.push("Đăng nhập".to_owned());
    let fault = judge(&expect, &answer(200, &[], "<h1>\n Lỗi</h1>"), &[]).expect_err("missing");
    let told = "expected the body to contain `Đăng nhập`; it begins `<h1> Lỗi</h1>`";
    assert_eq!(fault.why, told);
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = Millis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
    let asked = |status, value: &str| {
        retry_after(status, &answer(status, &[("retry-after", value)], "").headers, now)
    };
    assert_eq!(asked(503, "120"), Some(Duration::from_mins(2)));
    assert_eq!(asked(429, "Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_mins(1)));
    assert_eq!(asked(429, "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    assert_eq!(asked(200, "120"), None);
    assert_eq!(asked(503, "soon"), None);
    assert_eq!(asked(503, "-1"), None);
}

proptest! {
    /// Whatever comes, there is a verdict and a short, printable explanation.
    #[test]
    fn no_answer_is_too_strange(
        status in 0_u16..1_000,
        body in proptest::collection::vec(any::<u8>(), 0..2_000),
        header in proptest::collection::vec(0x20_u8..0x7f, 0..50),
    ) {
        let mut expect = nothing_special();
        expect.headers.push(HeaderRule {
            name: "retry-after".to_owned(),
            must: HeaderMust::NotMatch(pattern("^a")),
        });
        expect.body_contains.push("ế".to_owned());
        expect.body_not_matches.push(pattern("(?s-u).*\\xff"));
        let mut came = answer(status, &[], "");
        came.body = body;
        came.headers.insert("retry-after", HeaderValue::from_bytes(&header).expect("printable"));
        let _asked = retry_after(status, &came.headers, Millis(0));
        if let Err(fault) = judge(&expect, &came, &[]) {
            prop_assert!(fault.why.chars().count() < 500);
            prop_assert!(!fault.why.contains(char::is_control));
        }
    }
}
