//! Runs `vnp` in a temporary directory and reads the files that it leaves.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::heard;

/// Files that a finished run leaves.
pub(crate) const RESULTS: [&str; 4] =
    ["prediction_results.txt", "prediction_results_highestscore.csv", "sequences.tsv", "run.json"];

/// A temporary directory in which one test runs `vnp`.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
}

/// The output and exit code of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// `vnp` with these words, in this directory, away from the user's models.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = heard::vnp();
        command
            .args(words)
            .current_dir(self.dir.path())
            .env_remove("VNP_MODELS")
            .env("XDG_DATA_HOME", self.dir.path().join("data-home"))
            .stdin(Stdio::null());
        command
    }

    /// The same with no more address space than this where a limit can be set.
    pub(crate) fn limited(&self, megabytes: u64, words: &[&str]) -> Command {
        let vnp = self.command(words);
        let script = format!("ulimit -v {} 2>/dev/null; exec \"$0\" \"$@\"", megabytes << 10);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(vnp.get_program()).args(vnp.get_args());
        // Threads reserve address space, which is not memory.
        command.env("RAYON_NUM_THREADS", "1").current_dir(self.path("")).stdin(Stdio::null());
        command
    }

    pub(crate) fn vnp(&self, words: &[&str]) -> Ended {
        ended(&mut self.command(words))
    }

    /// Runs `vnp` with `input` on its standard input.
    pub(crate) fn vnp_with_stdin(&self, words: &[&str], input: &Path) -> Ended {
        ended(self.command(words).stdin(std::fs::File::open(input).unwrap()))
    }

    /// The result files' bytes by name; `run.json` has times and is left out.
    pub(crate) fn results(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        let tables = RESULTS.iter().filter(|name| **name != "run.json");
        tables
            .map(|name| (name.to_string(), std::fs::read(self.path(out).join(name)).unwrap()))
            .collect()
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// The parts of a stage, sorted.
    pub(crate) fn parts(&self, out: &str, stage: &str) -> Vec<PathBuf> {
        let dir = self.path(out).join("checkpoints").join(stage);
        let Ok(listing) = std::fs::read_dir(dir) else { return Vec::new() };
        let mut parts: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
        parts.retain(|path| path.extension().is_some_and(|extension| extension == "vnp"));
        parts.sort();
        parts
    }

    /// Every file below `dir` with its bytes, to show that nothing was touched.
    pub(crate) fn everything(&self, dir: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut dirs = vec![self.path(dir)];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(&dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    files.insert(path, bytes);
                }
            }
        }
        files
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code and that standard error contains each text.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, messages: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for text in messages {
            assert!(self.stderr.contains(text), "missing: {text}\n{}", self.stderr);
        }
        self
    }
}

/// Copies a directory with all that it holds, so that each case starts from the same one.
pub(crate) fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_directory(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    Ended::of(command.output().unwrap())
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The example of the README.
pub(crate) fn example() -> String {
    root().join("examples/mixed.fa").to_str().unwrap().to_owned()
}

/// Reference data that is not part of the repository; without it prints that the test is skipped.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    // Past the test harness, which swallows what a passing test prints.
    drop(writeln!(std::io::stderr(), "skipped: ../shared/{name} is not here"));
    None
}

/// Deterministic nucleotides: the same seed gives the same sequence on every machine.
pub(crate) struct Nucleotides(u64);

impl Nucleotides {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        // xorshift64*: good enough for sequences that only have to be different.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
    }

    /// A sequence poor in T, and so in stop codons of both strands: some half of its frames are
    /// open.
    pub(crate) fn sequence(&mut self, length_bp: usize) -> String {
        let letter = |number: u64| match number % 40 {
            0 => 'T',
            other => ['C', 'G', 'C', 'G', 'A'][(other % 5) as usize],
        };
        (0..length_bp).map(|_| letter(self.next())).collect()
    }

    /// FASTA with `records` records of `length_bp`.
    pub(crate) fn fasta(&mut self, records: usize, length_bp: usize) -> String {
        (0..records).map(|i| format!(">r{i} made up\n{}\n", self.sequence(length_bp))).collect()
    }
}
