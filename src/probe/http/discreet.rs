//! Secrets kept out of what is published: a server may echo what it was sent. Pure.

use crate::model::kept::Kept;
use crate::model::observation::Detail;
use crate::model::secret::Secret;
use crate::model::spec::{Auth, HttpSpec};

use super::request::{HARMLESS, basic};

/// Longest text that is not hidden: it would be found in words that have nothing to do with it.
const PLAIN_CHARS_MAX: usize = 3;

/// Every secret that a run of `spec` sends, in the forms that it is sent in; the longest first,
/// so that none is hidden only in part.
pub(super) fn secrets(spec: &HttpSpec, token: Option<&Secret>) -> Vec<String> {
    let mut all = Vec::new();
    let mut pair = |user: &str, password: &Secret| {
        let sent = basic(user, password.reveal());
        let sent = sent.trim_start_matches("Basic ").to_owned();
        all.extend([password.reveal().to_owned(), sent]);
    };
    match &spec.auth {
        Auth::None | Auth::Bearer(_) => {}
        Auth::Basic { user, password } => pair(user, password),
        Auth::OAuth2(it) => pair(&it.client_id, &it.client_secret),
    }
    if let Some((user, password)) = spec.proxy.as_ref().and_then(|proxy| proxy.auth.as_ref()) {
        pair(user, password);
    }
    if let Auth::Bearer(token) = &spec.auth {
        all.push(token.reveal().to_owned());
    }
    if let Auth::OAuth2(it) = &spec.auth {
        all.extend(it.params.iter().map(|(_, value)| value.reveal().to_owned()));
    }
    all.extend(token.map(|token| token.reveal().to_owned()));
    let to_proxy = spec.proxy.iter().flat_map(|proxy| &proxy.connect_headers);
    for (name, value) in spec.headers.iter().chain(to_proxy) {
        let name = name.to_ascii_lowercase();
        if HARMLESS.contains(&name.as_str()) || ["host", "content-type"].contains(&&*name) {
            continue;
        }
        let value = value.reveal().trim();
        all.push(value.to_owned());
        // The part that is secret may come back alone.
        match &*name {
            "cookie" => all.extend(
                value.split(';').filter_map(|it| Some(it.split_once('=')?.1.trim().to_owned())),
            ),
            "authorization" => all.extend(value.split_once(' ').map(|it| it.1.trim().to_owned())),
            _ => {}
        }
    }
    all.retain(|secret| secret.chars().count() > PLAIN_CHARS_MAX);
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all.dedup();
    all
}

/// Writes `***` for each of `secrets` in what is told of a run.
pub(super) fn hide(secrets: &[String], detail: &mut Detail) {
    let texts = detail.why.iter_mut().chain(&mut detail.answer);
    let texts = texts.chain(detail.hops.iter_mut().map(|hop| &mut hop.url));
    let labels = match detail.kept.as_deref_mut() {
        Some(Kept::Dialogue(kept)) => kept.labels.as_mut_slice(),
        _ => &mut [],
    };
    let texts = texts.chain(labels.iter_mut().map(|(_, value)| value));
    for text in texts {
        for secret in secrets {
            hide_one(secret, text);
        }
    }
}

fn hide_one(secret: &str, text: &mut String) {
    if text.contains(secret) {
        *text = text.replace(secret, "***");
    }
    // An excerpt may end within the secret.
    let Some(end) = text.rfind('…') else { return };
    let cuts = secret.char_indices().map(|(at, _)| at).skip(PLAIN_CHARS_MAX + 1);
    let begun = cuts.filter(|at| text[..end].ends_with(&secret[..*at])).last();
    if let Some(length) = begun {
        text.replace_range(end - length..end, "***");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_whole_or_cut() {
        for (text, expected) in [
            ("got `hunter2!`", "got `***`"),
            ("hunter2!hunter2!", "******"),
            ("got hunter…", "got ***…"),
            ("got hunt…", "got ***…"),
            ("got hun…", "got hun…"),
            ("hunter", "hunter"),
        ] {
            let mut told = text.to_owned();
            hide_one("hunter2!", &mut told);
            assert_eq!(told, expected);
        }
    }
}
