//! Pages of firewalls and captchas, told from the service's own. Pure.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::HeaderMap;
use regex::bytes::Regex;

/// Largest body looked through: block pages are small, and services' own pages that speak of
/// firewalls or carry a captcha in a form are large.
const PAGE_BYTES_MAX: usize = 64 * 1024;

/// How one kind of block is recognised: every given part must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSignature {
    /// Whose page it is, for messages.
    pub name: Cow<'static, str>,
    /// Statuses it comes with; empty: any.
    pub statuses: Cow<'static, [u16]>,
    /// A header it carries: the name in lower case, and a text in one of its values.
    pub header: Option<(Cow<'static, str>, Cow<'static, str>)>,
    /// Texts that are all in its body.
    pub body: Cow<'static, [Cow<'static, str>]>,
}

const fn by_body(
    name: &'static str,
    statuses: &'static [u16],
    body: &'static [Cow<'static, str>],
) -> BlockSignature {
    BlockSignature {
        name: Cow::Borrowed(name),
        statuses: Cow::Borrowed(statuses),
        header: None,
        body: Cow::Borrowed(body),
    }
}

const fn by_header(name: &'static str, header: &'static str, text: &'static str) -> BlockSignature {
    BlockSignature {
        name: Cow::Borrowed(name),
        statuses: Cow::Borrowed(&[]),
        header: Some((Cow::Borrowed(header), Cow::Borrowed(text))),
        body: Cow::Borrowed(&[]),
    }
}

macro_rules! texts {
    ($($text:literal),*) => { &[$(Cow::Borrowed($text)),*] };
}

/// Statuses that firewalls answer with; a captcha on a page with 200 may be the service's own.
const REFUSING: &[u16] = &[401, 403, 405, 406, 429, 503];

/// Imperva's page says the same whether it refuses or its origin is down, which is a 5xx: that is
/// an outage.
const NOT_FAILING: &[u16] = &[200, 400, 401, 403, 404, 405, 406, 429];

/// The blocks known without being told. The first text of each body must be in [`HINTS`].
const KNOWN: &[BlockSignature] = &[
    by_body("F5 ASM", &[], texts!["The requested URL was rejected", "support ID"]),
    by_body("F5 ASM", &[], texts!["Request Rejected", "support ID"]),
    by_header("Cloudflare", "cf-mitigated", "challenge"),
    by_body("Cloudflare", REFUSING, texts!["/cdn-cgi/challenge-platform/", "Just a moment"]),
    by_body("Cloudflare", REFUSING, texts!["Attention Required! | Cloudflare"]),
    by_body("Imperva", NOT_FAILING, texts!["Incapsula incident ID"]),
    by_body("Imperva", NOT_FAILING, texts!["_Incapsula_Resource"]),
    by_body("Akamai", REFUSING, texts!["errors.edgesuite.net", "Access Denied"]),
    by_header("AWS WAF", "x-amzn-waf-action", "challenge"),
    by_header("AWS WAF", "x-amzn-waf-action", "captcha"),
    by_body("FortiWeb", &[], texts!["Web Page Blocked", "Attack ID"]),
    by_body("FortiWeb", REFUSING, texts!["FortiWeb"]),
    by_body("FortiGate", REFUSING, texts!["FortiGuard Intrusion Prevention"]),
    by_body("ModSecurity", REFUSING, texts!["Mod_Security"]),
    by_body("ModSecurity", REFUSING, texts!["ModSecurity"]),
    by_body("Sucuri", REFUSING, texts!["Sucuri WebSite Firewall"]),
    by_body("captcha", REFUSING, texts!["g-recaptcha"]),
    by_body("captcha", REFUSING, texts!["h-captcha"]),
    by_body("captcha", REFUSING, texts!["cf-turnstile"]),
];

/// One pass that says whether any of [`KNOWN`] can match by its body: most pages hold none.
static HINTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let firsts = KNOWN.iter().filter_map(|known| known.body.first());
    let escaped: Vec<_> = firsts.map(|text| regex::escape(text)).collect();
    Regex::new(&escaped.join("|")).ok()
});

/// The name of the firewall or captcha that answered, if one did.
pub(super) fn recognise<'a>(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    more: &'a [BlockSignature],
) -> Option<&'a str> {
    let page = body.get(..PAGE_BYTES_MAX + 1).map_or(body, |_| b"");
    let hinted = HINTS.as_ref().is_none_or(|hints| hints.is_match(page));
    let text = if hinted || !more.is_empty() { String::from_utf8_lossy(page) } else { "".into() };
    let fits = |it: &&BlockSignature| fits(it, status, headers, &text);
    let known = KNOWN.iter().filter(|it| hinted || it.body.is_empty()).find(fits);
    known.or_else(|| more.iter().find(fits)).map(|it| it.name.as_ref())
}

fn fits(signature: &BlockSignature, status: u16, headers: &HeaderMap, text: &str) -> bool {
    let of_status = signature.statuses.is_empty() || signature.statuses.contains(&status);
    let of_header = signature.header.as_ref().is_none_or(|(name, part)| {
        let mut values = headers.get_all(name.as_ref()).iter();
        values.any(|value| String::from_utf8_lossy(value.as_bytes()).contains(part.as_ref()))
    });
    let said_anything = signature.header.is_some() || !signature.body.is_empty();
    said_anything && of_status && of_header && signature.body.iter().all(|it| text.contains(&**it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: Option<&str>) {
        assert_eq!(recognise(status, &HeaderMap::new(), body.as_bytes(), &[]), expected, "{body}");
    }

    #[test]
    fn firewalls_are_known_by_their_pages() {
        let f5 = "<html><head><title>Request Rejected</title></head><body>The requested URL was \
                  rejected. Please consult with your administrator.<br>Your support ID is: 1";
        check(200, f5, Some("F5 ASM"));
        check(
            403,
            "<title>Just a moment...</title> /cdn-cgi/challenge-platform/h",
            Some("Cloudflare"),
        );
        check(200, "Request unsuccessful. Incapsula incident ID: 1-2", Some("Imperva"));
        check(406, "This error was generated by Mod_Security.", Some("ModSecurity"));
        check(403, "<h1>Web Page Blocked!</h1> Attack ID: 20000010", Some("FortiWeb"));
        check(403, "<div class=\"g-recaptcha\">", Some("captcha"));
    }

    #[test]
    fn a_service_that_speaks_of_such_things_is_not_blocked() {
        check(200, "<form><div class=\"g-recaptcha\"></div></form>", None);
        check(200, "Your support ID is in the letter", None);
        check(500, "Internal Server Error", None);
        for status in [502, 503, 504, 521] {
            let page = "<iframe src=\"/_Incapsula_Resource?x\">Incapsula incident ID: 1-2</iframe>";
            check(status, page, None);
        }
        let large = format!("Incapsula incident ID{}", " ".repeat(PAGE_BYTES_MAX));
        check(200, &large, None);
    }

    #[test]
    fn a_header_is_enough_where_it_says_so() {
        let mut headers = HeaderMap::new();
        headers.insert("cf-mitigated", "challenge".parse().expect("plain"));
        assert_eq!(recognise(403, &headers, b"", &[]), Some("Cloudflare"));
    }

    #[test]
    fn the_operator_can_add_signatures() {
        let own = BlockSignature {
            name: "tường lửa của sở".into(),
            statuses: vec![200].into(),
            header: None,
            body: vec!["Truy cập bị chặn".into()].into(),
        };
        let body = "<p>Truy cập bị chặn</p>".as_bytes();
        assert_eq!(recognise(200, &HeaderMap::new(), body, &[own]), Some("tường lửa của sở"));
    }
}
