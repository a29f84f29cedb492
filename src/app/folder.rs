//! The folder that holds the history: nobody else's to read.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes `folder` and those above it that are missing, for the user of the daemon only: the history holds
/// keys, tokens of channels and addresses of people. What is there stays as the operator made it.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_we_make_is_ours_alone_and_one_that_is_there_stays() {
        let above = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let new = above.path().join("var/data");
        make(&new).unwrap();
        assert_eq!((mode(&new), mode(&above.path().join("var"))), (0o700, 0o700));
        fs::set_permissions(&new, Permissions::from_mode(0o750)).unwrap();
        make(&new).unwrap();
        assert_eq!(mode(&new), 0o750);
    }
}
