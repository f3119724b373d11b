//! The command line of `bench-infer`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use vnp_infer::Precision;

use super::engine::Engine;
use super::shape::Shape;

/// Times both encoders against the peak of this machine, and against other engines.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Networks to time
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    #[arg(default_value = "t6,t30,t33,dnabert")]
    pub(crate) shapes: Vec<Shape>,
    /// Sizes of the thread pool
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,2")]
    #[arg(value_parser = positive)]
    pub(crate) threads: Vec<usize>,
    /// Precisions of our encoders, of f32 and bf16
    #[arg(long = "precision", value_name = "LIST", value_delimiter = ',')]
    #[arg(default_value = "f32,bf16")]
    pub(crate) precisions: Vec<Precision>,
    /// Sequences in a run [default: by shape, for runs of some seconds]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) sequences: Option<usize>,
    /// Rounds, in each of which every engine runs once
    #[arg(long, value_name = "N", default_value = "5", value_parser = positive)]
    pub(crate) rounds: usize,
    /// Residues of a protein
    #[arg(long = "lengths", value_name = "FROM-TO", default_value = "100-166")]
    #[arg(value_parser = residues)]
    pub(crate) residues: RangeInclusive<usize>,
    /// Tokens of a nucleotide sequence, with the two around it
    #[arg(long, value_name = "FROM-TO", default_value = "90-115", value_parser = tokens)]
    pub(crate) tokens: RangeInclusive<usize>,
    /// Python with torch, to run other engines
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
    /// Directory with esm_suite.py and mosaic.py, started for every run instead of our driver
    #[arg(long = "peers", value_name = "DIR", requires = "python")]
    pub(crate) scripts: Option<PathBuf>,
    /// Other engines to run [default: all that fit the shape]
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "python")]
    pub(crate) engines: Option<Vec<Engine>>,
}

fn positive(text: &str) -> Result<usize> {
    let number = text.parse()?;
    ensure!(number > 0, "at least 1");
    Ok(number)
}

fn residues(text: &str) -> Result<RangeInclusive<usize>> {
    let range = range(text)?;
    // Longer proteins are cut by ours and refused by others.
    ensure!(*range.end() <= 1022, "at most 1,022 residues");
    Ok(range)
}

fn tokens(text: &str) -> Result<RangeInclusive<usize>> {
    let range = range(text)?;
    ensure!(*range.start() > 2, "two tokens surround every sequence");
    Ok(range)
}

/// `FROM-TO`, both included.
fn range(text: &str) -> Result<RangeInclusive<usize>> {
    let (from, to) = text.split_once('-').context("write FROM-TO")?;
    let (from, to) = (usize::from_str(from)?, to.parse()?);
    ensure!(0 < from && from <= to, "no length is in {from}-{to}");
    Ok(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Ok(Options::try_parse_from(["bench"].into_iter().chain(line.split_whitespace()))?)
    }

    #[test]
    fn options_have_defaults() {
        let Options { shapes, threads, rounds, residues, python, .. } = parse("").unwrap();
        assert_eq!((shapes.len(), threads, rounds, residues), (4, vec![1, 2], 5, 100..=166));
        assert_eq!(python, None);
    }

    #[test]
    fn options_are_read() {
        let options = parse(
            "--shapes t33,dnabert --threads 2 --precision bf16 --sequences 7 --rounds 3 \
             --lengths 130-140 --tokens 100-100 --python p --peers d --engines ov-fp32,fair-bf16",
        )
        .unwrap();
        assert_eq!(options.shapes, [Shape::T33, Shape::Dnabert]);
        assert_eq!((options.threads, options.precisions), (vec![2], vec![Precision::Bf16]));
        assert_eq!((options.sequences, options.rounds), (Some(7), 3));
        assert_eq!((options.residues, options.tokens), (130..=140, 100..=100));
        assert_eq!(options.engines.unwrap().len(), 2);
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "--shapes t7",
            "--shapes",
            "--threads 0",
            "--threads two",
            "--precision fp8",
            "--sequences 0",
            "--rounds 0",
            "--lengths 100",
            "--lengths 0-9",
            "--lengths 166-100",
            "--lengths 100-1023",
            "--tokens 2-9",
            "--engines ov-fp32",
            "--python p --engines torch",
            "--python p --lenghts 1-2",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
