//! A file system without locks, or without syncs of directories, for the programs of a test.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::Bench;

const SOURCE: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int number(const char *name) {
    const char *text = getenv(name);
    return text ? atoi(text) : 0;
}

int flock(int file, int operation) {
    errno = number("TEST_FLOCK_ERRNO");
    return errno ? -1 : (int)syscall(SYS_flock, file, operation);
}

int fsync(int file) {
    struct stat found;
    int wanted = number("TEST_DIRECTORY_SYNC_ERRNO");
    if (wanted && !fstat(file, &found) && S_ISDIR(found.st_mode)) {
        errno = wanted;
        return -1;
    }
    return (int)syscall(SYS_fsync, file);
}
"#;

/// Compiles the shim; none, with a message, where that is not possible.
pub(crate) fn shim(bench: &Bench) -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        let source = bench.write("shim.c", SOURCE);
        let shim = bench.path("shim.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).args([&shim, &source]).stdin(Stdio::null());
        if cc.status().is_ok_and(|status| status.success()) {
            return Some(shim);
        }
    }
    drop(writeln!(std::io::stderr(), "skipped: no C compiler for Linux"));
    None
}

/// Sets an error number for the programs that a command starts.
pub(crate) fn with_errno<'a>(
    command: &'a mut Command,
    shim: &std::path::Path,
    variable: &str,
    errno: i32,
) -> &'a mut Command {
    command.env("LD_PRELOAD", shim).env(variable, errno.to_string())
}
