//! Engines run in turn, round after round.

use anyhow::{Result, ensure};
use rayon::ThreadPool;
use vnp_infer::{Encoder, Precision};

use super::engine::Engine;
use super::peak::{self, Peak};
use super::peers::Peers;
use super::work::{Run, Work};
use crate::clock::timed;

/// Our encoder at one precision.
pub(crate) struct Ours {
    pub(crate) precision: Precision,
    pub(crate) encoder: Box<dyn Encoder>,
}

/// An engine in a table of results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Runner {
    Ours(Precision),
    Peer(Engine),
}

/// The measurements: one value per round for each runner, and for the peak.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) runs: Vec<(Runner, Vec<Run>)>,
    pub(crate) peaks: Vec<Peak>,
}

impl Rounds {
    /// Warms up our encoders, takes the rounds and stops the other engines. Each round begins with
    /// another engine, so that none is always first when the machine grows slower or faster.
    pub(crate) fn take(
        rounds: usize,
        pool: &ThreadPool,
        work: &Work,
        ours: &[Ours],
        mut peers: Option<Box<dyn Peers + '_>>,
    ) -> Result<Self> {
        let sequences: Vec<&str> = work.sequences.iter().map(String::as_str).collect();
        for one in ours {
            let embeddings = pool.install(|| one.encoder.embed(&sequences))?;
            ensure!(embeddings.iter().all(|x| x.is_finite()), "embeddings are not finite");
        }
        let engines = peers.as_ref().map_or(&[][..], |peers| peers.engines());
        let peers_runners = engines.iter().map(|engine| Runner::Peer(*engine));
        let runners = ours.iter().map(|one| Runner::Ours(one.precision)).chain(peers_runners);
        let mut runs: Vec<_> = runners.map(|runner| (runner, Vec::new())).collect();
        let mut peaks = Vec::new();
        for round in 0..rounds {
            peaks.push(peak::measure(pool));
            for turn in order(round, runs.len()) {
                let Some((runner, runs)) = runs.get_mut(turn) else { continue };
                let run = match (*runner, peers.as_mut(), ours.get(turn)) {
                    (Runner::Peer(engine), Some(peers), _) => peers.run(engine)?,
                    (Runner::Ours(_), _, Some(one)) => {
                        let time = timed(|| Ok(pool.install(|| one.encoder.embed(&sequences))?))?;
                        Run { tokens: work.tokens, time }
                    }
                    _ => continue,
                };
                runs.push(run);
            }
        }
        peers.map_or(Ok(()), Peers::stop)?;
        Ok(Self { runs, peaks })
    }
}

/// The turns of a round.
fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| (round + turn) % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_first_once() {
        let found: Vec<Vec<usize>> = (0..3).map(|round| order(round, 3).collect()).collect();
        assert_eq!(found, [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
    }

    #[test]
    fn every_round_gives_a_value() {
        struct Fake;
        impl Encoder for Fake {
            fn name(&self) -> &'static str {
                "fake"
            }
            fn hidden_size(&self) -> usize {
                1
            }
            fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, vnp_infer::Error> {
                Ok(vec![1.0; sequences.len()])
            }
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let work = Work { sequences: vec!["A".into()], lengths: vec![3], tokens: 3, flops: 1.0 };
        let ours = [Ours { precision: Precision::F32, encoder: Box::new(Fake) }];
        let found = Rounds::take(2, &pool, &work, &ours, None).unwrap();
        assert_eq!(found.peaks.len(), 2);
        let [(Runner::Ours(Precision::F32), runs)] = found.runs.as_slice() else { panic!() };
        assert_eq!(runs.iter().map(|run| run.tokens).collect::<Vec<_>>(), [3, 3]);
    }
}
