//! The work of a run, which is the same for every engine, and the time that a run took.

use super::options::Options;
use super::ours;
use super::shape::Shape;
use crate::clock::Time;

/// The sequences to embed, and how much work they are.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) sequences: Vec<String>,
    /// Tokens of each sequence, with the two around it.
    pub(crate) lengths: Vec<usize>,
    pub(crate) tokens: u64,
    pub(crate) flops: f64,
}

/// One run of one engine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) tokens: u64,
    pub(crate) time: Time,
}

impl Work {
    pub(crate) fn new(shape: Shape, options: &Options) -> Self {
        let sequences = ours::sequences(shape, options);
        let lengths: Vec<usize> =
            sequences.iter().map(|sequence| ours::tokens(shape, sequence)).collect();
        let flops = lengths.iter().map(|length| shape.flops(*length)).sum();
        Self { tokens: lengths.iter().sum::<usize>() as u64, sequences, lengths, flops }
    }

    /// Operations per token, on average.
    pub(crate) fn flops_of_a_token(&self) -> f64 {
        self.flops / self.tokens as f64
    }
}

impl Run {
    /// Tokens per second.
    pub(crate) fn speed(self) -> f64 {
        self.tokens as f64 / self.time.wall
    }

    /// Tokens per second of processor time.
    pub(crate) fn cpu_speed(self) -> Option<f64> {
        self.time.cpu.map(|cpu| self.tokens as f64 / cpu)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn speeds_are_of_wall_and_processor() {
        let run = Run { tokens: 600, time: Time { wall: 2.0, cpu: Some(4.0) } };
        assert_eq!((run.speed(), run.cpu_speed()), (300.0, Some(150.0)));
    }

    #[test]
    fn work_adds_up() {
        let options = Options {
            sequences: Some(3),
            residues: 98..=98,
            tokens: 90..=90,
            ..Options::parse_from(["bench"])
        };
        let work = Work::new(Shape::T33, &options);
        assert_eq!((work.lengths.as_slice(), work.tokens), ([100; 3].as_slice(), 300));
        assert!((work.flops_of_a_token() / Shape::T33.flops(100) * 100. - 1.).abs() < 1e-12);
        assert_eq!(Work::new(Shape::Dnabert, &options).lengths, [90; 3]);
    }
}
