//! How fast a run computes, and how long it will go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vnp_job::parts::Stage;

use crate::estimate::Estimate;

/// How far the encoders are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// What this session has to compute.
    pub estimate: Estimate,
    /// What the encoder of each stage has done of it; nothing where it did not begin.
    pub done: BTreeMap<Stage, Rate>,
    /// Since the first row was begun.
    pub elapsed: Duration,
    /// How long it will take to embed the rest; nothing while that cannot be told.
    pub left: Option<Duration>,
}

/// What an encoder has done, and how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Rows embedded.
    pub rows: u64,
    /// Their bases or residues.
    pub letters: u64,
    /// Their tokens, about; see [`Workload`](crate::Workload).
    pub tokens: f64,
    /// Floating-point operations, about.
    pub flops: f64,
    /// The time in which the encoder was at work; of several devices, the sum.
    pub busy: Duration,
}

impl Rate {
    /// Tokens a second while the encoder was at work, of one device.
    #[must_use]
    pub fn tokens_per_second(&self) -> f64 {
        per_second(self.tokens, self.busy)
    }

    /// Floating-point operations a second, likewise.
    #[must_use]
    pub fn flops_per_second(&self) -> f64 {
        per_second(self.flops, self.busy)
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.letters += other.letters;
        self.tokens += other.tokens;
        self.flops += other.flops;
        self.busy += other.busy;
    }

    /// The seconds for so many operations or letters, of which `done` took the time so far.
    fn seconds_for(&self, amount: f64, done: f64) -> Option<f64> {
        (done > 0.0).then(|| self.busy.as_secs_f64() * amount / done)
    }
}

fn per_second(amount: f64, time: Duration) -> f64 {
    match time.is_zero() {
        true => 0.0,
        false => amount / time.as_secs_f64(),
    }
}

impl Progress {
    /// What the encoder of one stage has done.
    #[must_use]
    pub fn of(&self, stage: Stage) -> Rate {
        self.done.get(&stage).copied().unwrap_or_default()
    }

    /// How long the rest takes: what the encoders did so far took so long, overheads and the number
    /// of devices included, and the rest is so many times that. A stage that did not begin yet is
    /// taken to be as fast per operation as the others.
    fn time_left(&self) -> Option<Duration> {
        let mut left = 0.0;
        let mut done = 0.0;
        for (&stage, all) in &self.estimate.stages {
            let rate = self.of(stage);
            let letters = all.letters.saturating_sub(rate.letters);
            let flops = all.flops_of(letters);
            done += rate.busy.as_secs_f64();
            left += match letters {
                0 => 0.0,
                _ => rate.seconds_for(letters as f64, rate.letters as f64).or_else(|| {
                    let others = self.others(stage);
                    others.seconds_for(flops, others.flops).filter(|_| flops > 0.0)
                })?,
            };
        }
        if done == 0.0 {
            return None;
        }
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * left / done).ok()
    }

    /// What the encoders of all other stages have done together.
    fn others(&self, stage: Stage) -> Rate {
        let mut sum = Rate::default();
        for (_, rate) in self.done.iter().filter(|(other, _)| **other != stage) {
            sum.add(*rate);
        }
        sum
    }
}

/// Learns the rates while the run goes on.
#[derive(Clone, Debug)]
pub(crate) struct Forecast {
    estimate: Estimate,
    done: BTreeMap<Stage, Rate>,
    began: Instant,
}

impl Forecast {
    /// Begins now.
    pub(crate) fn new(estimate: Estimate) -> Self {
        Self { estimate, done: BTreeMap::new(), began: Instant::now() }
    }

    /// Tokens among so many bases or residues.
    pub(crate) fn tokens(&self, stage: Stage, letters: u64) -> f64 {
        self.estimate.of(stage).tokens_of(letters)
    }

    /// Learns of rows of a stage, and says what follows.
    pub(crate) fn learn(
        &mut self,
        stage: Stage,
        rows: u64,
        letters: u64,
        time: Duration,
    ) -> Progress {
        let all = self.estimate.of(stage);
        self.done.entry(stage).or_default().add(Rate {
            rows,
            letters,
            tokens: all.tokens_of(letters),
            flops: all.flops_of(letters),
            busy: time,
        });
        self.progress(self.began.elapsed())
    }

