//! A mail server that treats each recipient as a script says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

/// How a recipient is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Refused for good.
    Refused,
    /// Refused the first time (RFC 6647).
    Greylisted,
    /// No answer, ever.
    Tarpit,
}

/// The server. Its threads end with the process.
pub(super) struct Smtp {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    manners: BTreeMap<&'static str, Manner>,
    asked: Mutex<Vec<String>>,
    taken: Mutex<Vec<(String, Instant)>>,
}

impl Smtp {
    /// One that listens; recipients whom nothing is said of are well.
    pub(super) fn start(manners: &[(&'static str, Manner)]) -> Self {
        let smtp = Self::down(manners);
        smtp.listen();
        smtp
    }

    /// One that is down.
    pub(super) fn down(manners: &[(&'static str, Manner)]) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let manners = manners.iter().copied().collect();
        let (asked, taken) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { manners, asked, taken });
        Self { address: free.local_addr().unwrap(), shared }
    }

    /// From now on it listens.
    pub(super) fn listen(&self) {
        let listener = TcpListener::bind(self.address).unwrap();
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.talk(&stream));
            }
        });
    }

    /// The channel `mail`.
    pub(super) fn written(&self, more: &str) -> String {
        format!(
            "[[channel]]\nid = \"mail\"\nkind = \"email\"\nserver = \"{}\"\nsecurity = \"none\"\n\
             from = \"Giám sát <giamsat@example.gov.vn>\"\n{more}\n",
            self.address
        )
    }

    /// When each message for an address was taken.
    pub(super) fn taken(&self, address: &str) -> Vec<Instant> {
        let taken = self.shared.taken.lock().unwrap();
        taken.iter().filter(|it| it.0.contains(address)).map(|it| it.1).collect()
    }

    /// How often an address was asked for.
    pub(super) fn asked(&self, address: &str) -> usize {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter(|it| it.contains(address)).count()
    }
}

impl Shared {
    fn talk(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let say = |text: &str| write!(&mut &*stream, "{text}\r\n").ok();
        say("220 kich-ban ESMTP")?;
        let (mut to, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let command = line.get(..4).unwrap_or_default().to_uppercase();
            match &*command {
                "RCPT" => {
                    line.trim().clone_into(&mut to);
                    say(self.recipient(&to, stream)?)?;
                }
                "DATA" => {
                    say("354 go on")?;
                    while line.trim_end() != "." {
                        line.clear();
                        if reader.read_line(&mut line).ok()? == 0 {
                            return None;
                        }
                    }
                    self.taken.lock().unwrap().push((to.clone(), Instant::now()));
                    say("250 2.0.0 queued")?;
                }
                "QUIT" => {
                    say("221 bye")?;
                    return None;
                }
                _ => say("250 ok")?,
            }
        }
    }

    fn recipient(&self, line: &str, stream: &TcpStream) -> Option<&'static str> {
        let mut asked = self.asked.lock().unwrap();
        let known = asked.iter().any(|it| it == line);
        asked.push(line.to_owned());
        drop(asked);
        let manner = self.manners.iter().find(|(to, _)| line.contains(*to)).map(|it| *it.1);
        match manner {
            Some(Manner::Refused) => Some("550 5.1.1 no such user"),
            Some(Manner::Greylisted) if !known => Some("451 4.7.1 greylisted, come back later"),
            Some(Manner::Tarpit) => {
                let mut part = [0; 64];
                while (&mut &*stream).read(&mut part).is_ok_and(|n| n > 0) {}
                None
            }
            _ => Some("250 2.1.5 ok"),
        }
    }
}
