//! An SMTP server that follows a script.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes everything.
    Good,
    /// Answers `.1` to the command that begins with `.0`; `GREET` is before the first, `BODY`
    /// after the message.
    Answers(&'static str, &'static str),
    /// Refuses every recipient once (RFC 6647).
    Greylists,
    /// Sends its greeting letter by letter, for ever.
    Drips,
    /// Takes the message and never says so.
    SilentAfterBody,
    /// Answers QUIT with nothing.
    SilentAtQuit,
}

/// Somebody on the way to a good server appends to its answer to STARTTLS all the answers that the
/// server would give inside TLS, and lets nothing through that it does say; the certificate.
pub(crate) async fn injected() -> (SocketAddr, Vec<u8>, JoinSet<()>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail ESMTP\r\n").await.unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        stream.write_all(b"250-mail\r\n250 STARTTLS\r\n").await.unwrap();
        stream.read_line(&mut line).await.unwrap();
        let forged = "220 go on\r\n250-mail\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go on\r\n\
                      250 queued as FORGED\r\n221 bye\r\n";
        stream.write_all(forged.as_bytes()).await.unwrap();
        if let Ok(mut inside) = acceptor.accept(stream.into_inner()).await {
            let mut unread = Vec::new();
            inside.read_to_end(&mut unread).await.ok();
        }
    });
    (address, certificate.pem().into_bytes(), tasks)
}

/// The server; ends with this value.
pub(crate) struct Smtp {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Smtp {
    /// Starts one that offers `extensions` besides what it must.
    pub(crate) async fn start(manner: Manner, extensions: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let lines = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            let known = Arc::new(Mutex::new(Vec::new()));
            while let Ok((stream, _)) = listener.accept().await {
                let talk = Talk {
                    manner,
                    extensions,
                    lines: Arc::clone(&lines),
                    known: Arc::clone(&known),
                };
                connections.spawn(async move {
                    talk.talk(stream).await.ok();
                });
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    /// Every line that clients sent, those of messages too.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

struct Talk {
    manner: Manner,
    extensions: &'static [&'static str],
    lines: Arc<Mutex<Vec<String>>>,
    known: Arc<Mutex<Vec<String>>>,
}

impl Talk {
    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        if self.manner == Manner::Drips {
            loop {
                stream.write_all(b"2").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let greeting = self.answer("GREET", "220 kịch bản ESMTP");
        stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
        while let Some(line) = self.line(&mut stream).await? {
            let answer = self.command(&line);
            stream.write_all(answer.as_bytes()).await?;
            if line == "DATA" && answer.starts_with('3') {
                while self.line(&mut stream).await?.is_some_and(|it| it != ".") {}
                if self.manner == Manner::SilentAfterBody {
                    std::future::pending::<()>().await;
                }
                let answer = self.answer("BODY", "250 2.0.0 queued as 4XyZ");
                stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            }
        }
        Ok(())
    }

    async fn line(&self, stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        self.lines.lock().unwrap().push(line.clone());
        Ok(Some(line))
    }

    /// What the script says of a command, or what a good server does.
    fn answer(&self, command: &str, good: &str) -> String {
        match self.manner {
            Manner::Answers(start, answer) if command.starts_with(start) => answer.to_owned(),
            _ => good.to_owned(),
        }
    }

    fn command(&self, line: &str) -> String {
        let word = line.split(' ').next().unwrap_or_default();
        if word == "EHLO" {
            let all = [&["kich-ban"], self.extensions].concat();
            let last = all.len() - 1;
            let line = |(at, it): (usize, &&str)| {
                format!("250{}{it}\r\n", if at == last { ' ' } else { '-' })
            };
            return all.iter().enumerate().map(line).collect();
        }
        let good = match word {
            "DATA" => "354 go on",
            "AUTH" => "235 2.7.0 welcome",
            "QUIT" if self.manner == Manner::SilentAtQuit => return String::new(),
            "QUIT" => "221 bye",
            "RCPT" if self.manner == Manner::Greylists => self.greylisted(line),
            _ => "250 2.1.0 ok",
        };
        format!("{}\r\n", self.answer(line, good))
    }

    fn greylisted(&self, line: &str) -> &'static str {
        let mut known = self.known.lock().unwrap();
        if known.iter().any(|it| it == line) {
            return "250 2.1.5 ok";
        }
        known.push(line.to_owned());
        "451 4.7.1 greylisted, try again later"
    }
}
