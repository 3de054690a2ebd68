//! One run at a time: the archive's lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::Error;

/// Who merely asks whether the archive is held has the lock for a moment; a start tries again after this.
const A_MOMENT: Duration = Duration::from_millis(20);

/// Held while an archive is being written. The system releases it with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its drop, which releases the lock")] File);

impl Lock {
    /// Takes the lock of this archive, making the folder when there is none.
    ///
    /// # Errors
    /// [`Error::Held`] when another process has it, [`Error::Folder`] when there can be none.
    pub fn take(archive: &Path) -> Result<Lock, Error> {
        Lock::take_for(archive, "crawl")
    }

    /// The same for another command.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn take_for(archive: &Path, command: &str) -> Result<Lock, Error> {
        let folder = |source| Error::Folder { path: archive.to_owned(), source };
        if !archive.is_dir() {
            std::fs::create_dir_all(archive).map_err(folder)?;
            // The name of a new folder is durable when the one around it is; that one need not be ours to read.
            let around = archive.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let _ = File::open(around).and_then(|around| around.sync_all());
        }
        let path = archive.join(".lock");
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(folder)?;
        let locked = file.try_lock().or_else(|_| {
            std::thread::sleep(A_MOMENT);
            file.try_lock()
        });
        match locked {
            Ok(()) => {
                // For people only: the lock is the file's, not the number's.
                let note = file.set_len(0).and_then(|()| writeln!(file, "{} {command}", std::process::id()));
                note.map_err(folder)?;
                Ok(Lock(file))
            }
            Err(TryLockError::WouldBlock) => Err(Error::Held(archive.to_owned())),
            Err(TryLockError::Error(source)) => Err(folder(source)),
        }
    }

    /// Which command holds the lock of this archive, as far as its note says.
    pub fn holder(archive: &Path) -> Option<String> {
        if Lock::is_held(archive) != Some(true) {
            return None;
        }
        let note = std::fs::read_to_string(archive.join(".lock")).ok()?;
        note.trim_end().split_once(' ').map(|(_, command)| command.to_owned())
    }

    /// Whether somebody holds the lock of this archive; none when that cannot be asked.
    pub fn is_held(archive: &Path) -> Option<bool> {
        let file = File::open(archive.join(".lock")).ok()?;
        match file.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        }
    }
}
