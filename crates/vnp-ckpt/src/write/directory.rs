//! Bringing the names in a directory to disk, on file systems that can.

use std::io;
use std::path::Path;
use std::sync::Once;

use vnp_escape::escaped_path;

/// Makes the names in a directory durable: a file in a directory that is lost with the power is lost
/// too. Where the system cannot open directories, renames are durable by themselves.
///
/// Some network and user-space file systems refuse to sync directories (`EINVAL`, `ENOTSUP`); what is
/// saved there is as safe as the file system makes it. The log has one warning about it per process.
///
/// # Errors
/// Every other error of opening or syncing, an I/O error of the disk among them.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let file = fs_err::File::open(directory)?;
    match file.file().sync_all() {
        Err(error) if is_unsupported(&error) => {
            warn_once(directory, &error);
            Ok(())
        }
        Err(error) => {
            let text = format!("failed to sync directory `{}`: {error}", escaped_path(directory));
            Err(io::Error::new(error.kind(), text))
        }
        Ok(()) => Ok(()),
    }
}

/// Whether an error of syncing a directory means that the file system does not offer it.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    /// `ENOTSUPP` of the Linux kernel, which NFS and others let through.
    const NOT_SUPPORTED: i32 = 524;
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(NOT_SUPPORTED)
}

pub(super) fn warn_once(directory: &Path, error: &io::Error) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        log::warn!(
            "{}: this file system cannot sync directories ({error}): a loss of power may undo the \
             last saves",
            escaped_path(directory)
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(errno: i32, expected: bool) {
        assert_eq!(is_unsupported(&io::Error::from_raw_os_error(errno)), expected, "{errno}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_what_the_file_system_does_not_offer_is_passed_over() {
        check(22, true);
        check(95, true);
        check(524, true);
        check(5, false);
        check(28, false);
        check(13, false);
    }

    #[test]
    fn a_directory_is_synced_and_a_missing_one_named() {
        let directory = tempfile::tempdir().unwrap();
        sync_directory(directory.path()).unwrap();
        if cfg!(unix) {
            let error = sync_directory(&directory.path().join("none")).unwrap_err();
            assert!(error.to_string().contains("none"), "{error}");
        }
    }
}
