//! What is wrong with a file, or worth knowing of it, and where.

use std::fmt::{self, Write as _};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};

use super::yaml::{Slip, Span};

/// Mistakes shown in full; of more only the number is told.
const SHOWN_MAX: usize = 100;

/// Longest line of the file that is shown.
const LINE_BYTES_MAX: usize = 500;

/// One mistake, or one note, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong; no secret is ever in it.
    pub what: String,
    /// What to write instead.
    pub mend: Option<String>,
    at: Span,
}

impl Fault {
    /// `slip` in `text`, the text of `file`.
    pub(super) fn new(file: &str, text: &str, slip: Slip) -> Self {
        let start = text.floor_char_boundary(slip.at.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = text.ceil_char_boundary(slip.at.end.clamp(start, text.len()));
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            what: slip.what,
            mend: slip.mend,
            at: Span { start, end },
        }
    }
}

impl fmt::Display for Fault {
    /// As one line: where, what, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)?;
        self.mend.as_ref().map_or(Ok(()), |mend| write!(f, " ({mend})"))
    }
}

/// Everything that is wrong with a file; never empty.
///
/// Displayed, it is readable at 80 columns without colour. Secrets of the file are never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The text with secrets masked; empty if it is not to be shown.
    shown: String,
    list: Vec<Fault>,
}

impl Faults {
    /// `list` over the masked text `shown`, sorted by place.
    pub(super) fn new(shown: String, mut list: Vec<Fault>) -> Self {
        list.sort_by_key(|fault| fault.at);
        list.dedup();
        Self { shown, list }
    }

    /// Each, by place.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// Each as one line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.list.iter().take(SHOWN_MAX).map(ToString::to_string).collect()
    }

    /// All of them as text, with or without colour, wrapped to `columns`.
    #[must_use]
    pub fn render(&self, colour: bool, columns: usize) -> String {
        let theme =
            if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(columns)
            .with_links(false)
            .with_context_lines(1)
            .tab_width(4);
        let mut text = String::new();
        for fault in self.list.iter().take(SHOWN_MAX) {
            text += &self.one(fault, &handler);
            text.push('\n');
        }
        let number = self.list.len();
        if number > SHOWN_MAX {
            let _ = writeln!(text, "… and {} more", number - SHOWN_MAX);
        }
        let _ = writeln!(text, "{number} mistake{}", if number == 1 { "" } else { "s" });
        text
    }

    fn one(&self, fault: &Fault, handler: &GraphicalReportHandler) -> String {
        let line = self.shown.lines().nth(fault.line - 1).unwrap_or_default();
        let seen = !line.trim().is_empty() && line.len() <= LINE_BYTES_MAX;
        let text = self.shown.as_str();
        let told = Shown { fault, source: seen.then_some(Line { fault, text }) };
        let mut text = String::new();
        if handler.render_report(&mut text, &told).is_err() || text.is_empty() {
            text = format!("{fault}\n");
        }
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n").trim_matches('\n'))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, 80))
    }
}

impl std::error::Error for Faults {}

/// A file of which miette sees the line of a fault and nothing around it.
#[derive(Debug)]
struct Line<'a> {
    fault: &'a Fault,
    text: &'a str,
}

impl SourceCode for Line<'_> {
    /// Without context: exactly `span`, with its line and column. With any: the whole line.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        _context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (mut start, mut end) = (span.offset(), span.offset() + span.len());
        let mut column = self.fault.column - 1;
        if !self.text.is_char_boundary(start) || !self.text.is_char_boundary(end) {
            return Err(MietteError::OutOfBounds);
        }
        if context_lines_before > 0 {
            start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
            end += self.text[end..].find('\n').unwrap_or(self.text.len() - end);
            column = 0;
        }
        Ok(Box::new(MietteSpanContents::new_named(
            self.fault.file.clone(),
            self.text.as_bytes().get(start..end).unwrap_or_default(),
            (start, end - start).into(),
            self.fault.line - 1,
            column,
            1,
        )))
    }
}

/// What miette is given.
struct Shown<'a> {
    fault: &'a Fault,
    source: Option<Line<'a>>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.what)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_some() {
            return f.write_str(&self.fault.what);
        }
        let Fault { file, line, column, what, .. } = self.fault;
        write!(f, "{file}:{line}:{column}: {what}")
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.fault.mend.as_ref().map(|mend| Box::new(mend) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let source = self.source.as_ref()?;
        let Span { start, end } = self.fault.at;
        let rest = source.text.get(start..end).unwrap_or_default();
        let length = rest.lines().next().map_or(0, |line| line.trim_end().len());
        let label = LabeledSpan::new_primary_with_span(Some("here".to_owned()), (start, length));
        Some(Box::new(std::iter::once(label)))
    }
}
