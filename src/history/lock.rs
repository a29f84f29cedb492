//! One daemon a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use super::HistoryError;

/// Name of the lock file in the data folder.
const LOCK_FILE: &str = "history.lock";

/// A held folder. The kernel lets go of the lock when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock(#[expect(dead_code, reason = "held, never read")] File);

impl FolderLock {
    /// Takes `folder`.
    ///
    /// # Errors
    ///
    /// [`HistoryError::InUse`] if another process has it; [`HistoryError::File`] if the lock
    /// file can't be made.
    pub(super) fn take(folder: &Path) -> Result<Self, HistoryError> {
        let path = folder.join(LOCK_FILE);
        let fault = |source| HistoryError::File { action: "lock", path: path.clone(), source };
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let written = fs::read_to_string(&path).unwrap_or_default();
                let pid = written.lines().next().filter(|it| !it.is_empty()).unwrap_or("?");
                return Err(HistoryError::InUse { pid: pid.to_owned(), path });
            }
            Err(TryLockError::Error(source)) => return Err(fault(source)),
        }
        // Best effort: a full disk must not keep the daemon from starting.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_folder_is_refused_with_path_and_process() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::take(folder.path()).unwrap();
        let text = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert!(text.contains("history.lock"), "{text}");
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(held);
        FolderLock::take(folder.path()).unwrap();
    }
}
