//! Inputs named on the command line: files, or standard input as `-`.

use std::io;
use std::path::{Path, PathBuf};

use vnp_pipeline::Input;
use vnp_seq::RecordReader;

/// How standard input is named on the command line.
const NAME: &str = "-";

/// The inputs of a run. Standard input can be given once: when read again it would be empty.
pub(crate) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let times = paths.iter().filter(|path| is_stdin(path)).count();
    anyhow::ensure!(times <= 1, "standard input (-) is given {times} times: give it once");
    let input = |path: &PathBuf| match is_stdin(path) {
        true => Input::Stream(Box::new(io::stdin())),
        false => Input::File(path.clone()),
    };
    Ok(paths.iter().map(input).collect())
}

/// What messages call an input.
pub(crate) fn name(path: &Path) -> &Path {
    if is_stdin(path) { Path::new("standard input") } else { path }
}

/// The records of an input that is read once.
pub(crate) fn records(path: &Path) -> Result<RecordReader, vnp_seq::Error> {
    if is_stdin(path) {
        RecordReader::from_reader(name(path), Box::new(io::stdin()))
    } else {
        RecordReader::open(path)
    }
}

/// The name of an input without directory, compression and format.
pub(crate) fn stem(input: &Path) -> String {
    if is_stdin(input) {
        return "stdin".to_owned();
    }
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    let compressions = [".gz", ".bgz", ".bgzf", ".bz2", ".xz", ".zst", ".zstd"];
    let stem = compressions.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    match stem.rsplit_once('.') {
        Some((front, _)) if !front.is_empty() => front.to_owned(),
        _ => stem.to_owned(),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(stem(Path::new(input)), expected);
    }

    #[test]
    fn a_stem_has_no_directory_compression_or_format() {
        check("mixed.fa", "mixed");
        check("a/b/mixed.v2.fasta.gz", "mixed.v2");
        check("reads.fastq.zst", "reads");
        check("reads.fq.bz2", "reads");
        check("reads.fq.xz", "reads");
        check("reads", "reads");
        check("reads.gz", "reads");
        check(".hidden", ".hidden");
        check("-", "stdin");
    }

    #[test]
    fn standard_input_can_be_given_once() {
        assert!(inputs(&["-".into(), "a".into()]).is_ok());
        assert!(inputs(&["-".into(), "-".into()]).is_err());
    }
}
