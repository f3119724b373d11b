//! What the tests share: a directory, and calls of reads in it.

use std::path::{Path, PathBuf};

use vnp_calls::{AlignmentFormat, Error, ReadsOptions, ReadsSummary, call_reads};
use vnp_job::{Input, StopFlag};

/// The header of a table of calls.
pub(crate) const HEADER: &str = "ID\tcall\ttier\tweighted_delta\tn_chunks\tn_confident_viral\t\
                                 n_confident_nonviral\tn_ambiguous\tviral_proportion\tnonviral_proportion\n";

/// A directory of a test, with a table of three contigs.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        let rows = "v\tViral\thigh_confidence\t0.9\t9\t8\t0\t0\t0.889\t0.0\n\
                    n\tNon-viral\tlow_confidence\t-0.9\t2\t0\t2\t0\t0.0\t1.0\n\
                    w\tViral\treview\t0.40\t1\t0\t0\t0\t0.0\t0.0\n";
        bench.write("calls.tsv", format!("{HEADER}{rows}"));
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// Calls the reads of a file into `reads.tsv`.
    pub(crate) fn call(
        &self,
        alignments: &Path,
        format: AlignmentFormat,
        options: &ReadsOptions,
    ) -> Result<ReadsSummary, Error> {
        let input = Input::File(alignments.to_owned());
        let (calls, output) = (self.path("calls.tsv"), self.path("reads.tsv"));
        call_reads(&calls, input, format, options, &output, None, &StopFlag::default())
    }

    /// The rows of `reads.tsv`, with spaces for tabs, and some of the columns.
    pub(crate) fn rows(&self, columns: usize) -> Vec<String> {
        let text = String::from_utf8(std::fs::read(self.path("reads.tsv")).unwrap()).unwrap();
        let columns = |line: &str| line.split('\t').take(columns).collect::<Vec<_>>().join(" ");
        text.lines().skip(1).map(columns).collect()
    }

    /// The names of the files in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
