//! Cookies within one run (RFC 6265): a login page that sets one and redirects expects it back.

use http::HeaderMap;
use http::header::SET_COOKIE;
use url::Url;

/// Most cookies of a run, as many as browsers keep for one host.
const COOKIES_MAX: usize = 50;

/// Most bytes of a cookie's name and value together; a larger one is left out.
const COOKIE_BYTES_MAX: usize = 4_096;

/// Most bytes of a `Cookie` header; what does not fit is left out.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// The cookies of one run; forgotten with it.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Cookie>);

#[derive(Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Only for exactly this host.
    host_only: bool,
    path: String,
    secure: bool,
}

impl Jar {
    /// Keeps what an answer from `url` sets.
    pub(super) fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE) {
            let Ok(text) = std::str::from_utf8(value.as_bytes()) else { continue };
            let Some((cookie, keep)) = parse(url, text) else { continue };
            let same = |it: &Cookie| {
                it.name == cookie.name && it.domain == cookie.domain && it.path == cookie.path
            };
            self.0.retain(|it| !same(it));
            if keep && self.0.len() < COOKIES_MAX {
                self.0.push(cookie);
            }
        }
    }

    /// The `Cookie` header for a request to `url`, if any cookie is for it.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let host = url.host_str()?;
        let fits = |it: &&Cookie| {
            let of_host = if it.host_only { it.domain == host } else { within(host, &it.domain) };
            of_host && path_fits(url.path(), &it.path) && (!it.secure || url.scheme() == "https")
        };
        let mut all = String::new();
        for it in self.0.iter().filter(fits) {
            let pair = format!("{}={}", it.name, it.value);
            if all.len() + pair.len() + 2 > HEADER_BYTES_MAX {
                break;
            }
            if !all.is_empty() {
                all.push_str("; ");
            }
            all.push_str(&pair);
        }
        (!all.is_empty()).then_some(all)
    }
}

/// The cookie that `text` sets, and whether it is to be kept rather than forgotten.
fn parse(url: &Url, text: &str) -> Option<(Cookie, bool)> {
    let host = url.host_str()?;
    let mut parts = text.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX {
        return None;
    }
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: host.to_owned(),
        host_only: true,
        path: default_path(url.path()).to_owned(),
        secure: false,
    };
    let mut keep = true;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim().trim_start_matches('.').to_ascii_lowercase();
                // Without a dot it would be for a whole top-level domain.
                if !domain.contains('.') || !within(host, &domain) {
                    return None;
                }
                cookie.domain = domain;
                cookie.host_only = false;
            }
            "path" if value.trim().starts_with('/') => value.trim().clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "max-age" => keep = value.trim().parse::<i64>().map_or(keep, |age| age > 0),
            _ => {}
        }
    }
    Some((cookie, keep))
}

fn within(host: &str, domain: &str) -> bool {
    let named = !host.starts_with('[') && host.parse::<std::net::Ipv4Addr>().is_err();
    host == domain || named && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// RFC 6265, section 5.1.4.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(last) => &path[..last],
    }
}

fn path_fits(path: &str, of_cookie: &str) -> bool {
    path.strip_prefix(of_cookie)
        .is_some_and(|rest| rest.is_empty() || of_cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(set: &[&str], from: &str, to: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in set {
            headers.append(SET_COOKIE, value.parse().expect("plain"));
        }
        let mut jar = Jar::default();
        jar.keep(&from.parse().expect("a URL"), &headers);
        assert_eq!(jar.header(&to.parse().expect("a URL")).as_deref(), expected, "{set:?} {to}");
    }

    #[test]
    fn a_cookie_goes_back_only_where_it_belongs() {
        let from = "https://dvc.gov.vn/login/form";
        check(&["a=1", "b=2; Path=/"], from, "https://dvc.gov.vn/login/next", Some("a=1; b=2"));
        check(&["a=1", "b=2; Path=/"], from, "https://dvc.gov.vn/", Some("b=2"));
        check(&["a=1; path=/"], from, "https://sso.dvc.gov.vn/", None);
        check(&["a=1; path=/; domain=.gov.vn"], from, "https://sso.gov.vn/", Some("a=1"));
        check(&["a=1; path=/; domain=vn"], from, "https://dvc.gov.vn/", None);
        check(&["a=1; path=/; domain=evil.com"], from, "https://evil.com/", None);
        check(&["a=1; path=/; Secure"], from, "http://dvc.gov.vn/", None);
        check(&["a=1; path=/lo"], from, "https://dvc.gov.vn/login", None);
        check(&["a=1; path=/", "a=; path=/; max-age=0"], from, "https://dvc.gov.vn/", None);
    }

    #[test]
    fn an_address_has_no_hosts_within_and_a_header_has_an_end() {
        let from = "http://10.0.0.1/";
        check(&["a=1; domain=0.0.1"], from, from, None);
        check(&["a=1; domain=10.0.0.1"], from, from, Some("a=1"));
        let large: Vec<_> = (0..5).map(|i| format!("c{i}={}", "x".repeat(4_000))).collect();
        let texts: Vec<_> = large.iter().map(String::as_str).collect();
        check(&texts, from, from, Some(&large[..4].join("; ")));
    }

    #[test]
    fn broken_and_huge_cookies_are_left_out() {
        let from = "https://a.vn/";
        check(&["", "=x", "novalue", ";;;"], from, from, None);
        check(&[&format!("a={}", "x".repeat(COOKIE_BYTES_MAX))], from, from, None);
    }
}
