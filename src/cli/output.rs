//! Where a command's answer goes: to standard output, or to a file that is whole or not there.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::Failure;

/// Writes to standard output. Who reads with `head` has seen enough: a pipe that is closed is no
/// fault, and a terminal that takes nothing has nobody before it.
pub(super) fn put(text: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}

/// As `print!`, without its panic.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::put(format_args!($($text)*)) };
}

/// As `println!`, without its panic.
macro_rules! sayln {
    () => { $crate::cli::output::put(format_args!("\n")) };
    ($($text:tt)*) => {
        $crate::cli::output::put(format_args!("{}\n", format_args!($($text)*)))
    };
}

pub(super) use {say, sayln};

/// A place for an answer.
#[derive(Debug)]
pub(super) enum Output {
    /// Standard output.
    Standard(io::BufWriter<io::Stdout>),
    /// A file beside its final place until [`Output::finish`].
    File(io::BufWriter<NamedTempFile>, PathBuf),
}

impl Output {
    /// `None`: standard output.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::Standard(io::BufWriter::new(io::stdout())));
        };
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let file = Builder::new()
            .prefix(".thongsuot-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(|why| Failure::Ours(format!("can't write {}: {why}", path.display())))?;
        Ok(Self::File(io::BufWriter::new(file), path.to_path_buf()))
    }

    /// Everything was written: puts the file in its place, synced.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Standard(mut out) => match out.flush() {
                // Who reads with `head` has seen enough.
                Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                other => other.map_err(|why| Failure::Ours(format!("can't write: {why}"))),
            },
            Self::File(out, path) => {
                let put = || {
                    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                    file.as_file().sync_all()?;
                    file.persist(&path).map(drop).map_err(|it| it.error)
                };
                put().map_err(|why| Failure::Ours(format!("can't write {}: {why}", path.display())))
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(out, _) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(out, _) => out.flush(),
        }
    }
}
