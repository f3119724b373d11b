//! Work, speed and times of a run as text.

use std::time::Duration;

use vnp_pipeline::{Estimate, Progress, Stage, Workload};

use crate::output::grouped;

/// The work of a run that takes longer is reported before it starts.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// The user is warned of a run on a CPU that takes longer.
const TOO_LONG: Duration = Duration::from_secs(600);

/// The embeddings of this many rows of a stage; a chunk without an ORF has one per strand.
pub(super) fn embeddings(stage: Stage, rows: u64) -> u64 {
    match stage {
        Stage::Nucleotide | Stage::Protein => rows,
        Stage::NucleotideOnly => 2 * rows,
        Stage::Scores => 0,
    }
}

/// What is to be computed.
pub(super) fn work(estimate: &Estimate) -> String {
    let works = Stage::ENCODED.map(|stage| (stage, estimate.of(stage)));
    let works = works.into_iter().filter(|(_, work)| work.rows > 0);
    let texts: Vec<String> = works.map(|(stage, work)| workload(stage, work)).collect();
    format!("to compute: {}", texts.join("; "))
}

fn workload(stage: Stage, work: &Workload) -> String {
    let mut text = format!("{} {stage} embeddings", grouped(embeddings(stage, work.rows)));
    if work.tokens > 0 {
        let about = if work.is_exact { "" } else { "about " };
        let (tokens, flops) = (grouped(work.tokens), operations(work.flops));
        text += &format!(" ({about}{tokens} tokens, {flops})");
    }
    text
}

/// A warning if the run will take long on a CPU.
pub(super) fn warning(estimate: &Estimate, threads: usize) -> Option<String> {
    let time = estimate.assumed_time(threads);
    if !estimate.is_on_cpu() || time < TOO_LONG {
        return None;
    }
    let flops = |stage: &Stage| estimate.of(*stage).flops;
    let costliest = Stage::ENCODED.into_iter().max_by(|a, b| flops(a).total_cmp(&flops(b)))?;
    let work = estimate.of(costliest);
    let embeddings = embeddings(costliest, work.rows);
    Some(format!(
        "this run will take about {} on this CPU ({threads} threads at an assumed {}/s each): {} \
         embeddings of {} at {} each. A GPU (--device cuda), a smaller model (--model) or \
         --precision bf16 is faster. The measured speed follows; if you interrupt the run, finished \
         work is kept",
        duration(time),
        operations(estimate.assumed_flops(1)),
        grouped(embeddings),
        work.encoder,
        operations(work.flops / embeddings.max(1) as f64),
    ))
}

/// The measured speed of the encoders that have started; none if that is none of them.
pub(super) fn rates(progress: &Progress) -> Option<String> {
    let rates = Stage::ENCODED.into_iter().filter_map(|stage| {
        let rate = progress.of(stage);
        let tokens = rate.tokens_per_second();
        let speed = operations(rate.flops_per_second());
        (tokens > 0.0).then(|| format!("{stage} {} tokens/s ({speed}/s)", grouped(tokens as u64)))
    });
    let rates = rates.collect::<Vec<_>>().join(", ");
    let per_device = if progress.estimate.devices.len() > 1 { "per device: " } else { "" };
    (!rates.is_empty()).then(|| format!("{per_device}{rates}"))
}

/// The time that is left, if it is known.
pub(super) fn left(progress: &Progress) -> Option<String> {
    Some(format!("about {} left", duration(progress.left?)))
}

