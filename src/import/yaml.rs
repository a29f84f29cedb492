//! YAML as a tree of values, each with its line.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Options, Spanned};

use super::ImportError;
use super::note::Place;

/// Deepest nesting that is read. Values are read one in the other: a level takes about 32 kB of
/// stack in a build for tests, whose threads have 2 MB. Real configurations have about eight.
const DEPTH_MAX: usize = 24;

/// A value and its line.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Tree,
    /// The bytes of the file that it is read from.
    bytes: Range<usize>,
    /// A number or a boolean as it is written: `1.10` is not `1.1` where a text is wanted.
    written: Option<String>,
}

/// A value of YAML.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Node, ImportError> {
    let mut options = Options::default();
    if let Some(budget) = &mut options.budget {
        budget.max_depth = DEPTH_MAX;
    }
    let read = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |it| it.line());
        let problem = error.without_snippet().to_string();
        ImportError::NotYaml {
            line,
            problem: problem.lines().next().unwrap_or_default().to_owned(),
        }
    });
    let mut root: Node = read?;
    root.keep_written(text);
    Ok(root)
}

impl Node {
    pub(super) const fn place(&self) -> Place {
        Place::Line(self.line)
    }

    /// The value at `key`, if this is a map that has it and it is not null.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(known, _)| known == key);
        found.map(|(_, node)| node).filter(|node| !matches!(node.value, Tree::Null))
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        if let Tree::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        if let Tree::List(items) = &self.value { items } else { &[] }
    }

    /// The items of the list at `key`.
    pub(super) fn list(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    /// Keeps how numbers and booleans are written in `text`.
    fn keep_written(&mut self, text: &str) {
        match &mut self.value {
            Tree::List(items) => items.iter_mut().for_each(|it| it.keep_written(text)),
            Tree::Map(entries) => entries.iter_mut().for_each(|(_, it)| it.keep_written(text)),
            Tree::Bool(_) | Tree::Integer(_) | Tree::Float(_) => {
                let written = text.get(self.bytes.clone()).map(str::trim);
                self.written = written.filter(|it| !it.is_empty()).map(str::to_owned);
            }
            Tree::Null | Tree::Text(_) => {}
        }
    }

    /// A scalar as text.
    pub(super) fn as_text(&self) -> Option<String> {
        if let Some(written) = &self.written {
            return Some(written.clone());
        }
        match &self.value {
            Tree::Text(text) => Some(text.clone()),
            Tree::Integer(number) => Some(number.to_string()),
            Tree::Float(number) => Some(number.to_string()),
            Tree::Bool(yes) => Some(yes.to_string()),
            _ => None,
        }
    }

    /// The scalar at `key` as text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.as_text()
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Tree::Bool(yes) => Some(yes),
            _ => None,
        }
    }

    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)?.value {
            Tree::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The texts of the list at `key`, or the one text that stands there.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(node) if node.as_text().is_some() => node.as_text().into_iter().collect(),
            Some(node) => node.items().iter().filter_map(Self::as_text).collect(),
            None => Vec::new(),
        }
    }

    /// The entries whose keys are none of `known`.
    pub(super) fn others<'a>(
        &'a self,
        known: &'a [&str],
    ) -> impl Iterator<Item = &'a (String, Self)> {
        self.entries().iter().filter(|(key, _)| !known.contains(&key.as_str()))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(from)?;
        let span = spanned.defined.span();
        let start = span.byte_offset().and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        let length = span.byte_len().and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        let bytes = start..start.saturating_add(length);
        Ok(Self { line: spanned.referenced.line(), value: spanned.value, bytes, written: None })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of YAML")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(i64::try_from(number).map_or(Tree::Float(number as f64), Tree::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Tree, D::Error> {
        from.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Tree::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(Tree::Map(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines_through_anchors_and_merges() {
        let text = "x: &x\n  a: 1\n  b: yes\nlist:\n  - <<: *x\n    c: \"1\"\n  - name: Đăng ký\n    n: ~\n    t: true\n";
        let root = parse(text).unwrap();
        let items = root.list("list");
        assert_eq!(items[0].integer("a"), Some(1));
        let odd = parse("a: [y, 1.10, 0x1F, 007, &v 5.0, *v, '1.0', true]\n").unwrap();
        assert_eq!(odd.texts("a"), ["y", "1.10", "0x1F", "007", "5.0", "5.0", "1.0", "true"]);
        assert_eq!(items[0].text("c").as_deref(), Some("1"));
        assert_eq!(items[1].get("name").unwrap().line, 7);
        assert_eq!(items[1].text("name").as_deref(), Some("Đăng ký"));
        assert!(items[1].get("n").is_none() && items[1].bool("t") == Some(true));
        // Neither depth nor aliases of aliases can use up the stack or the memory.
        let bomb: Vec<String> =
            (0..40).map(|it| format!("a{}: &a{} [*a{it}, *a{it}]", it + 1, it + 1)).collect();
        let bomb = bomb.join("\n");
        assert!(parse(&format!("a0: &a0 [1, 1]\n{bomb}")).is_err());
        for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
            assert!(parse(&deep).is_err());
        }
        let nested: Vec<String> = (0..900).map(|it| format!("{}a:", " ".repeat(it))).collect();
        let nested = nested.join("\n");
        assert!(parse(&nested).is_err());
        assert!(matches!(parse("a: [1"), Err(ImportError::NotYaml { .. })));
    }
}
