//! Which files `include` names.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::mistake::{Mistake, What};
use super::outside::directory;
use super::raw::Node;

/// Most files that one configuration may have.
const FILES_MAX: usize = 1_000;

/// The files that the main file at `main` includes: sorted, each once, with its place in
/// `include` by index of the pattern.
pub(super) fn files(
    main: &Path,
    include: &Node,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(PathBuf, Node)> {
    let mut found: Vec<(PathBuf, Node)> = Vec::new();
    for item in include.items() {
        let Some(pattern) = item.as_text().filter(|text| !text.is_empty() && !text.contains("**"))
        else {
            continue;
        };
        let paths = matching(directory(main), Path::new(pattern));
        if paths.is_empty() && !pattern.contains('*') {
            mistakes
                .push(Mistake::new(item.at, What::IncludeMissing { pattern: pattern.to_owned() }));
        }
        for path in paths {
            if path != main && found.iter().all(|(known, _)| *known != path) {
                found.push((path, item.clone()));
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    if found.len() > FILES_MAX {
        mistakes.push(Mistake::new(include.at, What::TooManyFiles { max: FILES_MAX }));
        found.truncate(FILES_MAX);
    }
    found
}

/// The files under `base` whose path matches `pattern`.
fn matching(base: &Path, pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![base.to_path_buf()];
    for component in pattern.components() {
        paths = match component {
            Component::Normal(name) => {
                let name = name.to_string_lossy();
                if name.contains(['*', '?']) {
                    paths.iter().flat_map(|path| children(path, &name)).collect()
                } else {
                    paths.iter().map(|path| path.join(name.as_ref())).collect()
                }
            }
            Component::CurDir => paths,
            other => paths.iter().map(|path| path.join(other)).collect(),
        };
        // A pattern can't make more files than may be read, but could make many directories.
        paths.truncate(FILES_MAX * 10);
    }
    paths.retain(|path| path.is_file());
    paths
}

/// What lies in `path` under a name that matches; nothing if it can't be listed.
fn children(path: &Path, pattern: &str) -> Vec<PathBuf> {
    let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let Ok(entries) = fs::read_dir(here) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| !name.starts_with('.') && name_matches(pattern, name))
        .map(|name| path.join(name))
        .collect()
}

/// Whether `name` matches `pattern`, in which `*` stands for any text and `?` for a character.
fn name_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((star_p, star_n)) = star {
            // Let the last star take one more character.
            star = Some((star_p, star_n + 1));
            (p, n) = (star_p + 1, star_n + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_within_a_name() {
        for (pattern, name, expected) in [
            ("*.toml", "a.toml", true),
            ("*.toml", "a.toml~", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?.toml", "ab.toml", false),
            ("*", "", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
