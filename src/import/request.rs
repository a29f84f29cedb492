//! What HTTP requests of all sources share: address, headers, body, login, proxy.

use url::Url;

use super::draft::Draft;
use super::note::{Place, Told, Weight};
use super::secrets::{Variables, holds_secret, is_delicate, variable_in, without_variables};
use super::value::Value;
use super::why;

/// Methods that `targets.toml` takes.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Names of header values that say who is asking, not what is asked.
const AGENT: &str = "user-agent";

/// The address: a user in it becomes a login, a fragment is left out.
pub(super) fn url(draft: &mut Draft, variables: &mut Variables, written: &str, place: &Place) {
    let Ok(mut url) = Url::parse(written) else {
        draft.key("url", written);
        return;
    };
    let user = percent_decoded(url.username());
    let mut plain = true;
    if !user.is_empty() || url.password().is_some() {
        let secret = url.password().unwrap_or_default().to_owned();
        basic(draft, variables, &user, &secret, place, "the password in the address");
        plain = url.set_username("").is_ok() && url.set_password(None).is_ok();
        plain = !plain;
    }
    if url.fragment().is_some() {
        url.set_fragment(None);
        plain = false;
        draft.tell(Told::new(Weight::Changed, place, "the part after #", why::URL_FRAGMENT));
    }
    if url.query().is_some_and(holds_secret) {
        draft.tell(Told::new(Weight::Changed, place, "the query of the address", why::URL_SECRET));
    }
    draft.key("url", if plain { written.trim().to_owned() } else { url.to_string() });
}

fn percent_decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map_or_else(String::new, |(_, it)| it.into())
}

/// A login by user and password.
pub(super) fn basic(
    draft: &mut Draft,
    variables: &mut Variables,
    user: &str,
    password: &str,
    place: &Place,
    what: &str,
) {
    let password = variables.refer(&draft.id, "password", place, password);
    let login = vec![("user".to_owned(), user.into()), ("password".to_owned(), password)];
    draft.needed(&["auth"], Value::one("basic", Value::Table(login)), place, what);
}

/// A token by the client's credentials.
pub(super) fn oauth2(
    draft: &mut Draft,
    variables: &mut Variables,
    (token_url, client_id, secret): (&str, &str, &str),
    scopes: &[String],
    place: &Place,
) {
    let secret = variables.refer(&draft.id, "client secret", place, secret);
    let mut table = vec![
        ("token_url".to_owned(), token_url.into()),
        ("client_id".to_owned(), client_id.into()),
        ("client_secret".to_owned(), secret),
    ];
    let scopes: Vec<_> = scopes.iter().filter(|it| !it.is_empty()).cloned().collect();
    if !scopes.is_empty() {
        table.push(("scopes".to_owned(), Value::texts(scopes)));
    }
    draft.needed(&["auth"], Value::one("oauth2", Value::Table(table)), place, "oauth2");
}

/// The method, if it is not GET.
pub(super) fn method(draft: &mut Draft, written: Option<&str>, place: &Place) {
    let method = written.unwrap_or("GET").trim().to_ascii_uppercase();
    if method.is_empty() || method == "GET" {
        return;
    }
    if METHODS.contains(&method.as_str()) {
        draft.key("method", method);
    } else {
        draft.tell(Told::new(Weight::Off, place, "method", why::METHOD));
    }
}

/// A header. Values that prove who one is, and variables, become references.
pub(super) fn header(
    draft: &mut Draft,
    variables: &mut Variables,
    (name, value): (&str, &str),
    place: &Place,
) {
    let what = format!("header {name}");
    if name.eq_ignore_ascii_case("authorization")
        && let Some((scheme, token)) = value.trim().split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        let token = variables.refer(&draft.id, "bearer token", place, token.trim());
        draft.needed(&["auth"], Value::one("bearer", token), place, &what);
        return;
    }
    let plain = if variables.expands { without_variables(value) } else { Some(value.to_owned()) };
    let is_variable = variables.expands && variable_in(value).is_some();
    let value = match plain {
        Some(plain) if !is_delicate(name, value) && !is_variable => {
            Value::Text(plain.trim().to_owned())
        }
        _ => variables.refer(&draft.id, &what, place, value),
    };
    if matches!(&value, Value::Text(text) if text.is_empty()) {
        return;
    }
    let lower = name.to_ascii_lowercase();
    if lower == AGENT || lower == "accept" {
        draft.part(&["headers", &lower], value, place, &what);
    } else {
        draft.needed(&["headers", &lower], value, place, &what);
    }
}

/// Metadata of gRPC, which is named in small letters.
pub(super) fn metadata(
    draft: &mut Draft,
    variables: &mut Variables,
    (name, value): (&str, &str),
    place: &Place,
) {
    let name = name.to_ascii_lowercase();
    let what = format!("metadata {name}");
    let value = if is_delicate(&name, value) {
        variables.refer(&draft.id, &what, place, value)
    } else {
        value.into()
    };
    draft.needed(&["metadata", &name], value, place, &what);
}

/// The body to send.
pub(super) fn body(draft: &mut Draft, text: &str, place: &Place) {
    if text.is_empty() {
        return;
    }
    if holds_secret(text) {
        draft.tell(Told::new(Weight::Off, place, "body", why::BODY_SECRET));
    } else {
        draft.needed(&["body"], text, place, "body");
    }
}

