//! What the command line said.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use vnp_infer::Precision;

use super::USAGE;
use super::engine::Engine;
use super::shape::Shape;

/// The command line; what was not said has its default.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) shapes: Vec<Shape>,
    pub(crate) threads: Vec<usize>,
    pub(crate) precisions: Vec<Precision>,
    /// None: as many as the shape says.
    pub(crate) sequences: Option<usize>,
    pub(crate) rounds: usize,
    /// Residues of a protein.
    pub(crate) residues: RangeInclusive<usize>,
    /// Tokens of a nucleotide sequence, those of its frame included.
    pub(crate) tokens: RangeInclusive<usize>,
    pub(crate) python: Option<PathBuf>,
    /// A directory with scripts to start instead of our driver.
    pub(crate) scripts: Option<PathBuf>,
    /// None: those of the shape and precision.
    pub(crate) engines: Option<Vec<Engine>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shapes: Shape::USUAL.to_vec(),
            threads: vec![1, 2],
            precisions: vec![Precision::F32, Precision::Bf16],
            sequences: None,
            rounds: 5,
            residues: 100..=166,
            tokens: 90..=115,
            python: None,
            scripts: None,
            engines: None,
        }
    }
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let value = args.next().with_context(|| format!("{name} wants a value\n{USAGE}"))?;
            options.set(name, value).with_context(|| format!("{name} {value}"))?;
        }
        ensure!(
            options.python.is_some() || (options.scripts.is_none() && options.engines.is_none()),
            "--peers and --engines want --python\n{USAGE}"
        );
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "--shapes" => self.shapes = list(value)?,
            "--threads" => self.threads = list(value)?,
            "--precision" => self.precisions = list(value)?,
            "--sequences" => self.sequences = Some(value.parse()?),
            "--rounds" => self.rounds = value.parse()?,
            "--lengths" => self.residues = range(value)?,
            "--tokens" => self.tokens = range(value)?,
            "--python" => self.python = Some(value.into()),
            "--peers" => self.scripts = Some(value.into()),
            "--engines" => self.engines = Some(list(value)?),
            _ => bail!("no such option: {name}\n{USAGE}"),
        }
        ensure!(self.rounds > 0 && self.sequences != Some(0), "at least one");
        ensure!(!self.threads.contains(&0), "at least one thread");
        // Longer proteins are cut by ours and refused by others.
        ensure!(*self.residues.end() <= 1022, "at most 1,022 residues");
        ensure!(*self.tokens.start() > 2, "two tokens are the frame of a sequence");
        Ok(())
    }
}

/// `A,B,C`.
fn list<T: FromStr<Err: Into<anyhow::Error>>>(text: &str) -> Result<Vec<T>> {
    text.split(',').map(|item| item.parse().map_err(Into::into)).collect()
}

/// `FROM-TO`, both included.
fn range(text: &str) -> Result<RangeInclusive<usize>> {
    let (from, to) = text.split_once('-').context("wants FROM-TO")?;
    let (from, to) = (from.parse()?, to.parse()?);
    ensure!(0 < from && from <= to, "{from} to {to} holds no length");
    Ok(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let Options { shapes, threads, rounds, residues, python, .. } = parse("").unwrap();
        assert_eq!((shapes.len(), threads, rounds, residues), (4, vec![1, 2], 5, 100..=166));
        assert_eq!(python, None);
    }

    #[test]
    fn everything_can_be_said() {
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
