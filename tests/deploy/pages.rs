//! The pages that say how to install and run it: links lead somewhere, commands exist.

use std::collections::BTreeMap;
use std::fs;

use unicode_normalization::is_nfc;

use crate::harness::Folder;
use crate::project;

/// The pages about running it; each begins with a summary in Vietnamese.
const PAGES: &[&str] =
    &["install", "upgrade", "backup", "capacity", "security", "troubleshooting", "import"];

fn page(name: &str) -> String {
    fs::read_to_string(project(&format!("docs/{name}.md"))).unwrap()
}

#[test]
fn each_page_begins_with_a_summary_in_vietnamese_and_readme_links_to_it() {
    let readme = fs::read_to_string(project("README.md")).unwrap();
    for name in PAGES {
        let text = page(name);
        let mut parts = text.split("\n\n");
        assert!(parts.next().unwrap().starts_with("# "), "{name}");
        assert!(parts.next().unwrap().starts_with("**Tóm tắt.**"), "{name}");
        assert!(is_nfc(&text), "{name}");
        assert!(readme.contains(&format!("(docs/{name}.md)")), "{name}");
    }
}

/// Where the links of a page lead, without anchors and other sites.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|it| it.split(')').next());
    let targets = targets.filter(|it| !it.contains("://") && !it.starts_with('#'));
    targets.map(|it| it.split('#').next().unwrap().to_owned()).collect()
}

#[test]
fn their_links_lead_somewhere() {
    let pages = PAGES.iter().map(|name| ("docs", page(name)));
    let readme = fs::read_to_string(project("README.md")).unwrap();
    for (folder, text) in pages.chain([("", readme)]) {
        for link in links(&text) {
            assert!(project(folder).join(&link).exists(), "{link}");
        }
    }
}

/// Lines of the blocks of commands that call us, without what comes before our name.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with("```") {
            inside = !inside && line == "```sh";
        } else if inside {
            let line = line.split(" #").next().unwrap();
            let elsewhere = [
                "runuser -u thongsuot -- ",
                "docker compose exec thongsuot ",
                "kubectl -n thongsuot exec thongsuot-0 -- ",
            ];
            let line = elsewhere.iter().find_map(|it| line.strip_prefix(it)).unwrap_or(line);
            found.extend(line.strip_prefix("thongsuot ").map(str::to_owned));
        }
    }
    found
}

#[test]
fn their_commands_and_options_exist() {
    let folder = Folder::new();
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = 0;
    for name in PAGES {
        for command in commands(&page(name)) {
            let mut words = command.split_whitespace();
            let verb = words.next().unwrap().to_owned();
            if verb.starts_with('-') {
                continue;
            }
            let help = helps.entry(verb.clone()).or_insert_with(|| {
                let (code, out, error) = folder.run(&[&verb, "--help"]);
                assert_eq!(code, 0, "{name}: `thongsuot {command}`: {error}");
                out
            });
            for option in words.filter(|it| it.starts_with("--")) {
                assert!(help.contains(option), "{name}: `thongsuot {command}`: {option}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen} commands were found");
}

#[test]
fn files_that_they_name_are_there() {
    for name in PAGES {
        let text = page(name);
        let named = text.split(['`', ' ', '\n', ')', '"']).filter(|it| {
            (it.starts_with("deploy/") || it.starts_with("tests/")) && !it.contains("secrets")
        });
        for path in named {
            let path = path.trim_end_matches(['.', ',', ';', ':']);
            // What a person makes: a folder for what is watched.
            if path == "deploy/compose/thongsuot/targets.d/" {
                continue;
            }
            assert!(project(path).exists(), "{name}: {path}");
        }
    }
}

/// The table of capacity is worked out from figures that are measured elsewhere.
#[test]
fn capacity_speaks_of_the_figures_that_were_measured() {
    let measured = fs::read_to_string(project("docs/performance.md")).unwrap() + &page("history");
    let text = page("capacity");
    for figure in ["399 us", "146 us", "106 MB", "370 MB", "12.5 bytes a result", "57 bytes"] {
        assert!(measured.contains(figure), "{figure} is not measured any more");
        let figure = figure.replace(" us", " µs");
        assert!(text.contains(&figure), "{figure} is not in docs/capacity.md");
    }
}
