//! Mistakes and notes as text that points into the file.

mod snippet;

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity};

use snippet::Snippet;

use super::mistake::Mistake;
use super::note::Note;
use super::source::{self, Place, Source};

/// Longest line that is shown whole; of a longer one only its place is told.
const LINE_BYTES_MAX: usize = 2_000;

/// Longest explanation that is shown whole.
const TEXT_BYTES_MAX: usize = 600;

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// Whether to use colours (ANSI).
    pub colour: bool,
    /// Columns to wrap explanations to.
    pub columns: usize,
}

impl Looks {
    /// 80 columns without colour: for files, pipes and tests.
    pub const PLAIN: Self = Self { colour: false, columns: 80 };
}

/// `mistake` with the lines it is about.
pub(super) fn mistake(sources: &[Source], mistake: &Mistake, looks: Looks) -> String {
    Shown {
        sources,
        text: shortened(&mistake.what.to_string()),
        label: mistake.what.label(),
        help: mistake.what.help().map(|help| shortened(&help)),
        at: mistake.at,
        also: mistake.also,
        severity: Severity::Error,
    }
    .render(looks)
}

/// `note` with the lines it is about.
pub(super) fn note(sources: &[Source], note: &Note, looks: Looks) -> String {
    Shown {
        sources,
        text: shortened(&note.what.to_string()),
        label: "here",
        help: note.what.help().map(|help| shortened(&help)),
        at: note.at,
        also: None,
        severity: Severity::Advice,
    }
    .render(looks)
}

/// `text` without its middle if it repeats something very long, and without what would steer
/// a terminal.
fn shortened(text: &str) -> String {
    let text = tame(text);
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let start = text.floor_char_boundary(TEXT_BYTES_MAX / 2);
    let end = text.ceil_char_boundary(text.len() - TEXT_BYTES_MAX / 2);
    format!("{}…{}", &text[..start], &text[end..])
}

/// `text` with U+FFFD in place of what would steer a terminal: control characters but the
/// newline, and what turns the direction of writing (UAX #9).
pub(super) fn tame(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// What miette is given.
struct Shown<'a> {
    sources: &'a [Source],
    text: String,
    label: &'a str,
    help: Option<String>,
    at: Place,
    also: Option<(Place, &'static str)>,
    severity: Severity,
}

impl Shown<'_> {
    fn render(&self, looks: Looks) -> String {
        let theme = if looks.colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(looks.columns)
            .with_links(false)
            .with_context_lines(1)
            .tab_width(4);
        let mut text = String::new();
        let source = self.sources.get(self.at.file).filter(|source| self.can_show(source));
        let snippet = Snippet { sources: self.sources, file: self.at.file };
        let pointing = Pointing { shown: self, source: source.is_some().then_some(&snippet) };
        let rendered = handler.render_report(&mut text, &pointing);
        if rendered.is_err() || text.is_empty() {
            let place = source::position(self.sources, self.at);
            text = format!("{}: {}\n", tame(&place.to_string()), self.text);
        }
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n").trim_matches('\n'))
    }

    /// Whether the lines in question are text that is pleasant to show.
    fn can_show(&self, source: &Source) -> bool {
        let place = source::clamp(&source.text, self.at);
        let start = source.text[..place.start].rfind('\n').map_or(0, |at| at + 1);
        let end =
            source.text[place.end..].find('\n').map_or(source.text.len(), |at| place.end + at);
        !source.text.is_empty() && end - start <= LINE_BYTES_MAX
    }

    fn span(&self, place: Place) -> (usize, usize) {
        let Some(source) = self.sources.get(place.file) else { return (0, 0) };
        let place = source::clamp(&source.text, place);
        let line_end =
            source.text[place.start..].find('\n').map_or(source.text.len(), |at| place.start + at);
        (place.start, place.end.min(line_end).saturating_sub(place.start))
    }
}

/// A [`Shown`] with the file that it points into, or without any.
struct Pointing<'a> {
    shown: &'a Shown<'a>,
    source: Option<&'a Snippet<'a>>,
}

impl fmt::Debug for Pointing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.text)
    }
}

impl fmt::Display for Pointing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_some() {
            return f.write_str(&self.shown.text);
        }
        let place = source::position(self.shown.sources, self.shown.at);
        write!(f, "{}: {}", tame(&place.to_string()), self.shown.text)
    }
}

impl std::error::Error for Pointing<'_> {}

impl Diagnostic for Pointing<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(self.shown.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let elsewhere = self.shown.also.filter(|(place, _)| place.file != self.shown.at.file);
        let elsewhere = elsewhere.map(|(place, label)| {
            tame(&format!("{label}: {}", source::position(self.shown.sources, place)))
        });
        let lines: Vec<_> = elsewhere.into_iter().chain(self.shown.help.clone()).collect();
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source?;
        let (start, length) = self.shown.span(self.shown.at);
        let here =
            LabeledSpan::new_primary_with_span(Some(self.shown.label.to_owned()), (start, length));
        let also = self.shown.also.filter(|(place, _)| place.file == self.shown.at.file);
        let also = also.map(|(place, label)| {
            LabeledSpan::new_with_span(Some(label.to_owned()), self.shown.span(place))
        });
        Some(Box::new(also.into_iter().chain([here])))
    }
}
