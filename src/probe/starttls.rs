//! Asking a server that speaks in clear to go on in TLS.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::StartTls;

use super::stopwatch::{Fault, Stopwatch};

/// Longest line of an answer; the longest that these protocols allow is 8,192 (IMAP).
const LINE_BYTES_MAX: usize = 8_192;

/// Most lines of one answer; greetings and lists of abilities have a dozen.
const LINES_MAX: usize = 64;

/// The name we greet a mail server with: one that nobody can hold (RFC 2606, section 2).
const EHLO: &[u8] = b"EHLO thongsuot.invalid\r\n";

/// PostgreSQL's `SSLRequest`: a length of eight bytes and its own code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Speaks `protocol` on `stream` up to the point where TLS begins. Not one byte more is read.
/// Time goes to `tls`.
///
/// # Errors
///
/// `starttls_refused`, `dialogue_mismatch` if it is another protocol, `dialogue_closed`,
/// `timeout_tls`.
pub(super) async fn begin(
    stream: &mut TcpStream,
    protocol: StartTls,
    watch: &mut Stopwatch,
) -> Result<(), Fault> {
    watch
        .run(Phase::Tls, async {
            match protocol {
                StartTls::Smtp => smtp(stream).await,
                StartTls::Imap => imap(stream).await,
                StartTls::Pop3 => pop3(stream).await,
                StartTls::Ftp => ftp(stream).await,
                StartTls::Postgres => postgres(stream).await,
            }
        })
        .await
}

async fn smtp(stream: &mut TcpStream) -> Result<(), Fault> {
    greeted(&reply(stream).await?, "220")?;
    send(stream, EHLO).await?;
    let abilities = reply(stream).await?;
    greeted(&abilities, "250")?;
    let offers =
        |line: &String| line.get(4..).is_some_and(|it| it.trim().eq_ignore_ascii_case("starttls"));
    if !abilities.iter().any(offers) {
        return Err(refused("it does not offer STARTTLS"));
    }
    send(stream, b"STARTTLS\r\n").await?;
    agreed(&reply(stream).await?, "220")
}

async fn imap(stream: &mut TcpStream) -> Result<(), Fault> {
    greeted(&[line(stream).await?], "* OK")?;
    send(stream, b"a STARTTLS\r\n").await?;
    for _line in 0..LINES_MAX {
        let line = line(stream).await?;
        if line.starts_with("a ") {
            return agreed(&[line], "a OK");
        }
    }
    Err(endless())
}

async fn pop3(stream: &mut TcpStream) -> Result<(), Fault> {
    greeted(&[line(stream).await?], "+OK")?;
    send(stream, b"STLS\r\n").await?;
    agreed(&[line(stream).await?], "+OK")
}

async fn ftp(stream: &mut TcpStream) -> Result<(), Fault> {
    greeted(&reply(stream).await?, "220")?;
    send(stream, b"AUTH TLS\r\n").await?;
    agreed(&reply(stream).await?, "234")
}

async fn postgres(stream: &mut TcpStream) -> Result<(), Fault> {
    send(stream, &SSL_REQUEST).await?;
    match stream.read_u8().await.map_err(|error| closed(&error))? {
        b'S' => Ok(()),
        b'N' | b'E' => Err(refused("it does not speak TLS")),
        other => Err(mismatch(&format!("byte {other:#04x}"))),
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), Fault> {
    stream.write_all(bytes).await.map_err(|error| closed(&error))
}

/// A reply of one or more lines: all but the last have a `-` after the code (RFC 5321, section
/// 4.2.1; RFC 959, section 4.2, whose lines between may be anything).
async fn reply(stream: &mut TcpStream) -> Result<Vec<String>, Fault> {
    let mut lines: Vec<String> = Vec::new();
    while lines.len() < LINES_MAX {
        let line = line(stream).await?;
        let first = lines.first().unwrap_or(&line);
        let code = first.get(..3).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
        let more = code.is_some() && first.get(3..4) == Some("-");
        let last = !more || (line.get(..3) == code && line.get(3..4) != Some("-"));
        lines.push(line);
        if last {
            return Ok(lines);
        }
    }
    Err(endless())
}

/// One line, without its end. Read byte by byte: what follows may be TLS.
async fn line(stream: &mut TcpStream) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_u8().await.map_err(|error| closed(&error))? {
            b'\n' => break,
            _ if bytes.len() >= LINE_BYTES_MAX => return Err(endless()),
            byte => bytes.push(byte),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches('\r').to_owned())
}

fn greeted(lines: &[String], begin: &str) -> Result<(), Fault> {
    match lines.last() {
        Some(last) if begins(last, begin) => Ok(()),
        last => Err(mismatch(last.map_or("", String::as_str))),
    }
}

fn agreed(lines: &[String], begin: &str) -> Result<(), Fault> {
    match lines.last() {
        Some(last) if begins(last, begin) => Ok(()),
        last => Err(refused(&shown(last.map_or("", String::as_str)))),
    }
}

fn begins(line: &str, begin: &str) -> bool {
    line.get(..begin.len()).is_some_and(|it| it.eq_ignore_ascii_case(begin))
}

fn refused(why: &str) -> Fault {
    Fault::new(Reason::StarttlsRefused, format!("the server does not start TLS: {why}"))
}

fn mismatch(came: &str) -> Fault {
    let came = shown(came);
    Fault::new(Reason::DialogueMismatch, format!("not the protocol expected: `{came}`"))
}

fn endless() -> Fault {
    Fault::new(Reason::DialogueMismatch, "an answer without end")
}

fn closed(error: &io::Error) -> Fault {
    Fault::new(Reason::DialogueClosed, format!("closed before TLS began: {error}"))
}

fn shown(text: &str) -> String {
    super::expect::shorten(text)
}
