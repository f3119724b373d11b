//! Outputs that are there already: kept, replaced, quarantined or refused.

use std::cell::Cell;

use vnp_ckpt::Checkpoint;
use vnp_pipeline::embed::EmbedOptions;
use vnp_pipeline::{OnBadFile, Start, StopFlag};

use super::{Bench, MASK, PROTEINS, damage, fasta};

#[test]
fn the_reason_why_an_output_was_quarantined_stays_readable() {
    let bench = Bench::new(&fasta(3));
    bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap();
    damage(&bench.path("out.vnp"));
    let again = || EmbedOptions {
        on_bad_part: OnBadFile::Recompute,
        ..bench.options("out.vnp", Start::Resume, PROTEINS)
    };
    bench.run(again()).unwrap();
    let log = bench.path("out.vnp.parts/checkpoints/failed_checkpoints.txt");
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("out.vnp") && text.contains("does not match"), "{text}");
    assert!(bench.run(again()).unwrap().already_finished && log.exists());
    // Without the file there is nothing to explain.
    std::fs::remove_file(bench.path("out.vnp.bad")).unwrap();
    assert!(bench.run(again()).unwrap().already_finished && !bench.has_parts());
}

#[test]
fn an_output_that_is_replaced_stays_until_the_new_one_is_complete() {
    for damaged in [false, true] {
        let mut bench = Bench::new(&fasta(3));
        bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap();
        if damaged {
            damage(&bench.path("out.vnp"));
        }
        let earlier = std::fs::read(bench.path("out.vnp")).unwrap();
        std::fs::write(bench.path("in.faa"), fasta(35)).unwrap();
        (bench.stop_after, bench.computed) = (Some(12), Cell::new(0));
        let stopped = bench.run(bench.options("out.vnp", Start::Again, PROTEINS)).unwrap_err();
        assert!(stopped.interrupted().is_some());
        assert_eq!(std::fs::read(bench.path("out.vnp")).unwrap(), earlier);
        let saved = bench.computed.get();
        (bench.stop_after, bench.stop) = (None, StopFlag::default());
        // The session that goes on replaces it too, without being asked again.
        let summary = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap();
        assert_eq!(summary.rows_computed_now, 35 - saved);
        assert_eq!(bench.read("out.vnp").ids().len(), 35);
        assert!(!bench.has_parts() && !bench.path("out.vnp.bad").exists());
    }
}

#[test]
fn an_output_that_appears_while_a_run_computes_is_not_replaced() {
    let mut bench = Bench::new(&fasta(35));
    bench.run(bench.options("other.vnp", Start::New, PROTEINS)).unwrap();
    (bench.stop_after, bench.computed) = (Some(12), Cell::new(0));
    bench.run(bench.options("out.vnp", Start::New, MASK)).unwrap_err();
    (bench.stop_after, bench.stop) = (None, StopFlag::default());
    std::fs::rename(bench.path("other.vnp"), bench.path("out.vnp")).unwrap();
    let earlier = std::fs::read(bench.path("out.vnp")).unwrap();
    // No run that starts again left its mark.
    let error = bench.run(bench.options("out.vnp", Start::Resume, MASK)).unwrap_err();
    assert!(error.is_checkpoint_issue(), "{error}");
    assert_eq!(std::fs::read(bench.path("out.vnp")).unwrap(), earlier);
    assert!(!bench.part_files().is_empty());
}

#[test]
fn only_outputs_of_this_kind_are_replaced() {
    let bench = Bench::new(&fasta(3));
    let other = Checkpoint::builder("weights").build().unwrap();
    vnp_ckpt::atomic_save(&bench.path("out.vnp"), &other).unwrap();
    let bytes = std::fs::read(bench.path("out.vnp")).unwrap();
    for (start, expected) in [(Start::New, "exists"), (Start::Again, "kind weights")] {
        let error = bench.run(bench.options("out.vnp", start, PROTEINS)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(std::fs::read(bench.path("out.vnp")).unwrap(), bytes);
    std::fs::write(bench.path("text.vnp"), ">a\nMKV\n").unwrap();
    let error = bench.run(bench.options("text.vnp", Start::Again, PROTEINS)).unwrap_err();
    assert!(error.to_string().contains("not a checkpoint"), "{error}");
    std::fs::write(bench.path("empty.vnp"), "").unwrap();
    bench.run(bench.options("empty.vnp", Start::Again, PROTEINS)).unwrap();
    std::fs::create_dir(bench.path("dir.vnp")).unwrap();
    let error = bench.run(bench.options("dir.vnp", Start::Again, PROTEINS)).unwrap_err();
    assert!(error.to_string().contains("is a directory"), "{error}");
    for name in ["out.npy", "out", "out.pth", ".vnp"] {
        let error = bench.run(bench.options(name, Start::New, PROTEINS)).unwrap_err();
        assert!(error.to_string().contains(".vnp, .pt, .safetensors"), "{error}");
    }
}
