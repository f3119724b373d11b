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

macro_rules! table {
    ($($number:ident $name:literal [$($file:expr),*] $does:expr, $amount:expr;)*) => {
        &[$(Row {
            number: libc::$number,
            name: $name,
            files: &[$($file),*],
            does: $does,
            amount: $amount,
        },)*]
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
    SYS_access            "access"            [Path(0)]             Look, None;
    SYS_chmod             "chmod"             [Path(0)]             Describe, None;
    SYS_chown             "chown"             [Path(0)]             Describe, None;
    SYS_close             "close"             [Fd(0)]               Look, None;
    SYS_copy_file_range   "copy_file_range"   [Fd(2)]               Unknown, None;
    SYS_creat             "creat"             [Path(0)]             Unknown, None;
    SYS_faccessat         "faccessat"         [At(0, 1)]            Look, None;
    SYS_faccessat2        "faccessat2"        [At(0, 1)]            Look, None;
    SYS_fadvise64         "fadvise64"         [Fd(0)]               Look, None;
    SYS_fallocate         "fallocate"         [Fd(0)]               Allocate, None;
    SYS_fchmod            "fchmod"            [Fd(0)]               Describe, None;
    SYS_fchmodat          "fchmodat"          [At(0, 1)]            Describe, None;
    SYS_fchown            "fchown"            [Fd(0)]               Describe, None;
    SYS_fchownat          "fchownat"          [At(0, 1)]            Describe, None;
    SYS_fcntl             "fcntl"             [Fd(0)]               Look, None;
    SYS_fdatasync         "fdatasync"         [Fd(0)]               Sync, None;
    SYS_flock             "flock"             [Fd(0)]               Look, None;
    SYS_fstat             "fstat"             [Fd(0)]               Look, None;
    SYS_fsync             "fsync"             [Fd(0)]               Sync, None;
    SYS_ftruncate         "ftruncate"         [Fd(0)]               Truncate, None;
    SYS_getdents64        "getdents64"        [Fd(0)]               Look, None;
    SYS_ioctl             "ioctl"             [Fd(0)]               Look, None;
    SYS_lchown            "lchown"            [Path(0)]             Describe, None;
    SYS_link              "link"              [Path(0), Path(1)]    Link, None;
    SYS_linkat            "linkat"            [At(0, 1), At(2, 3)]  Link, None;
    SYS_lseek             "lseek"             [Fd(0)]               Look, None;
    SYS_lstat             "lstat"             [Path(0)]             Look, None;
    SYS_mkdir             "mkdir"             [Path(0)]             MakeDirectory, None;
    SYS_mkdirat           "mkdirat"           [At(0, 1)]            MakeDirectory, None;
    SYS_mknod             "mknod"             [Path(0)]             Unknown, None;
    SYS_mknodat           "mknodat"           [At(0, 1)]            Unknown, None;
    SYS_mmap              "mmap"              [Fd(4)]               Map, None;
    SYS_newfstatat        "newfstatat"        [At(0, 1)]            Look, None;
    SYS_open              "open"              [Path(0)]             Open { flags: 1 }, None;
    SYS_openat            "openat"            [At(0, 1)]            Open { flags: 2 }, None;
    SYS_openat2           "openat2"           [At(0, 1)]            Unknown, None;
    SYS_pread64           "pread64"           [Fd(0)]               Look, Some(2);
    SYS_preadv            "preadv"            [Fd(0)]               Look, None;
    SYS_preadv2           "preadv2"           [Fd(0)]               Look, None;
    SYS_pwrite64          "pwrite64"          [Fd(0)]               write(Some(3), false), Some(2);
    SYS_pwritev           "pwritev"           [Fd(0)]               write(Some(3), true), None;
    SYS_pwritev2          "pwritev2"          [Fd(0)]               Unknown, None;
    SYS_read              "read"              [Fd(0)]               Look, Some(2);
    SYS_readlink          "readlink"          [Path(0)]             Look, None;
    SYS_readlinkat        "readlinkat"        [At(0, 1)]            Look, None;
    SYS_readv             "readv"             [Fd(0)]               Look, None;
    SYS_rename            "rename"            [Path(0), Path(1)]    Move { flags: None }, None;
    SYS_renameat          "renameat"          [At(0, 1), At(2, 3)]  Move { flags: None }, None;
    SYS_renameat2         "renameat2"         [At(0, 1), At(2, 3)]  Move { flags: Some(4) }, None;
    SYS_rmdir             "rmdir"             [Path(0)]             Remove, None;
    SYS_sendfile          "sendfile"          [Fd(0)]               Unknown, None;
    SYS_splice            "splice"            [Fd(2)]               Unknown, None;
    SYS_stat              "stat"              [Path(0)]             Look, None;
    SYS_statx             "statx"             [At(0, 1)]            Look, None;
    SYS_symlink           "symlink"           [Path(1)]             Unknown, None;
    SYS_symlinkat         "symlinkat"         [At(1, 2)]            Unknown, None;
    SYS_sync_file_range   "sync_file_range"   [Fd(0)]               Look, None;
    SYS_syncfs            "syncfs"            [Fd(0)]               Unknown, None;
    SYS_truncate          "truncate"          [Path(0)]             Truncate, None;
    SYS_unlink            "unlink"            [Path(0)]             Remove, None;
    SYS_unlinkat          "unlinkat"          [At(0, 1)]            Remove, None;
    SYS_utimensat         "utimensat"         [At(0, 1)]            Describe, None;
    SYS_write             "write"             [Fd(0)]               write(None, false), Some(2);
    SYS_writev            "writev"            [Fd(0)]               write(None, true), None;
};

/// Calls that reach files without naming any: a record in which one occurs cannot be trusted.
pub(super) const BLIND: &[(i64, &str)] = &[
    (libc::SYS_io_uring_setup, "io_uring_setup"),
    (libc::SYS_msync, "msync"),
    (libc::SYS_sync, "sync"),
    (libc::SYS_vmsplice, "vmsplice"),
];