    fn progress(&self, elapsed: Duration) -> Progress {
        let (estimate, done) = (self.estimate.clone(), self.done.clone());
        let mut progress = Progress { estimate, done, elapsed, left: None };
        progress.left = progress.time_left();
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Workload;

    /// 100 rows of 500 bases, 0.2 tokens each; 100 of 150 residues, 1 token each, 20 times the work.
    fn forecast(flops: f64) -> Forecast {
        let workload = |letters, tokens, flops| Workload {
            rows: 100,
            letters,
            tokens,
            flops,
            ..Workload::default()
        };
        Forecast::new(Estimate {
            stages: BTreeMap::from([
                (Nucleotide, workload(50_000, 10_000, flops)),
                (Protein, workload(15_000, 15_000, 20.0 * flops)),
            ]),
            devices: vec!["test".into()],
        })
    }

    #[track_caller]
    fn check(flops: f64, done: &[(Stage, u64, u64)], elapsed: u64, expected: Option<u64>) {
        let mut forecast = forecast(flops);
        for &(stage, rows, seconds) in done {
            let letters = rows * if stage == Stage::Nucleotide { 500 } else { 150 };
            forecast.learn(stage, rows, letters, Duration::from_secs(seconds));
        }
        let progress = forecast.progress(Duration::from_secs(elapsed));
        assert_eq!(progress.left.map(|left| left.as_secs_f64().round() as u64), expected);
    }

    use Stage::{Nucleotide, NucleotideOnly, Protein};

    #[test]
    fn the_time_left_is_told_from_the_first_batch_on() {
        check(1e12, &[], 0, None);
        // A tenth of the nucleotides in 10 s: 90 s more, and 20 times 100 s of protein.
        check(1e12, &[(Nucleotide, 10, 10)], 10, Some(2090));
        // Nothing is known of operations: the other encoder has to be seen first.
        check(0.0, &[(Nucleotide, 10, 10)], 10, None);
        check(0.0, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 40, Some(360));
        // Measured is better than reckoned.
        check(1e12, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 40, Some(360));
        check(1e12, &[(Nucleotide, 100, 100), (Protein, 100, 300)], 400, Some(0));
    }

    #[test]
    fn devices_and_overheads_are_part_of_the_time_left() {
        // Two devices: 40 s of work in 20 s.
        check(1e12, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 20, Some(180));
        // Twice as long as the encoders were at work.
        check(1e12, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 80, Some(720));
    }

    #[test]
    fn a_third_stage_is_part_of_the_time_left() {
        let mut forecast = forecast(1e12);
        let both_strands = forecast.estimate.of(Nucleotide).clone();
        forecast.estimate.stages.insert(NucleotideOnly, both_strands);
        let left = |forecast: &Forecast, elapsed| {
            let progress = forecast.progress(Duration::from_secs(elapsed));
            progress.left.map(|left| left.as_secs_f64().round() as u64)
        };
        forecast.learn(Nucleotide, 100, 50_000, Duration::from_secs(10));
        forecast.learn(Protein, 100, 15_000, Duration::from_secs(200));
        // The others did 21 times its work in 210 s; then its own rate counts.
        assert_eq!(left(&forecast, 210), Some(10));
        forecast.learn(NucleotideOnly, 50, 25_000, Duration::from_secs(20));
        assert_eq!(left(&forecast, 230), Some(20));
    }

    #[test]
    fn rates_are_those_of_one_device_at_work() {
        let mut forecast = forecast(1e12);
        let progress = forecast.learn(Protein, 10, 1500, Duration::from_secs(3));
        assert_eq!(progress.of(Protein).tokens_per_second().round(), 500.0);
        assert_eq!((progress.of(Protein).flops_per_second() / 1e9).round(), 667.0);
        assert_eq!(progress.of(Nucleotide).tokens_per_second(), 0.0);
    }
}
