//! Work, rates and times in words.

use std::time::Duration;

use vnp_pipeline::{Estimate, Progress, Stage, Workload};

use crate::output::grouped;

/// From here on a run is told of before it starts.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// From here on a run on a CPU is warned of.
const TOO_LONG: Duration = Duration::from_secs(600);

/// The embeddings that rows of a stage take: that of a chunk without an open frame, one a strand.
pub(super) fn embeddings(stage: Stage, rows: u64) -> u64 {
    match stage {
        Stage::Nucleotide | Stage::Protein => rows,
        Stage::NucleotideOnly => 2 * rows,
        Stage::Scores => 0,
    }
}

/// What is to be computed.
pub(super) fn work(estimate: &Estimate) -> String {
    let parts: Vec<String> = Stage::ENCODED
        .into_iter()
        .filter(|stage| estimate.of(*stage).rows > 0)
        .map(|stage| workload(stage, estimate.of(stage)))
        .collect();
    format!("to compute: {}", parts.join("; "))
}

fn workload(stage: Stage, work: &Workload) -> String {
    let embeddings = format!("{} {stage} embeddings", grouped(embeddings(stage, work.rows)));
    if work.tokens == 0 {
        return embeddings;
    }
    let (about, how) = match work.is_exact {
        true => ("", "all counted"),
        false => ("about ", "from those of a sample per letter"),
    };
    let tokens = grouped(work.tokens);
    format!("{embeddings} ({about}{tokens} tokens, {how}; {})", operations(work.flops))
}

/// What a long run on a CPU means; nothing where it is not one.
pub(super) fn warning(estimate: &Estimate, threads: usize) -> Option<String> {
    let time = estimate.assumed_time(threads);
    if !estimate.is_on_cpu() || time < TOO_LONG {
        return None;
    }
    let dear = Stage::ENCODED
        .into_iter()
        .max_by(|a, b| estimate.of(*a).flops.total_cmp(&estimate.of(*b).flops))?;
    let work = estimate.of(dear);
    let embeddings = embeddings(dear, work.rows);
    let one = operations(work.flops / embeddings.max(1) as f64);
    Some(format!(
        "this run takes about {} on this CPU if each of {threads} threads does {}/s: {} embeddings \
         with {} take {one} each. Shorter with a GPU (--device cuda), a smaller bundle (--model), or \
         --precision bf16; the measured rate follows, and what is computed until then is kept",
        duration(time.as_secs_f64()),
        operations(estimate.assumed_flops(1)),
        grouped(embeddings),
        work.encoder,
    ))
}

/// The measured rates of the encoders that have worked, and the time that is left.
pub(super) fn rates(progress: &Progress) -> String {
    let rates = Stage::ENCODED.into_iter().filter_map(|stage| {
        let rate = progress.of(stage);
        let tokens = rate.tokens_per_second();
        let speed = operations(rate.flops_per_second());
        (tokens > 0.0).then(|| format!("{stage} {} tokens/s ({speed}/s)", grouped(tokens as u64)))
    });
    let rates: Vec<String> = rates.collect();
    match (rates.is_empty(), progress.estimate.devices.len()) {
        (true, _) => String::new(),
        (false, 0 | 1) => rates.join(", "),
        (false, _) => format!("a device {}", rates.join(", ")),
    }
}