/// A proxy.
pub(super) fn proxy(draft: &mut Draft, variables: &mut Variables, written: &str, place: &Place) {
    let url = Url::parse(written).ok().filter(|it| it.scheme() == "http" && it.has_host());
    let Some(mut url) = url else {
        draft.tell(Told::new(Weight::Off, place, "proxy", why::PROXY));
        return;
    };
    let user = percent_decoded(url.username());
    let password = url.password().unwrap_or_default().to_owned();
    let cleaned = url.set_username("").and_then(|()| url.set_password(None)).is_ok();
    let address = url.to_string().trim_end_matches('/').to_owned();
    if !cleaned || user.is_empty() {
        draft.needed(&["proxy"], address, place, "proxy");
        return;
    }
    let password = variables.refer(&draft.id, "proxy password", place, &password);
    let table = vec![
        ("url".to_owned(), address.into()),
        ("user".to_owned(), user.into()),
        ("password".to_owned(), password),
    ];
    draft.needed(&["proxy"], Value::Table(table), place, "proxy");
}

/// Redirects are followed anywhere, as the other monitors do; 0: not at all.
pub(super) fn redirects(draft: &mut Draft, most: i64) {
    let most = most.clamp(0, 20);
    let mut table = vec![("max".to_owned(), Value::Integer(most))];
    if most > 0 {
        table.push(("to".to_owned(), "anywhere".into()));
    }
    draft.key("redirects", Value::Table(table));
}

/// Allowed status codes: single ones and ranges. `None`: no code is allowed.
pub(super) fn status(allowed: impl Fn(u16) -> bool) -> Option<Value> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for code in (100..=599).filter(|code| allowed(*code)) {
        match ranges.last_mut() {
            Some(last) if last.1 + 1 == code => last.1 = code,
            _ => ranges.push((code, code)),
        }
    }
    let one = |(first, last): &(u16, u16)| {
        if first == last {
            Value::Integer(i64::from(*first))
        } else {
            format!("{first}-{last}").into()
        }
    };
    (!ranges.is_empty()).then(|| Value::List(ranges.iter().map(one).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft::new("a", "A", &Place::Line(1), "http")
    }

    #[test]
    fn status_codes_become_ranges() {
        let check = |allowed: &dyn Fn(u16) -> bool, expected: &str| {
            assert_eq!(status(allowed).map(|it| it.inline()).unwrap_or_default(), expected);
        };
        check(&|it| it == 200, "[200]");
        check(&|it| it < 300 || it == 429, "[\"100-299\", 429]");
        check(&|it| it != 404, "[\"100-403\", \"405-599\"]");
        check(&|_| false, "");
    }

    #[test]
    fn a_user_in_an_address_becomes_a_login() {
        let (mut it, mut variables) = (draft(), Variables::default());
        url(&mut it, &mut variables, "https://giam%20sat:hunter2@a.vn/x#y", &Place::Line(1));
        let text = it.text();
        assert!(text.contains("url = \"https://a.vn/x\""), "{text}");
        assert!(text.contains("user = \"giam sat\"") && text.contains("A_PASSWORD"), "{text}");
        assert!(!text.contains("hunter2"));
        let mut it = draft();
        url(&mut it, &mut variables, "https://a.vn/trang-chủ", &Place::Line(1));
        assert!(it.text().contains("url = \"https://a.vn/trang-chủ\""));
    }

    #[test]
    fn headers_that_prove_who_one_is_become_references() {
        let check = |header: (&str, &str), expected: &str| {
            let (mut it, mut variables) =
                (draft(), Variables { expands: true, ..Variables::default() });
            super::header(&mut it, &mut variables, header, &Place::Line(1));
            assert!(it.text().contains(expected), "{expected}: {}", it.text());
            assert!(!it.text().contains("hunter2"));
        };
        check(
            ("Authorization", "Bearer hunter2"),
            "auth = { bearer = { env = \"A_BEARER_TOKEN\" } }",
        );
        check(("Authorization", "Bearer ${TOKEN}"), "auth = { bearer = { env = \"TOKEN\" } }");
        check(
            ("Authorization", "Basic hunter2"),
            "authorization = { env = \"A_HEADER_AUTHORIZATION\" }",
        );
        check(("X-Api-Key", "hunter2"), "x-api-key = { env = \"A_HEADER_X_API_KEY\" }");
        check(("X-Unit", "${UNIT}"), "x-unit = { env = \"UNIT\" }");
        check(("X-Unit", "5 $$"), "x-unit = \"5 $\"");
        check(("Accept", "text/html"), "accept = \"text/html\"");
    }

    #[test]
    fn a_proxy_is_http_or_the_check_is_off() {
        let check = |written: &str, expected: &str| {
            let (mut it, mut variables) = (draft(), Variables::default());
            proxy(&mut it, &mut variables, written, &Place::Line(1));
            assert!(it.text().contains(expected), "{expected}: {}", it.text());
            assert!(!it.text().contains("hunter2"));
        };
        check("http://10.0.0.1:3128", "proxy = \"http://10.0.0.1:3128\"");
        check(
            "http://u:hunter2@10.0.0.1:3128",
            "user = \"u\", password = { env = \"A_PROXY_PASSWORD\" }",
        );
        check("socks5://u:hunter2@10.0.0.1", "enabled = false");
    }
}
