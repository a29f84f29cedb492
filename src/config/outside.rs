//! What the configuration takes from outside its own files: secrets, certificates, bodies.

use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use super::element::words;
use super::mistake::{Mistake, What};
use super::note::{Note, NoteWhat};
use super::raw::Node;
use super::source::{Place, Source};
use crate::model::secret::Secret;
use crate::model::text::Pattern;

/// Largest configuration file: ten thousand checks are about 5 MB.
pub(super) const CONFIG_BYTES_MAX: u64 = 32 << 20;

/// Largest secret: a private key of 16 kbit is about 13 kB.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Largest PEM file: a whole store of roots is about 250 kB.
const PEM_BYTES_MAX: u64 = 4 << 20;

/// Largest body to send.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// How environment variables are looked up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the second pass works with: where it looks things up, and where it puts what it finds.
pub(super) struct Desk<'a> {
    /// The files read so far.
    pub(super) sources: &'a [Source],
    /// What is wrong.
    pub(super) mistakes: Vec<Mistake>,
    /// What is worth knowing.
    pub(super) notes: Vec<Note>,
    /// Other files read: secrets, certificates, bodies.
    pub(super) files: Vec<PathBuf>,
    /// Patterns by their text in NFC.
    pub(super) patterns: HashMap<String, Pattern>,
    /// Of all that decides what is done and is no secret.
    pub(super) hasher: Sha256,
    /// Whether what is being read does not run: then a secret that nobody has put down yet is
    /// no mistake.
    pub(super) idle: bool,
    env: Env<'a>,
}

impl fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("mistakes", &self.mistakes).finish_non_exhaustive()
    }
}

impl<'a> Desk<'a> {
    /// One with what the first pass found.
    pub(super) fn new(
        sources: &'a [Source],
        mistakes: Vec<Mistake>,
        patterns: HashMap<String, Pattern>,
        env: Env<'a>,
    ) -> Self {
        let (notes, files) = (Vec::new(), Vec::new());
        let hasher = Sha256::new();
        Self { sources, mistakes, notes, files, patterns, hasher, idle: false, env }
    }

    /// Puts down a mistake.
    pub(super) fn wrong(&mut self, at: Place, what: What) {
        self.mistakes.push(Mistake::new(at, what));
    }

    /// Puts down a note.
    pub(super) fn note(&mut self, at: Place, what: NoteWhat) {
        self.notes.push(Note { at, what });
    }

    /// The path written at `node`, relative to the file that it is written in.
    pub(super) fn path(&self, node: &Node) -> Option<PathBuf> {
        let text = node.as_text().filter(|text| !text.is_empty())?;
        let source = self.sources.get(node.at.file)?;
        Some(directory(&source.path).join(text))
    }

    /// The secret described at `key` of `table`; `None` if there is none or it is wrong.
    pub(super) fn secret(&mut self, table: &Node, key: &str) -> Option<Secret> {
        self.secret_at(table.get(key)?)
    }

    /// The secret described by `node`; empty if it is not there and need not be.
    pub(super) fn secret_at(&mut self, node: &Node) -> Option<Secret> {
        if node.get("file").is_some() && node.get("env").is_some() {
            return None; // Which one is meant was asked by the first pass.
        }
        if self.idle && self.is_absent(node) {
            return Some(Secret::new(String::new()));
        }
        let (text, place, at) = if let Some(file) = node.get("file") {
            let bytes = self.read(file, SECRET_BYTES_MAX)?;
            let name = file.as_text().unwrap_or_default();
            let Ok(text) = String::from_utf8(bytes) else {
                self.wrong(file.at, What::SecretNotPrintable { place: format!("`{name}`") });
                return None;
            };
            (text, format!("`{name}`"), file.at)
        } else {
            let variable = node.get("env")?;
            let name = variable.as_text().filter(|name| words::env_name(name).is_ok())?;
            let Some(text) = (self.env)(name) else {
                self.wrong(variable.at, What::NoSuchEnv { name: name.to_owned() });
                return None;
            };
            (text, format!("environment variable `{name}`"), variable.at)
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            self.wrong(at, What::EmptySecret { place });
            return None;
        }
        Some(Secret::new(text.to_owned()))
    }

    /// Whether the file or environment variable that `node` names does not exist.
    fn is_absent(&self, node: &Node) -> bool {
        if let Some(variable) = node.get("env").and_then(Node::as_text) {
            return words::env_name(variable).is_ok() && (self.env)(variable).is_none();
        }
        node.get("file").and_then(|file| self.path(file)).is_some_and(|path| !path.exists())
    }