/// The time that is left, if it can be told.
pub(super) fn left(progress: &Progress) -> Option<String> {
    Some(format!("about {} left", duration(progress.left?.as_secs_f64())))
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

/// Seconds in the coarsest two units that say something.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds).map_or(u64::MAX, |time| time.as_secs());
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

    /// The encoders of the published model on so many frames of 500 bp.
    fn published(rows: u64, device: &str) -> Estimate {
        let workload = |encoder: &str, letters, tokens, flops: f64| Workload {
            encoder: encoder.to_owned(),
            rows,
            letters: rows * letters,
            tokens: rows * tokens,
            flops: rows as f64 * flops,
            is_exact: false,
        };
        Estimate {
            stages: BTreeMap::from([
                (Stage::Nucleotide, workload("dnabert-s", 499, 109, 0.025e12)),
                (Stage::Protein, workload("esm2", 166, 168, 0.96e12)),
            ]),
            devices: vec![device.to_owned()],
        }
    }

    #[test]
    fn work_is_told_with_how_it_was_counted() {
        assert_eq!(
            work(&published(1000, "cpu (avx512f)")),
            "to compute: 1,000 nucleotide embeddings (about 109,000 tokens, from those of a sample per \
             letter; 25.0 TFLOP); 1,000 protein embeddings (about 168,000 tokens, from those of a sample \
             per letter; 960 TFLOP)"
        );
        let mut few = published(2, "cpu (avx512f)");
        few.stages.remove(&Stage::Nucleotide);
        few.stages.get_mut(&Stage::Protein).unwrap().is_exact = true;
        let told = "to compute: 2 protein embeddings (336 tokens, all counted; 1.92 TFLOP)";
        assert_eq!(work(&few), told);
        few.stages.get_mut(&Stage::Protein).unwrap().tokens = 0;
        assert_eq!(work(&few), "to compute: 2 protein embeddings");
        // Both strands of three chunks.
        let both = Workload { rows: 3, ..few.stages[&Stage::Protein].clone() };
        few.stages.insert(Stage::NucleotideOnly, both);
        assert_eq!(work(&few), "to compute: 2 protein embeddings; 6 dna_only embeddings");
    }

    #[track_caller]
    fn check_warning(rows: u64, device: &str, expected: &[&str]) {
        let text = warning(&published(rows, device), 2).unwrap_or_default();
        assert_eq!(text.is_empty(), expected.is_empty(), "{text}");
        for part in expected {
            assert!(text.contains(part), "not said: {part}\n{text}");
        }
    }

    #[test]
    fn a_long_run_on_a_cpu_is_warned_of() {
        let cpu = "cpu (avx512f)";
        check_warning(10, cpu, &[]);
        let remedies = ["--device cuda", "--model", "--precision bf16"];
        check_warning(1000, cpu, &remedies);
        check_warning(
            1000,
            cpu,
            &[
                "about 2 h 44 min",
                "each of 2 threads does 50.0 GFLOP/s",
                "esm2 take 960 GFLOP each",
            ],
        );
        check_warning(1_000_000, cpu, &["about 114 d 0 h"]);
        check_warning(1_000_000, "cuda:0", &[]);
    }

    #[test]
    fn rates_are_told_of_encoders_that_have_worked() {
        let rate = |tokens, flops, seconds| Rate {
            rows: 1,
            letters: 1,
            tokens,
            flops,
            busy: Duration::from_secs(seconds),
        };
        let mut progress = Progress {
            estimate: published(1000, "cuda:0"),
            done: BTreeMap::new(),
            elapsed: Duration::from_secs(10),
            left: None,
        };
        assert_eq!((rates(&progress), left(&progress)), (String::new(), None));
        progress.done.insert(Stage::Nucleotide, rate(10_900.0, 2.5e12, 2));
        progress.left = Some(Duration::from_secs(3700));
        assert_eq!(rates(&progress), "nucleotide 5,450 tokens/s (1.25 TFLOP/s)");
        assert_eq!(left(&progress).as_deref(), Some("about 1 h 1 min left"));
        progress.done.insert(Stage::Protein, rate(1_680_000.0, 9.6e15, 20));
        progress.estimate.devices.push("cuda:1".to_owned());
        assert_eq!(
            rates(&progress),
            "a device nucleotide 5,450 tokens/s (1.25 TFLOP/s), protein 84,000 tokens/s (480 TFLOP/s)"
        );
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
    fn durations_are_told_in_two_units() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (59.9, "59 s"),
            (61.0, "1 min 1 s"),
            (3_700.0, "1 h 1 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
