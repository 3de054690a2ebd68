//! Every archive says in plain words how it is read without this program.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::Error;
use super::writer::sync_folder;

/// What stands in it: the README of this repository's own archive.
pub const README: &str = include_str!("../../archive/README.md");

/// Writes `README.md` into the folder of an archive, all of it or nothing. One that is there is left as it is: it may be
/// somebody's own.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_readme(archive: &Path) -> Result<(), Error> {
    let path = archive.join("README.md");
    if path.exists() {
        return Ok(());
    }
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".README").permissions(readable()).tempfile_in(archive)?;
        file.write_all(README.as_bytes())?;
        file.as_file().sync_data()?;
        persist(file, &path)
    };
    write().map_err(Error::new("write", &path))?;
    sync_folder(archive)
}

fn persist(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    match file.persist_noclobber(path) {
        Err(refused) if refused.error.kind() != std::io::ErrorKind::AlreadyExists => Err(refused.error),
        _ => Ok(()),
    }
}

/// Temporary files are private; this one is for everybody.
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_of_ones_own_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("README.md");
        write_readme(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), README);
        std::fs::write(&path, "mine").unwrap();
        write_readme(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }
}
