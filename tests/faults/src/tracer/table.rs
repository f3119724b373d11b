//! The system calls that may touch files, and how each names them.

use nix::libc;

/// How a system call names a file. Numbers are indices of its arguments.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names {
    /// A path.
    Path(usize),
    /// A directory's descriptor and a path.
    At(usize, usize),
    /// A descriptor.
    Fd(usize),
}

/// What a system call does to its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Nothing. A request to write data soon does not promise that it was written.
    Look,
    Open {
        flags: usize,
    },
    /// Writes: the argument with the offset, if there is one, and whether the data is a vector.
    Write {
        offset: Option<usize>,
        vector: bool,
    },
    Truncate,
    /// Takes space, and may make the file longer.
    Allocate,
    Sync,
    Move {
        flags: Option<usize>,
    },
    Link,
    Remove,
    MakeDirectory,
    /// Attributes, which the model leaves out: the contents of files do not depend on them.
    Describe,
    /// Maps a file, perhaps to write to it.
    Map,
    /// Changes that the model does not know.
    Unknown,
}

/// A system call that may touch files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) files: &'static [Names],
    pub(super) does: Does,
    /// The argument with the number of bytes to read or write.
    pub(super) amount: Option<usize>,
}

pub(super) fn row(number: i64) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.number == number)
}

/// Rows of calls that do the same: what, the argument with the amount, how they name files, and
/// which they are.
macro_rules! table {
    ($($does:expr, $amount:expr, $files:tt: $($number:ident)*;)*) => {
        &[$($(Row {
            number: libc::$number,
            name: stringify!($number).split_at("SYS_".len()).1,
            files: &$files,
            does: $does,
            amount: $amount,
        },)*)*]
    };
}

use Does::{
    Allocate, Describe, Link, Look, MakeDirectory, Map, Move, Open, Remove, Sync, Truncate, Unknown,
};
use Names::{At, Fd, Path};

const fn write(offset: Option<usize>, vector: bool) -> Does {
    Does::Write { offset, vector }
}

#[rustfmt::skip]
const TABLE: &[Row] = table! {
    Look, None, [Path(0)]: SYS_access SYS_lstat SYS_readlink SYS_stat;
    Look, None, [At(0, 1)]: SYS_faccessat SYS_faccessat2 SYS_newfstatat SYS_readlinkat SYS_statx;
    Look, None, [Fd(0)]: SYS_close SYS_fadvise64 SYS_fcntl SYS_flock SYS_fstat SYS_getdents64
        SYS_ioctl SYS_lseek SYS_preadv SYS_preadv2 SYS_readv SYS_sync_file_range;
    Look, Some(2), [Fd(0)]: SYS_pread64 SYS_read;
    Describe, None, [Path(0)]: SYS_chmod SYS_chown SYS_lchown;
    Describe, None, [At(0, 1)]: SYS_fchmodat SYS_fchownat SYS_utimensat;
    Describe, None, [Fd(0)]: SYS_fchmod SYS_fchown;
    Open { flags: 1 }, None, [Path(0)]: SYS_open;
    Open { flags: 2 }, None, [At(0, 1)]: SYS_openat;
    write(Some(3), true), None, [Fd(0)]: SYS_pwritev;
    write(None, true), None, [Fd(0)]: SYS_writev;
    write(Some(3), false), Some(2), [Fd(0)]: SYS_pwrite64;
    write(None, false), Some(2), [Fd(0)]: SYS_write;
    Truncate, None, [Path(0)]: SYS_truncate;
    Truncate, None, [Fd(0)]: SYS_ftruncate;
    Allocate, None, [Fd(0)]: SYS_fallocate;
    Sync, None, [Fd(0)]: SYS_fdatasync SYS_fsync;
    Move { flags: None }, None, [Path(0), Path(1)]: SYS_rename;
    Move { flags: None }, None, [At(0, 1), At(2, 3)]: SYS_renameat;
    Move { flags: Some(4) }, None, [At(0, 1), At(2, 3)]: SYS_renameat2;
    Link, None, [Path(0), Path(1)]: SYS_link;
    Link, None, [At(0, 1), At(2, 3)]: SYS_linkat;
    Remove, None, [Path(0)]: SYS_rmdir SYS_unlink;
    Remove, None, [At(0, 1)]: SYS_unlinkat;
    MakeDirectory, None, [Path(0)]: SYS_mkdir;
    MakeDirectory, None, [At(0, 1)]: SYS_mkdirat;
    Map, None, [Fd(4)]: SYS_mmap;
    Unknown, None, [Path(0)]: SYS_creat SYS_mknod;
    Unknown, None, [Path(1)]: SYS_symlink;
    Unknown, None, [At(0, 1)]: SYS_mknodat SYS_openat2;
    Unknown, None, [At(1, 2)]: SYS_symlinkat;
    Unknown, None, [Fd(2)]: SYS_copy_file_range SYS_splice;
    Unknown, None, [Fd(0)]: SYS_pwritev2 SYS_sendfile SYS_syncfs;
};

/// Calls that reach files without naming any: a record in which one occurs cannot be trusted.
pub(super) const BLIND: &[(i64, &str)] = &[
    (libc::SYS_io_uring_setup, "io_uring_setup"),
    (libc::SYS_msync, "msync"),
    (libc::SYS_sync, "sync"),
    (libc::SYS_vmsplice, "vmsplice"),
];
