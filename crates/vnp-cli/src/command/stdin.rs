use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// How standard input is named on the command line.
pub(crate) const NAME: &str = "-";

/// Inputs as files: standard input is copied to a temporary one, which lives as long as this.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) paths: Vec<PathBuf>,
    _copy: Option<tempfile::NamedTempFile>,
}

impl Inputs {
    /// Standard input may be given once.
    pub(crate) fn new(inputs: &[PathBuf]) -> anyhow::Result<Self> {
        at_most_once(inputs)?;
        let mut copy = None;
        let mut paths = Vec::new();
        for input in inputs {
            if input.as_os_str() == NAME {
                let mut file = tempfile::Builder::new().prefix("stdin-").tempfile()?;
                io::copy(&mut io::stdin().lock(), &mut file)
                    .context("cannot read standard input")?;
                paths.push(file.path().to_owned());
                copy = Some(file);
            } else {
                paths.push(input.clone());
            }
        }
        Ok(Self { paths, _copy: copy })
    }
}

/// Refuses standard input in two places: the second would be silently empty.
pub(crate) fn at_most_once(inputs: &[PathBuf]) -> anyhow::Result<()> {
    let times = inputs.iter().filter(|input| input.as_os_str() == NAME).count();
    anyhow::ensure!(times <= 1, "standard input (-) is given {times} times: give it once");
    Ok(())
}

/// The name of an input without directory, compression and format.
pub(crate) fn stem(input: &Path) -> String {
    if input.as_os_str() == NAME {
        return "stdin".to_owned();
    }
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    let mut stem: &str = &name;
    for suffix in [".gz", ".bgz", ".bgzf", ".zst", ".zstd"] {
        if let Some(rest) = stem.strip_suffix(suffix) {
            stem = rest;
            break;
        }
    }
    match stem.rsplit_once('.') {
        Some((front, _)) if !front.is_empty() => front.to_owned(),
        _ => stem.to_owned(),
    }
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
        check("reads", "reads");
        check("reads.gz", "reads");
        check(".hidden", ".hidden");
        check("-", "stdin");
    }

    #[test]
    fn standard_input_can_be_given_once() {
        assert!(at_most_once(&["-".into(), "a".into()]).is_ok());
        assert!(at_most_once(&["-".into(), "-".into()]).is_err());
    }
}
