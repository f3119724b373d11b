//! A stopped thread of the traced command: its registers, memory and open files.

#![expect(
    clippy::indexing_slicing,
    reason = "a call has six arguments, and slices are of their own length"
)]

use std::io::IoSliceMut;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::table::Names;
use crate::error::Error;
use crate::fault;

/// Memory is read in steps that do not cross pages: the page after a short text may not be mapped.
const PAGE_BYTES: usize = 4096;

/// A thread that is stopped at the beginning or end of a system call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracee(pub(super) Pid);

/// The registers that hold a system call: number, arguments, result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    all: libc::user_regs_struct,
}

impl Registers {
    pub(super) fn number(&self) -> i64 {
        self.all.orig_rax.cast_signed()
    }

    pub(super) fn argument(&self, index: usize) -> u64 {
        let all = &self.all;
        let arguments = [all.rdi, all.rsi, all.rdx, all.r10, all.r8, all.r9];
        arguments[index]
    }

    pub(super) fn set_argument(&mut self, index: usize, value: u64) {
        let all = &mut self.all;
        let arguments =
            [&mut all.rdi, &mut all.rsi, &mut all.rdx, &mut all.r10, &mut all.r8, &mut all.r9];
        *arguments[index] = value;
    }

    pub(super) fn result(&self) -> i64 {
        self.all.rax.cast_signed()
    }

    pub(super) fn set_result(&mut self, result: i64) {
        self.all.rax = result.cast_unsigned();
    }

    /// Makes the kernel skip the call: no system call has this number.
    pub(super) fn do_nothing(&mut self) {
        self.all.orig_rax = u64::MAX;
    }
}

impl Tracee {
    pub(super) fn registers(self) -> Result<Registers, Error> {
        let all = ptrace::getregs(self.0).map_err(refused("read the registers of"))?;
        Ok(Registers { all })
    }

    pub(super) fn set_registers(self, registers: Registers) -> Result<(), Error> {
        ptrace::setregs(self.0, registers.all).map_err(refused("set the registers of"))
    }

    /// Whether it is at the beginning of a system call, not at its end.
    pub(super) fn at_entry(self) -> Result<bool, Error> {
        let info = ptrace::syscall_info(self.0).map_err(refused("ask about"))?;
        Ok(info.op == libc::PTRACE_SYSCALL_INFO_ENTRY)
    }

    pub(super) fn memory(self, address: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        let mut done = 0;
        while done < length {
            let base = address as usize + done;
            let here = &mut bytes[done..];
            let remote = [RemoteIoVec { base, len: here.len() }];
            let read = process_vm_readv(self.0, &mut [IoSliceMut::new(here)], &remote)
                .map_err(refused("read the memory of"))?;
            if read == 0 {
                return Err(refused("read the memory of")(Errno::EFAULT));
            }
            done += read;
        }
        Ok(bytes)
    }

    fn text(self, address: u64) -> Result<PathBuf, Error> {
        let mut text = Vec::new();
        loop {
            let at = address + text.len() as u64;
            let step = self.memory(at, PAGE_BYTES - at as usize % PAGE_BYTES)?;
            let end = step.iter().position(|byte| *byte == 0);
            text.extend_from_slice(&step[..end.unwrap_or(step.len())]);
            if end.is_some() {
                return Ok(PathBuf::from(std::ffi::OsString::from_vec(text)));
            }
        }
    }

    /// The absolute path that a call names, with links resolved in all but its last name. `None` if it
    /// names no file, such as a descriptor that is not open.
    pub(super) fn path(self, registers: &Registers, names: Names) -> Option<PathBuf> {
        let (directory, path) = match names {
            Names::Fd(fd) => return self.open_path(registers.argument(fd)),
            Names::Path(path) => (libc::AT_FDCWD, path),
            Names::At(directory, path) => (registers.argument(directory) as libc::c_int, path),
        };
        let path = match registers.argument(path) {
            0 => PathBuf::new(),
            address => self.text(address).ok()?,
        };
        if path.is_absolute() {
            return Some(normal(&path));
        }
        let base = match directory {
            libc::AT_FDCWD => fs_err::read_link(self.proc("cwd")).ok()?,
            directory => self.open_path(u64::from(directory.cast_unsigned()))?,
        };
        // An empty path means the directory's own descriptor.
        Some(if path.as_os_str().is_empty() { base } else { normal(&base.join(path)) })
    }

    fn open_path(self, fd: u64) -> Option<PathBuf> {
        fs_err::read_link(self.descriptor(fd)).ok()
    }

    /// A path to the open file of a descriptor, which works even if the file has been removed.
    pub(super) fn descriptor(self, fd: u64) -> PathBuf {
        self.proc(&format!("fd/{}", fd as libc::c_int))
    }

    /// The position of an open file, and the flags that it was opened with.
    pub(super) fn position(self, fd: u64) -> Result<(u64, i32), Error> {
        let text = fs_err::read_to_string(self.proc(&format!("fdinfo/{}", fd as libc::c_int)))?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let position = field("pos:").and_then(|text| text.trim().parse().ok());
        let flags = field("flags:").and_then(|text| i32::from_str_radix(text.trim(), 8).ok());
        position.zip(flags).ok_or_else(|| std::io::Error::other("fdinfo is not understood").into())
    }

    fn proc(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }
}

/// The path without links and dots in all but its last name.
fn normal(path: &Path) -> PathBuf {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return path.canonicalize().unwrap_or_else(|_| path.to_owned());
    };
    parent.canonicalize().map_or_else(|_| path.to_owned(), |parent| parent.join(name))
}

pub(super) fn refused(what: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::Trace { what, source: fault::Errno(errno as i32) }
}