/// Floating-point operations with three digits.
fn operations(flops: f64) -> String {
    let units = [(1e18, "EFLOP"), (1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP")];
    let unit = units.into_iter().find(|(size, _)| flops >= *size * 0.9995);
    let (size, name) = unit.unwrap_or((1e6, "MFLOP"));
    let number = flops / size;
    let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$} {name}")
}

/// A time in its two largest units.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86400, seconds % 86400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use vnp_pipeline::Rate;

    /// The encoders of the published model on this many frames of 500 bp.
    fn published(rows: u64, device: &str) -> Estimate {
        let workload = |encoder: &str, tokens, flops: f64| Workload {
            encoder: encoder.to_owned(),
            rows,
            tokens: rows * tokens,
            flops: rows as f64 * flops,
            is_exact: false,
        };
        Estimate {
            stages: BTreeMap::from([
                (Stage::Nucleotide, workload("dnabert-s", 109, 0.025e12)),
                (Stage::Protein, workload("esm2", 168, 0.96e12)),
            ]),
            devices: vec![device.to_owned()],
        }
    }

    #[test]
    fn work_is_exact_or_about() {
        assert_eq!(
            work(&published(1000, "cpu (avx512f)")),
            "to compute: 1,000 nucleotide embeddings (about 109,000 tokens, 25.0 TFLOP); 1,000 \
             protein embeddings (about 168,000 tokens, 960 TFLOP)"
        );
        let mut small = published(2, "cpu (avx512f)");
        small.stages.remove(&Stage::Nucleotide);
        small.stages.get_mut(&Stage::Protein).unwrap().is_exact = true;
        assert_eq!(work(&small), "to compute: 2 protein embeddings (336 tokens, 1.92 TFLOP)");
        small.stages.get_mut(&Stage::Protein).unwrap().tokens = 0;
        assert_eq!(work(&small), "to compute: 2 protein embeddings");
        // Both strands of three chunks.
        let both = Workload { rows: 3, ..small.stages[&Stage::Protein].clone() };
        small.stages.insert(Stage::NucleotideOnly, both);
        assert_eq!(work(&small), "to compute: 2 protein embeddings; 6 dna_only embeddings");
    }

    #[track_caller]
    fn check_warning(rows: u64, device: &str, expected: &[&str]) {
        let text = warning(&published(rows, device), 2).unwrap_or_default();
        assert_eq!(text.is_empty(), expected.is_empty(), "{text}");
        for part in expected {
            assert!(text.contains(part), "missing: {part}\n{text}");
        }
    }

    #[test]
    fn a_long_run_on_a_cpu_is_warned_of() {
        let cpu = "cpu (avx512f)";
        check_warning(10, cpu, &[]);
        check_warning(1000, cpu, &["--device cuda", "--model", "--precision bf16"]);
        let speed = "2 threads at an assumed 50.0 GFLOP/s each";
        check_warning(1000, cpu, &["about 2 h 44 min", speed, "esm2 at 960 GFLOP each"]);
        check_warning(1_000_000, cpu, &["about 114 d 0 h"]);
        check_warning(1_000_000, "cuda:0", &[]);
    }

    #[test]
    fn rates_are_those_of_encoders_that_have_started() {
        let rate = |tokens, flops, seconds| Rate {
            rows: 1,
            tokens,
            flops,
            busy: Duration::from_secs(seconds),
        };
        let mut progress = Progress { estimate: published(1000, "cuda:0"), ..Progress::default() };
        assert_eq!((rates(&progress), left(&progress)), (None, None));
        progress.done.insert(Stage::Nucleotide, rate(10_900.0, 2.5e12, 2));
        progress.left = Some(Duration::from_secs(3700));
        let text = rates(&progress);
        assert_eq!(text.as_deref(), Some("nucleotide 5,450 tokens/s (1.25 TFLOP/s)"));
        assert_eq!(left(&progress).as_deref(), Some("about 1 h 1 min left"));
        progress.done.insert(Stage::Protein, rate(1_680_000.0, 9.6e15, 20));
        progress.estimate.devices.push("cuda:1".to_owned());
        let both = "per device: nucleotide 5,450 tokens/s (1.25 TFLOP/s), protein 84,000 tokens/s \
                    (480 TFLOP/s)";
        assert_eq!(rates(&progress).as_deref(), Some(both));
    }

    #[test]
    fn operations_have_three_digits() {
        for (flops, text) in [
            (0.0, "0.00 MFLOP"),
            (12.34e6, "12.3 MFLOP"),
            (999.9e6, "1.00 GFLOP"),
            (50e9, "50.0 GFLOP"),
            (948e9, "948 GFLOP"),
            (7.77e18, "7.77 EFLOP"),
            (1234e18, "1234 EFLOP"),
        ] {
            assert_eq!(operations(flops), text);
        }
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (59.9, "59 s"),
            (61.0, "1 min 1 s"),
            (3_700.0, "1 h 1 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }
}
