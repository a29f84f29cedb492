//! Ids and names of variables, made from names for people.

use std::collections::HashSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::model::id::ID_BYTES_MAX;

/// Ids given out so far: each once.
#[derive(Debug, Default)]
pub(super) struct Ids(HashSet<String>);

impl Ids {
    /// An id made from the first of `names` that leaves something, with a number if it is taken.
    pub(super) fn make(&mut self, names: &[&str]) -> String {
        let slug = names.iter().map(|it| slug(it)).find(|it| !it.is_empty());
        let slug = slug.unwrap_or_else(|| "muc".to_owned());
        let mut id = slug.clone();
        let mut number = 2;
        while !self.0.insert(id.clone()) {
            let tail = format!("-{number}");
            id = format!("{}{tail}", cut(&slug, ID_BYTES_MAX - tail.len()));
            number += 1;
        }
        id
    }
}

/// `name` in small ASCII letters, digits and hyphens; empty if nothing is left.
pub(super) fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        let c = if c == 'đ' { 'd' } else { c };
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    cut(&out, ID_BYTES_MAX).to_owned()
}

/// At most `bytes` of an ASCII text, without hyphens at its end.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..bytes).unwrap_or(text).trim_end_matches('-')
}

/// The name of an environment variable for `what` of the check `id`.
pub(super) fn variable(id: &str, what: &str) -> String {
    let big = |text: &str| slug(text).replace('-', "_").to_ascii_uppercase();
    let name = format!("{}_{}", big(id), big(what));
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("CHECK_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ascii_unique_and_not_too_long() {
        let mut ids = Ids::default();
        let long = "Hệ thống ".repeat(20);
        let check = |ids: &mut Ids, name: &str, expected: &str| {
            let got = ids.make(&[name, "khac"]);
            assert_eq!(got, expected, "{name}");
            assert!(crate::model::id::CheckId::new(&got).is_ok());
        };
        check(&mut ids, "Đăng ký doanh nghiệp – Trang chủ", "dang-ky-doanh-nghiep-trang-chu");
        check(&mut ids, "ĐĂNG KÝ doanh nghiệp: trang chủ!", "dang-ky-doanh-nghiep-trang-chu-2");
        check(&mut ids, "Thuế điện tử", "thue-dien-tu");
        check(&mut ids, "門戶", "khac");
        check(&mut ids, "", "khac-2");
        check(&mut ids, &long, long_slug(&long).as_str());
        let again = ids.make(&[&long]);
        assert!(again.len() <= ID_BYTES_MAX && again.ends_with("-2"), "{again}");
    }

    fn long_slug(name: &str) -> String {
        slug(name)
    }

    #[test]
    fn variables_are_names_that_a_shell_takes() {
        assert_eq!(variable("vneid-api.v1", "auth token"), "VNEID_API_V1_AUTH_TOKEN");
        assert_eq!(variable("1022", "password"), "CHECK_1022_PASSWORD");
    }
}
