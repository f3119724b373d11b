//! The results as tables in Markdown.

use vnp_infer::Precision;

use super::engine::Engine;
use super::rounds::{Rounds, Runner};
use super::shape::Shape;
use super::work::Run;
use crate::stats::Spread;

/// The speed of every engine: medians over the rounds, also as a share of the peak of each round.
pub(crate) fn speeds(rounds: &Rounds, threads: usize, flops_of_a_token: f64) -> String {
    let mut text = String::from(
        "| engine | tokens/s | min to max | per CPU-second | GFLOP/s | of FMA peak | of gemm \
         | of FMA peak by CPU time |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (runner, runs) in &rounds.runs {
        let Some(speed) = Spread::of(runs.iter().map(|run| run.speed())) else { continue };
        let of_peak = |rate: &dyn Fn(Run) -> Option<f64>, peak: &dyn Fn(usize) -> Option<f64>| {
            let shares = runs.iter().enumerate().filter_map(|(round, run)| {
                Some(rate(*run)? * flops_of_a_token / peak(round)? * 100.0)
            });
            show(Spread::of(shares), |share| format!("{:.0} %", share.median))
        };
        let fma = |round: usize| rounds.peaks.get(round).map(|peak| peak.fma);
        let gemm = |round: usize| rounds.peaks.get(round).map(|peak| peak.gemm);
        let fma_of_one = |round: usize| fma(round).map(|peak| peak / threads as f64);
        let wall = |run: Run| Some(run.speed());
        let cells = [
            name(*runner),
            format!("{:.0}", speed.median),
            format!("{:.0} to {:.0}", speed.least, speed.most),
            show(Spread::of(runs.iter().filter_map(|run| run.cpu_speed())), |speed| {
                format!("{:.0}", speed.median)
            }),
            format!("{:.0}", speed.median * flops_of_a_token / 1e9),
            of_peak(&wall, &fma),
            of_peak(&wall, &gemm),
            of_peak(&|run| run.cpu_speed(), &fma_of_one),
        ];
        text.push_str(&row(&cells));
    }
    text
}

/// The ratios of our speed to that of each other engine, paired within rounds, and whether each
/// target was met.
pub(crate) fn ratios(rounds: &Rounds, shape: Shape) -> (String, Vec<bool>) {
    let mut text = String::from(
        "| ours | over | ratio | min to max | ratio by CPU time | of the fastest rounds | target |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut judgements = Vec::new();
    for (precision, own) in rounds.runs.iter().filter_map(ours) {
        for (engine, other) in rounds.runs.iter().filter_map(peer) {
            let pairs = || own.iter().zip(other);
            let Some(ratio) = Spread::of(pairs().map(|(a, b)| a.speed() / b.speed())) else {
                continue;
            };
            let fastest = |runs: &[Run]| Spread::of(runs.iter().map(|run| run.speed()));
            let of_fastest = fastest(own).zip(fastest(other)).map(|(a, b)| a.most / b.most);
            let by_cpu = pairs().filter_map(|(a, b)| Some(a.cpu_speed()? / b.cpu_speed()?));
            let target = engine.target(shape, precision);
            let is_met = target.map(|target| ratio.median >= target);
            judgements.extend(is_met);
            text.push_str(&row(&[
                precision.to_string(),
                engine.name.to_owned(),
                format!("{:.2}", ratio.median),
                format!("{:.2} to {:.2}", ratio.least, ratio.most),
                show(Spread::of(by_cpu), |ratio| format!("{:.2}", ratio.median)),
                of_fastest.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
                match (target, is_met) {
                    (Some(target), Some(true)) => format!("{target:.1} met"),
                    (Some(target), _) => format!("{target:.1} MISSED"),
                    _ => String::new(),
                },
            ]));
        }
    }
    (text, judgements)
}

/// A line with the peaks of all threads.
pub(crate) fn peaks(rounds: &Rounds) -> String {
    let show = |rate: Vec<f64>| {
        show(Spread::of(rate), |spread| {
            let [median, least, most] =
                [spread.median, spread.least, spread.most].map(|rate| rate / 1e9);
            format!("{median:.0} GFLOP/s ({least:.0} to {most:.0})")
        })
    };
    let fma = show(rounds.peaks.iter().map(|peak| peak.fma).collect());
    let gemm = show(rounds.peaks.iter().map(|peak| peak.gemm).collect());
    format!("peak of all threads in f32: FMA {fma}, gemm {gemm}")
}

fn ours((runner, runs): &(Runner, Vec<Run>)) -> Option<(Precision, &[Run])> {
    match runner {
        Runner::Ours(precision) => Some((*precision, runs)),
        Runner::Peer(_) => None,
    }
}

fn peer((runner, runs): &(Runner, Vec<Run>)) -> Option<(Engine, &[Run])> {
    match runner {
        Runner::Ours(_) => None,
        Runner::Peer(engine) => Some((*engine, runs)),
    }
}

fn name(runner: Runner) -> String {
    match runner {
        Runner::Ours(precision) => format!("vnp {precision}"),
        Runner::Peer(engine) => engine.name.to_owned(),
    }
}

fn show(spread: Option<Spread>, text: impl FnOnce(Spread) -> String) -> String {
    spread.map_or_else(|| "-".to_owned(), text)
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::infer::peak::Peak;

    fn runs(walls: [f64; 3]) -> Vec<Run> {
        let run = |wall| Run { tokens: 1000, time: Time { wall, cpu: Some(2.0 * wall) } };
        walls.map(run).to_vec()
    }

    fn rounds() -> Rounds {
        Rounds {
            runs: vec![
                (Runner::Ours(Precision::F32), runs([1.0, 2.0, 1.0])),
                (Runner::Peer("fair-fp32".parse().unwrap()), runs([3.0, 4.0, 2.0])),
            ],
            peaks: vec![Peak { fma: 4e12, gemm: 2e12 }; 3],
        }
    }

    #[test]
    fn speeds_are_shares_of_the_peak() {
        let text = speeds(&rounds(), 2, 1e9);
        let ours = "| vnp f32 | 1000 | 500 to 1000 | 500 | 1000 | 25 % | 50 % | 25 % |";
        assert_eq!(text.lines().nth(2), Some(ours), "{text}");
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn ratios_are_paired_before_the_middle_is_taken() {
        let (text, judgements) = ratios(&rounds(), Shape::T30);
        let expected = "| f32 | fair-fp32 | 2.00 | 2.00 to 3.00 | 2.00 | 2.00 | 2.5 MISSED |";
        assert_eq!(text.lines().nth(2), Some(expected), "{text}");
        assert_eq!(judgements, [false]);
        assert!(ratios(&rounds(), Shape::T6).1.is_empty());
    }

    #[test]
    fn peaks_are_printed() {
        let expected = "peak of all threads in f32: FMA 4000 GFLOP/s (4000 to 4000), \
                        gemm 2000 GFLOP/s (2000 to 2000)";
        assert_eq!(peaks(&rounds()), expected);
    }
}
