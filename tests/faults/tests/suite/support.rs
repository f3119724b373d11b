//! A directory with an older checkpoint, and a saver to put a newer one over it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use vnp_ckpt::{atomic_save, sweep_stale_temporaries};
use vnp_faults::{Fault, Trace, Tracer, Which, sample, skip_reason};

/// The lines that the saver prints when it begins and when it is done.
pub(crate) const BEGINS: &str = "saving";
pub(crate) const DONE: &str = "saved";

pub(crate) const TARGET: &str = "rows-000000000000-000000000200.vnp";

pub(crate) struct Bench {
    directory: tempfile::TempDir,
    /// Whether there is an older file to save over.
    older: bool,
    /// The directory below the bench's own in which the file is saved; empty for its own.
    folder: &'static str,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
}

/// Which complete file a name leads to, or what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Old,
    New,
    Missing,
    Torn,
}

/// Counts of the states that faults left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) old: usize,
    pub(crate) new: usize,
    /// Neither the whole old file nor the whole new one.
    pub(crate) torn: usize,
    /// Not the new file, although the save was acknowledged.
    pub(crate) lost: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, state: State, acknowledged: bool) {
        match state {
            State::Old => self.old += 1,
            State::New => self.new += 1,
            State::Missing | State::Torn => self.torn += 1,
        }
        self.lost += usize::from(acknowledged && state != State::New);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { old, new, torn, lost } = self;
        write!(f, "{old} old, {new} new, {torn} torn, {lost} acknowledged and lost")
    }
}

impl Bench {
    /// `None`, with the reason printed, if nothing can be traced.
    pub(crate) fn new() -> Option<Self> {
        if let Some(reason) = skip_reason() {
            report(&format!("skipped: {reason}"));
            return None;
        }
        let bytes = |which| {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(TARGET);
            atomic_save(&path, &sample(which).unwrap()).unwrap();
            fs::read(path).unwrap()
        };
        let bench = Self {
            directory: tempfile::tempdir().unwrap(),
            older: true,
            folder: "",
            old: bytes(Which::Old),
            new: bytes(Which::New),
        };
        bench.reset();
        Some(bench)
    }

    /// The same without an older file.
    pub(crate) fn first_save() -> Option<Self> {
        Self::new().map(|bench| Self { older: false, ..bench })
    }

    /// A first save in a directory that does not exist yet.
    pub(crate) fn first_directory() -> Option<Self> {
        Self::first_save().map(|bench| Self { folder: "made", ..bench })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path().join(self.folder).join(TARGET)
    }

    /// Restores the older file, if there is to be one, and removes everything else.
    pub(crate) fn reset(&self) {
        for name in self.names() {
            let path = self.path().join(name);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        if self.older {
            fs::write(self.target(), &self.old).unwrap();
        }
    }

    pub(crate) fn saver(&self, how: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_saver"));
        command.arg(how).arg(self.target());
        command
    }

    /// A tracer that starts to count where the save begins.
    pub(crate) fn tracer(&self) -> Tracer {
        Tracer::new(self.path()).after(BEGINS)
    }

    /// Saves over the older file with a fault.
    pub(crate) fn hurt(&self, how: &str, fault: &Fault) -> Trace {
        self.reset();
        self.tracer().fault(*fault).run(&self.saver(how)).unwrap()
    }

    pub(crate) fn state(&self) -> State {
        match fs::read(self.target()) {
            Ok(bytes) => self.state_of(Some(&bytes)),
            Err(_) => self.state_of(None),
        }
    }

    pub(crate) fn state_of(&self, contents: Option<&[u8]>) -> State {
        match contents {
            None if self.older => State::Missing,
            None => State::Old,
            Some(bytes) if bytes == self.old => State::Old,
            Some(bytes) if bytes == self.new => State::New,
            Some(_) => State::Torn,
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let listing = fs::read_dir(self.path()).unwrap();
        let names = listing.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// The number of files other than the target, which must be temporaries of the documented kind.
    pub(crate) fn temporaries(&self) -> usize {
        let names = self.names();
        let others = names.iter().filter(|name| *name != TARGET);
        others
            .inspect(|name| {
                assert!(name.starts_with(".atomicwrite") && name.len() == 18, "{name} is left");
                for entry in fs::read_dir(self.path().join(name)).unwrap() {
                    assert_eq!(entry.unwrap().file_name(), "tmpfile.tmp");
                }
            })
            .count()
    }

    /// The next session: removes stale temporaries and saves without a fault. Nothing else may be left.
    pub(crate) fn recover(&self, what: &str) {
        let left = self.temporaries();
        assert_eq!(sweep_stale_temporaries(self.path()).unwrap().len(), left, "{what}");
        atomic_save(&self.target(), &sample(Which::New).unwrap()).unwrap();
        assert_eq!((self.state(), self.names()), (State::New, vec![TARGET.to_owned()]), "{what}");
    }
}

/// Prints past the test harness, which hides the output of a passing test.
pub(crate) fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
