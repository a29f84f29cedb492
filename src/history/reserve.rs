//! A file that only takes up room, so that there is some to give back when the disk is full.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Name of the reserve in the data folder.
const FILE: &str = "history.reserve";

/// What is written at once.
const CHUNK: usize = 1 << 20;

/// The reserve of a data folder.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// Of `bytes` in `folder`; makes nothing yet.
    pub(super) fn new(folder: &Path, bytes: u64) -> Self {
        Self { path: folder.join(FILE), bytes }
    }

    /// Makes it, or makes it the right size. Zeros are written out: a hole takes no room.
    ///
    /// # Errors
    ///
    /// The system's; nothing is left half made.
    pub(super) fn make(&self) -> io::Result<()> {
        let have = fs::metadata(&self.path).map(|it| it.len()).ok();
        if have == Some(self.bytes) || (self.bytes == 0 && have.is_none()) {
            return Ok(());
        }
        self.release();
        if self.bytes == 0 {
            return Ok(());
        }
        let written = self.write();
        if written.is_err() {
            self.release();
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        let zeros = vec![0; CHUNK];
        let mut left = self.bytes;
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            file.write_all(&zeros[..now])?;
            left -= now as u64;
        }
        file.sync_all()
    }

    /// Gives the room back; whether there was any to give.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_made_once_resized_and_released() {
        let folder = tempfile::tempdir().unwrap();
        let size = || fs::metadata(folder.path().join(FILE)).map(|it| it.len()).ok();
        let reserve = Reserve::new(folder.path(), 3_000_000);
        reserve.make().unwrap();
        assert_eq!(size(), Some(3_000_000));
        Reserve::new(folder.path(), 10).make().unwrap();
        assert_eq!(size(), Some(10));
        assert!(reserve.release());
        assert!(!reserve.release());
        Reserve::new(folder.path(), 0).make().unwrap();
        assert_eq!(size(), None);
    }
}
