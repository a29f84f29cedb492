//! A source of which miette sees whole lines and nothing around them.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::config::source::{Place, Source, position};

/// One file of `sources`.
#[derive(Debug)]
pub(super) struct Snippet<'a> {
    pub(super) sources: &'a [Source],
    pub(super) file: usize,
}

impl SourceCode for Snippet<'_> {
    /// Without context: exactly `span`, with its line and column. With any: its whole lines.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        _context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let source = self.sources.get(self.file).ok_or(MietteError::OutOfBounds)?;
        let text = source.text.as_str();
        let (mut start, mut end) = (span.offset(), span.offset() + span.len());
        if !text.is_char_boundary(start) || !text.is_char_boundary(end) {
            return Err(MietteError::OutOfBounds);
        }
        let at = position(self.sources, Place { file: self.file, start, end });
        let mut column = at.column - 1;
        if context_lines_before > 0 {
            start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
            end += text[end..].find('\n').unwrap_or(text.len() - end);
            if end > start && text[start..end].ends_with('\r') {
                end -= 1;
            }
            column = 0;
        }
        let lines = text[start..end].matches('\n').count() + 1;
        Ok(Box::new(MietteSpanContents::new_named(
            super::tame(&source.name).replace('\n', "\u{fffd}"),
            text.as_bytes().get(start..end).unwrap_or_default(),
            (start, end - start).into(),
            at.line - 1,
            column,
            lines,
        )))
    }
}