    /// The same for a secret that is sent in a header: one line of visible ASCII.
    pub(super) fn header_secret(&mut self, node: &Node) -> Option<Secret> {
        let secret = self.secret_at(node)?;
        if secret.reveal().is_empty() {
            return Some(secret);
        }
        if super::element::header::value(secret.reveal()).is_err() {
            self.wrong(node.at, What::SecretNotPrintable { place: place_of(node) });
            return None;
        }
        Some(secret)
    }

    /// The same for a URL that holds something secret.
    pub(super) fn url_secret(&mut self, node: &Node) -> Option<Secret> {
        let secret = self.secret_at(node)?;
        if super::element::url::http(secret.reveal()).is_err() {
            self.wrong(node.at, What::SecretNotUrl { place: place_of(node) });
            return None;
        }
        Some(secret)
    }

    /// The same for a key of at least `bytes_min` bytes.
    pub(super) fn long_secret(&mut self, node: &Node, bytes_min: usize) -> Option<Secret> {
        let secret = self.secret_at(node)?;
        if secret.reveal().len() < bytes_min {
            self.wrong(node.at, What::ShortSecret { place: place_of(node), bytes_min });
            return None;
        }
        Some(secret)
    }

    /// The directory named at `node`, which must be there.
    pub(super) fn directory(&mut self, node: &Node) -> Option<PathBuf> {
        let path = self.path(node)?;
        if !path.is_dir() {
            let problem = "there is no such directory".to_owned();
            self.wrong(node.at, What::Unreadable { path: path.display().to_string(), problem });
            return None;
        }
        Some(path)
    }

    /// The certificates in the PEM file named at `node`.
    pub(super) fn certificates(&mut self, node: &Node) -> Option<Vec<u8>> {
        let bytes = self.read(node, PEM_BYTES_MAX)?;
        self.hasher.update(&bytes);
        let mut sound = CertificateDer::pem_slice_iter(&bytes).peekable();
        if sound.peek().is_none() || sound.any(|it| it.is_err()) {
            self.bad_pem(node, "certificate");
            return None;
        }
        Some(bytes)
    }

    /// The private key described by `node`.
    pub(super) fn private_key(&mut self, node: &Node) -> Option<Secret> {
        let secret = self.secret_at(node)?;
        if secret.reveal().is_empty() {
            return Some(secret);
        }
        if PrivateKeyDer::from_pem_slice(secret.reveal().as_bytes()).is_err() {
            self.bad_pem(node.get("file").or_else(|| node.get("env"))?, "private key");
            return None;
        }
        Some(secret)
    }

    /// A certificate chain and its private key, in one PEM.
    pub(super) fn identity(&mut self, node: &Node) -> Option<Secret> {
        let secret = self.private_key(node)?;
        let pem = secret.reveal().as_bytes();
        let mut chain = CertificateDer::pem_slice_iter(pem).peekable();
        if chain.peek().is_none() || chain.any(|it| it.is_err()) {
            self.bad_pem(node.get("file").or_else(|| node.get("env"))?, "certificate");
            return None;
        }
        Some(secret)
    }

    /// The body in the file named at `node`.
    pub(super) fn body(&mut self, node: &Node) -> Option<Vec<u8>> {
        let bytes = self.read(node, BODY_BYTES_MAX)?;
        self.hasher.update(&bytes);
        Some(bytes)
    }

    fn bad_pem(&mut self, node: &Node, wanted: &'static str) {
        let path = node.as_text().unwrap_or_default().to_owned();
        self.wrong(node.at, What::BadPem { path, wanted });
    }

    fn read(&mut self, node: &Node, bytes_max: u64) -> Option<Vec<u8>> {
        let path = self.path(node)?;
        self.files.push(path.clone());
        match read_file(&path, bytes_max) {
            Ok(bytes) => Some(bytes),
            Err(what) => {
                self.wrong(node.at, what);
                None
            }
        }
    }
}

/// The file or variable that a secret is in, in words.
fn place_of(secret: &Node) -> String {
    let which = secret.get("file").or_else(|| secret.get("env"));
    format!("`{}`", which.and_then(Node::as_text).unwrap_or_default())
}

/// The directory of `path`; empty if it is in the current one.
pub(super) fn directory(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The bytes of a file, if there are at most `bytes_max`.
pub(super) fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, What> {
    let name = path.display().to_string();
    let unreadable =
        |error: &io::Error| What::Unreadable { path: name.clone(), problem: plain(error) };
    // A pipe or a device would block or never end.
    let facts = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !facts.is_file() {
        return Err(What::Unreadable { path: name, problem: "it is not a file".to_owned() });
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(What::TooLarge { path: name, max_bytes: bytes_max });
    }
    Ok(bytes)
}

/// The system's words without its number.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
