//! YAML as a tree in which every part knows its place. Aliases share, so that the tree is no
//! larger than the file; what it would come to when followed is counted and bounded.

mod build;

use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Parser};

use build::Build;

/// Most that a file may come to with every alias followed: [`NODE_WEIGHT`] a node and the bytes of
/// its text. A file at the limit of its size is about half of that.
const WEIGHT_MAX: u64 = 64 << 20;

/// What a node weighs besides its text.
const NODE_WEIGHT: u64 = 32;

/// A stretch of bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// The first byte.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slip {
    /// Where.
    pub(super) at: Span,
    /// What is wrong; never with a secret in it.
    pub(super) what: String,
    /// What to write instead.
    pub(super) mend: Option<String>,
}

impl Slip {
    /// One without a mend.
    pub(super) fn new(at: Span, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), mend: None }
    }

    /// The same with a mend.
    pub(super) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }
}

/// One part of a file.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it is written; of an alias: where what it stands for is.
    pub(super) at: Span,
    /// What it comes to with every alias followed.
    pub(super) weight: u64,
    /// What it is.
    pub(super) value: Value,
}

/// What a part of a file is.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing: `null`, `~`, or nothing written.
    Null,
    /// A text, number or boolean.
    Scalar {
        /// With escapes followed.
        text: String,
        /// Whether it is written without quotes, so that it may be more than a text.
        plain: bool,
    },
    /// A list.
    List(Vec<Arc<Node>>),
    /// A mapping, in order; each key once, merged ones last.
    Map(Vec<Entry>),
}

/// One key of a mapping and what is under it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Span,
    pub(super) node: Arc<Node>,
}

impl Node {
    fn scalar(at: Span, text: String, plain: bool) -> Self {
        let weight = NODE_WEIGHT + text.len() as u64;
        let null = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let value = if null { Value::Null } else { Value::Scalar { text, plain } };
        Self { at, weight, value }
    }

    /// Its kind in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// The one document of `text`, and what is wrong that doesn't keep it from being read.
///
/// # Errors
///
/// What keeps it from being read.
pub(super) fn parse(text: &str) -> Result<(Arc<Node>, Vec<Slip>), Slip> {
    let mut build = Build::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let start = error.marker().byte_offset().unwrap_or(0);
            let words = error.kind().to_string();
            Slip::new(Span { start, end: start }, format!("this is not YAML: {words}"))
        })?;
        let at =
            span.byte_range().map_or(Span::default(), |it| Span { start: it.start, end: it.end });
        match event {
            Event::DocumentStart(..) => documents += 1,
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..)
                if documents > 1 =>
            {
                return Err(Slip::new(at, "a second document begins here")
                    .mend("put all modules under one `modules:`, without `---` between them"));
            }
            event => build.take(event, at)?,
        }
    }
    let root = build.root.take().filter(|root| !matches!(root.value, Value::Null));
    let Some(root) = root else {
        return Err(
            Slip::new(Span::default(), "the file is empty").mend("begin it with `modules:`")
        );
    };
    Ok((root, build.slips))
}
