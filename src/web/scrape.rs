//! `/metrics`: a page that is made while it is sent, so that no more of it than a piece is in
//! memory, and a slow reader slows only itself.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Frame;

use super::Shared;
use super::source::Source;
use crate::metrics::{Format, Page};

pub(super) async fn metrics<S: Source>(State(web): Shared<S>, headers: HeaderMap) -> Response {
    let format = Format::negotiate(&said(&headers, header::ACCEPT));
    let gzip = takes_gzip(&headers);
    let body = Body::new(PageBody {
        page: web.metrics.page(format),
        piece: Vec::new(),
        gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        done: false,
    });
    let kind = (header::CONTENT_TYPE, format.content_type());
    let vary = (header::VARY, "Accept, Accept-Encoding");
    if gzip {
        ([kind, vary, (header::CONTENT_ENCODING, "gzip")], body).into_response()
    } else {
        ([kind, vary], body).into_response()
    }
}

/// What all lines of a header say together.
fn said(headers: &HeaderMap, name: HeaderName) -> String {
    let values = headers.get_all(name);
    let texts: Vec<_> = values.iter().filter_map(|value| value.to_str().ok()).collect();
    texts.join(",")
}

/// Whether the asker takes gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    accepts_gzip(&said(headers, header::ACCEPT_ENCODING))
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(accept: &str) -> bool {
    accept.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let zero = weight.trim_matches(['0', '.', ' ']).is_empty();
        name.trim().eq_ignore_ascii_case("gzip") && !zero
    })
}

struct PageBody {
    page: Page,
    piece: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    done: bool,
}

impl PageBody {
    /// The next bytes to send, which may be none yet; `None`: that was all.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.done {
            return None;
        }
        let more = self.page.fill(&mut self.piece);
        self.done = !more;
        let Some(gzip) = &mut self.gzip else {
            return more.then(|| std::mem::take(&mut self.piece));
        };
        // Writing to memory does not fail.
        let _ = if more { gzip.write_all(&self.piece) } else { gzip.try_finish() };
        self.piece.clear();
        Some(std::mem::take(gzip.get_mut()))
    }
}

impl http_body::Body for PageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.next() {
            None => Poll::Ready(None),
            Some(bytes) if bytes.is_empty() => {
                // The encoder swallowed the piece. Let others run before the next one.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes))))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_if_it_is_asked_for() {
        for (accept, expected) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("identity", false),
            ("gzipped", false),
        ] {
            assert_eq!(accepts_gzip(accept), expected, "{accept}");
        }
    }
}
