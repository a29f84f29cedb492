//! From the parser's events to the tree.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, ScalarStyle, Tag};

use crate::blackbox::desk::SLIPS_MAX;
use crate::blackbox::hide::speakable;

use super::{Entry, NODE_WEIGHT, Node, Slip, Span, Value, WEIGHT_MAX};

/// A tree that is being built.
#[derive(Debug, Default)]
pub(super) struct Build {
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    /// The tree, once whole.
    pub(super) root: Option<Arc<Node>>,
    /// What is wrong but can be passed over.
    pub(super) slips: Vec<Slip>,
}

/// A list or mapping whose end has not come.
#[derive(Debug)]
struct Open {
    at: Span,
    anchor: usize,
    weight: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    List(Vec<Arc<Node>>),
    Map {
        entries: Vec<Entry>,
        seen: HashMap<String, Span>,
        key: Option<(String, Span)>,
        merged: Vec<(Span, Arc<Node>)>,
    },
}

impl Build {
    /// Takes the next event.
    pub(super) fn take(&mut self, event: Event<'_>, at: Span) -> Result<(), Slip> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = tag_is_text(tag.as_deref(), at)?;
                let plain = style == ScalarStyle::Plain && !text_tag;
                let node = Arc::new(Node::scalar(at, text.into_owned(), plain));
                self.put(node, anchor, at)
            }
            Event::SequenceStart(_, anchor, tag) => {
                tag_is_text(tag.as_deref(), at)?;
                self.begin(at, anchor, What::List(Vec::new()));
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                tag_is_text(tag.as_deref(), at)?;
                let (entries, seen, merged) = (Vec::new(), HashMap::new(), Vec::new());
                self.begin(at, anchor, What::Map { entries, seen, key: None, merged });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Slip::new(at, "what this alias stands for holds the alias itself"));
                };
                self.put(node, 0, at)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Span, anchor: usize, what: What) {
        self.open.push(Open { at, anchor, weight: NODE_WEIGHT, what });
    }

    fn end(&mut self, at: Span) -> Result<(), Slip> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let span = Span { start: open.at.start, end: at.end.max(open.at.end) };
        let mut weight = open.weight;
        let value = match open.what {
            What::List(items) => Value::List(items),
            What::Map { mut entries, seen, merged, .. } => {
                let mut known: HashSet<String> = seen.into_keys().collect();
                for (place, node) in merged {
                    weight += self.merge(place, &node, &mut entries, &mut known);
                }
                Value::Map(entries)
            }
        };
        self.put(Arc::new(Node { at: span, weight, value }), open.anchor, open.at)
    }

    /// Adds what `<<` brings: of each key the first one wins. The weight of what was added.
    fn merge(
        &mut self,
        at: Span,
        node: &Arc<Node>,
        entries: &mut Vec<Entry>,
        known: &mut HashSet<String>,
    ) -> u64 {
        let several = match &node.value {
            Value::List(several) => several.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut weight = 0;
        for one in several {
            let Value::Map(more) = &one.value else {
                let what = format!("`<<` takes a mapping or a list of them, not {}", one.kind());
                let mend = "write an alias of a mapping: `<<: *name`";
                slip(&mut self.slips, Slip::new(at, what).mend(mend));
                continue;
            };
            for entry in more {
                if known.insert(entry.key.clone()) {
                    weight += entry.node.weight + NODE_WEIGHT;
                    entries.push(entry.clone());
                }
            }
        }
        weight
    }

    /// Puts a whole node where it belongs; `at` is where it is written, if by an alias then that.
    fn put(&mut self, node: Arc<Node>, anchor: usize, at: Span) -> Result<(), Slip> {
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight = open.weight.saturating_add(node.weight);
        if open.weight > WEIGHT_MAX {
            return Err(Slip::new(at, "with its aliases followed, the file is too large")
                .mend("write fewer aliases of aliases"));
        }
        match &mut open.what {
            What::List(items) => items.push(node),
            What::Map { entries, seen, key, merged } => match key.take() {
                None => *key = Some(self::key(&node, at)?),
                Some((name, key_at)) if name == "<<" => merged.push((key_at, node)),
                Some((name, key_at)) => {
                    if seen.insert(name.clone(), key_at).is_some() {
                        let said =
                            if speakable(&name) { format!("`{name}`") } else { "this key".into() };
                        let what = format!("{said} is here for the second time");
                        slip(&mut self.slips, Slip::new(key_at, what).mend("keep one of them"));
                    } else {
                        entries.push(Entry { key: name, key_at, node });
                    }
                }
            },
        }
        Ok(())
    }
}

fn slip(slips: &mut Vec<Slip>, slip: Slip) {
    if slips.len() < SLIPS_MAX {
        slips.push(slip);
    }
}

fn key(node: &Node, at: Span) -> Result<(String, Span), Slip> {
    match &node.value {
        Value::Scalar { text, .. } => Ok((text.clone(), at)),
        Value::Null => Ok((String::new(), at)),
        Value::List(_) | Value::Map(_) => {
            Err(Slip::new(at, format!("a key is text, not {}", node.kind())))
        }
    }
}

/// Whether a tag makes a scalar a text; other tags of YAML's own say nothing new.
fn tag_is_text(tag: Option<&Tag>, at: Span) -> Result<bool, Slip> {
    let Some(tag) = tag else { return Ok(false) };
    match tag.core_suffix() {
        Some(suffix) => Ok(suffix == "str"),
        None => {
            Err(Slip::new(at, "there are no tags of one's own here").mend("leave out the `!…`"))
        }
    }
}
