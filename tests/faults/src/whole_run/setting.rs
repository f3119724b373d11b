//! The inputs and the undisturbed results that disturbed runs are compared with.

#![expect(clippy::indexing_slicing, reason = "there are calls for every start")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fs_err as fs;

use crate::error::Error;
use crate::fault::Calls;
use crate::model::Image;
use crate::random::Random;
use crate::tracer::{Call, Tracer};

/// Name of the output directory below the root.
pub(super) const OUT: &str = "out";

/// The published tables.
pub(super) const TABLES: [&str; 3] =
    ["prediction_results.txt", "prediction_results_highestscore.csv", "sequences.tsv"];

/// What exists when a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing.
    New,
    /// A finished run with the same input, replaced with `--force`.
    SameInput,
    /// A finished run with another input, replaced with `--force`.
    OtherInput,
}

impl Start {
    pub(super) const ALL: [Self; 3] = [Self::New, Self::SameInput, Self::OtherInput];

    pub(super) const RESUME: [&'static str; 7] =
        ["predict", "in.fa", "-o", "work/out", "--checkpoint-rows", "16", "--resume"];

    /// The arguments of the run that is disturbed.
    pub(super) fn arguments(self) -> [&'static str; 7] {
        let mut arguments = Self::RESUME;
        arguments[6] = if self == Self::New { "--resume" } else { "--force" };
        arguments
    }
}

/// A program, its inputs, and the results of undisturbed runs.
#[derive(Debug)]
pub(super) struct Setting {
    vnp: PathBuf,
    variables: Vec<(&'static str, OsString)>,
    directory: tempfile::TempDir,
    root: PathBuf,
    /// The files below the root after a run with the input, and with the other one.
    pub(super) this: Image,
    pub(super) other: Image,
    /// The calls of an undisturbed run from each start.
    calls: Vec<Vec<Call>>,
}

impl Setting {
    pub(super) fn new(vnp: &Path, variables: Vec<(&'static str, OsString)>) -> Result<Self, Error> {
        let directory = tempfile::tempdir()?;
        let root = directory.path().join("work");
        fs::create_dir(&root)?;
        let mut random = Random::new(4);
        for name in ["in.fa", "other.fa"] {
            fs::write(directory.path().join(name), fasta(&mut random, 24, 700))?;
        }
        let vnp = fs::canonicalize(vnp)?;
        let (this, other) = (Image::default(), Image::default());
        let mut setting = Self { vnp, variables, directory, root, this, other, calls: Vec::new() };
        setting.other = setting.undisturbed("other.fa")?;
        setting.this = setting.undisturbed("in.fa")?;
        for start in Start::ALL {
            setting.prepare(start)?;
            let command = setting.command(&start.arguments());
            let trace = Tracer::new(setting.root()).run(&command)?;
            setting.calls.push(trace.calls);
        }
        Ok(setting)
    }

    /// The files after a run that starts in an empty directory.
    fn undisturbed(&self, input: &str) -> Result<Image, Error> {
        self.reset(&Image::default())?;
        let mut arguments = Start::RESUME;
        arguments[1] = input;
        let ended = self.run(&arguments)?;
        if !ended.status.success() {
            let found = String::from_utf8_lossy(&ended.stderr).into_owned();
            return Err(Error::Broken { after: "nothing".to_owned(), found });
        }
        Ok(Image::read(self.root())?)
    }

    /// The directory that holds the output directory, and is traced.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Replaces everything below the root by a tree.
    pub(super) fn reset(&self, image: &Image) -> Result<(), Error> {
        fs::remove_dir_all(self.root())?;
        fs::create_dir(self.root())?;
        Ok(image.write(self.root())?)
    }

    pub(super) fn prepare(&self, start: Start) -> Result<(), Error> {
        match start {
            Start::New => self.reset(&Image::default()),
            Start::SameInput => self.reset(&self.this),
            Start::OtherInput => self.reset(&self.other),
        }
    }

    /// The program with these arguments, and without the user's models.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.vnp);
        command
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path())
            .env_remove("VNP_MODELS")
            .env("XDG_DATA_HOME", self.directory.path().join("data-home"))
            .stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Result<Output, Error> {
        Ok(self.command(arguments).output()?)
    }

    /// The number of calls of a kind that an undisturbed run makes.
    pub(super) fn calls(&self, start: Start, calls: Calls) -> usize {
        self.calls[start as usize].iter().filter(|call| call.is_among(calls)).count()
    }
}

/// Records with few T, and so with few stop codons on both strands.
fn fasta(random: &mut Random, records: usize, length_bp: usize) -> String {
    let mut text = String::new();
    for record in 0..records {
        text.push_str(&format!(">r{record} made up\n"));
        for _ in 0..length_bp {
            let letter = match random.below(40) {
                0 => 'T',
                _ => random.pick(['C', 'G', 'C', 'G', 'A']),
            };
            text.push(letter);
        }
        text.push('\n');
    }
    text
}
