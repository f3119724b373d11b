//! `vnp predict --resume` and `--force-resume`: missing, damaged and foreign checkpoints.

use std::path::Path;

use crate::support::{Bench, Nucleotides};

/// A finished run of some 100 rows in windows of 16, without its published results.
fn unpublished() -> Bench {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(7).fasta(30, 1_000));
    bench.vnp(&["predict", "in.fa", "-o", "out", "--checkpoint-rows", "16"]).expect(0, &[]);
    std::fs::rename(bench.path("out/run.json"), bench.path("finished.json")).unwrap();
    for (name, bytes) in bench.results("out") {
        bench.write(&format!("expected-{name}"), bytes);
        std::fs::remove_file(bench.path("out").join(name)).unwrap();
    }
    assert!(bench.parts("out", "scores").len() >= 4);
    bench
}

fn assert_results(bench: &Bench) {
    for (name, bytes) in bench.results("out") {
        let expected = std::fs::read(bench.path(&format!("expected-{name}"))).unwrap();
        assert!(bytes == expected, "{name} differs from the undisturbed run");
    }
}

fn rows_computed(bench: &Bench, stage: &str) -> u64 {
    bench.json("out/run.json")["session"]["rows_computed"][stage].as_u64().unwrap()
}

fn flip_last_byte(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() - 70;
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn missing_parts_are_computed_and_nothing_else() {
    let bench = unpublished();
    let parts = bench.parts("out", "scores");
    std::fs::remove_file(&parts[1]).unwrap();
    std::fs::remove_file(&parts[3]).unwrap();
    // Threads, batch sizes and window sizes are no part of the identity.
    let words = [
        "predict",
        "in.fa",
        "-o",
        "out",
        "--resume",
        "--threads",
        "1",
        "--esm-batch-size",
        "300",
        "--dnabert-batch-size",
        "7",
        "-b",
        "3",
        "--checkpoint-rows",
        "10",
    ];
    bench.vnp(&words).expect(0, &[" checkpoints present, 0 bad, ", " missing: 32 of "]);
    assert_results(&bench);
    assert_eq!(rows_computed(&bench, "scores"), 32);
    assert_eq!(rows_computed(&bench, "nucleotide"), 32);
}

#[test]
fn another_input_is_refused_by_name() {
    let bench = unpublished();
    let before = bench.everything("out");
    let fasta = std::fs::read_to_string(bench.path("in.fa")).unwrap();
    let (front, last) = fasta.trim_end().split_at(fasta.trim_end().len() - 1);
    let other = if last == "A" { "C" } else { "A" };
    bench.write("other.fa", format!("{front}{other}\n"));
    let ended = bench.vnp(&["predict", "other.fa", "-o", "out", "--resume"]);
    ended.expect(3, &["input was ", "is now "]);
    for field in ["head", "esm2", "dnabert", "precision"] {
        assert!(!ended.stderr.contains(&format!("{field} was")), "{}", ended.stderr);
    }
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume", "-e", "300"]);
    ended.expect(3, &["chunk_length was 500, is now 300"]);
    // Said before anybody asks whether the device can.
    for precision in ["bf16", "f16"] {
        let words = ["predict", "in.fa", "-o", "out", "--resume", "--precision", precision];
        let ended = bench.vnp(&words);
        ended.expect(3, &[&format!("precision was f32, is now {precision}")]);
    }
    let after = bench.everything("out");
    assert_eq!(after, before, "a refused resume must change nothing");
}

#[test]
fn a_finished_run_of_another_input_is_refused_even_without_rows() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nTTAATTAATTAA\n");
    bench.write("other.fa", ">a\nTTAATTAATTAG\n");
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(0, &["have no ORF"]);
    bench.vnp(&["predict", "other.fa", "-o", "out", "--resume"]).expect(3, &["input was "]);
}

#[test]
fn an_existing_directory_needs_a_word() {
    let bench = unpublished();
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(1, &["--resume", "--force"]);
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume", "--force"]).expect(1, &["--force"]);
    std::fs::write(bench.path("out/notes.txt"), "mine").unwrap();
    bench.vnp(&["predict", "in.fa", "-o", "out", "--force"]).expect(0, &[]);
    assert_results(&bench);
    assert!(rows_computed(&bench, "scores") > 64, "--force starts again");
    assert!(bench.path("out/notes.txt").exists(), "--force removed a file that is not the run's");
}

#[test]
fn a_damaged_part_stops_the_run_until_told_otherwise() {
    let bench = unpublished();
    let damaged = bench.parts("out", "scores")[2].clone();
    flip_last_byte(&damaged);
    let name = damaged.file_name().unwrap().to_str().unwrap();
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
    ended.expect(3, &[name, "digest", "--force-resume", "--force", "remove the file"]);
    assert!(!bench.path("out/prediction_results.txt").exists());
    let log = std::fs::read_to_string(bench.path("out/checkpoints/failed_checkpoints.txt"));
    assert_eq!(log.unwrap().matches(name).count(), 1);
    bench
        .vnp(&["predict", "in.fa", "-o", "out", "--force-resume"])
        .expect(0, &[name, "quarantined"]);
    assert_results(&bench);
    assert_eq!(rows_computed(&bench, "scores"), 16, "exactly the bad part's rows");
    assert!(damaged.with_extension("vnp.bad").exists());
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(0, &["nothing was done"]);
}

#[test]
fn without_validation_a_damaged_payload_is_still_never_published() {
    let bench = unpublished();
    flip_last_byte(&bench.parts("out", "scores")[2]);
    let words = ["predict", "in.fa", "-o", "out", "--resume", "--skip-checkpoint-validation"];
    bench.vnp(&words).expect(3, &["digest"]);
    assert!(!bench.path("out/prediction_results.txt").exists());
}

#[test]
fn a_bad_part_that_is_found_late_can_be_passed_too() {
    let bench = unpublished();
    let damaged = bench.parts("out", "scores")[1].clone();
    flip_last_byte(&damaged);
    let words = ["predict", "in.fa", "-o", "out", "--force-resume", "--skip-checkpoint-validation"];
    bench.vnp(&words).expect(0, &["quarantined"]);
    assert_results(&bench);
    assert_eq!(rows_computed(&bench, "scores"), 16);
    // A second specimen does not replace the first.
    let first = std::fs::read(damaged.with_extension("vnp.bad")).unwrap();
    flip_last_byte(&damaged);
    std::fs::remove_file(bench.path("out/run.json")).unwrap();
    bench.vnp(&words).expect(0, &["quarantined"]);
    assert_eq!(std::fs::read(damaged.with_extension("vnp.bad")).unwrap(), first);
    assert!(damaged.with_extension("vnp.2.bad").exists());
}

#[test]
fn a_part_of_another_stage_is_found_without_reading_it() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(7).fasta(4, 600));
    bench.vnp(&["predict", "in.fa", "-o", "out", "--keep-embeddings"]).expect(0, &[]);
    std::fs::copy(&bench.parts("out", "nucleotide")[0], &bench.parts("out", "protein")[0]).unwrap();
    for stage in ["scores", "nucleotide"] {
        std::fs::remove_file(&bench.parts("out", stage)[0]).unwrap();
    }
    let words = ["predict", "in.fa", "-o", "out", "--resume", "--skip-checkpoint-validation"];
    bench.vnp(&words).expect(3, &["is of kind nucleotide, expected protein"]);
}

#[test]
fn an_input_replaced_by_one_with_the_same_names_cannot_slip_in() {
    let bench = unpublished();
    // Scores of the replacement, under the identity of the original: what a run leaves that was
    // killed after its input was replaced under it.
    bench.write("replaced.fa", Nucleotides::new(8).fasta(30, 1_000));
    bench.vnp(&["predict", "replaced.fa", "-o", "other", "--checkpoint-rows", "16"]).expect(0, &[]);
    let limits = vnp_ckpt::Limits::default();
    let load = |path: &Path| vnp_ckpt::load_with_compatibility(path, &limits).unwrap();
    let (ours, theirs) = (&bench.parts("out", "scores")[0], &bench.parts("other", "scores")[0]);
    let (identity, part) = (load(ours), load(theirs));
    let mut forged = vnp_ckpt::Checkpoint::builder(part.kind())
        .rows(part.rows())
        .ids(identity.ids().to_vec())
        .metadata("identity", identity.metadata()["identity"].clone());
    for (name, tensor) in part.tensors() {
        forged = forged.tensor(name, tensor.clone());
    }
    vnp_ckpt::atomic_save(ours, &forged.build().unwrap()).unwrap();
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
    ended.expect(3, &["of another sequence", "--force-resume"]);
    bench.vnp(&["predict", "in.fa", "-o", "out", "--force-resume"]).expect(0, &[]);
    assert_results(&bench);
}

#[test]
fn results_of_another_tool_are_left_alone() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCC\n");
    std::fs::create_dir(bench.path("old")).unwrap();
    bench.write("old/prediction_results.txt", "from the Python tool\n");
    let before = bench.everything("old");
    for word in ["--resume", "--force", "--force-resume"] {
        bench.vnp(&["predict", "in.fa", "-o", "old", word]).expect(1, &["no vnp run wrote"]);
    }
    assert_eq!(bench.everything("old"), before);
}

#[test]
fn a_training_is_not_run_in() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCC\n");
    std::fs::create_dir_all(bench.path("trained/checkpoints")).unwrap();
    bench.write("trained/checkpoints/lock", "");
    bench.write("trained/checkpoints/training.vnp", "a state");
    let before = bench.everything("trained");
    for word in ["--no-progress", "--resume", "--force"] {
        let words = ["predict", "in.fa", "-o", "trained", word];
        bench.vnp(&words).expect(1, &["a training of vnp train: choose another directory"]);
    }
    assert_eq!(bench.everything("trained"), before);
}

#[cfg(unix)]
#[test]
fn a_part_that_cannot_be_read_is_not_called_bad() {
    use std::os::unix::fs::PermissionsExt;
    let bench = unpublished();
    let part = &bench.parts("out", "scores")[0];
    std::fs::set_permissions(part, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(part).is_ok() {
        println!("skipped: this user may read files without read permission");
        return;
    }
    bench.vnp(&["predict", "in.fa", "-o", "out", "--force-resume"]).expect(1, &["cannot read"]);
    assert!(part.exists());
}

#[test]
fn a_part_under_another_name_is_found() {
    let bench = unpublished();
    let parts = bench.parts("out", "scores");
    std::fs::copy(&parts[0], &parts[1]).unwrap();
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
    ended.expect(3, &["holds rows 0..16, its name says 16..32"]);
}

#[test]
fn parts_that_overlap_are_found() {
    let bench = unpublished();
    let parts = bench.parts("out", "scores");
    let overlapping = parts[0].with_file_name("rows-000000000008-000000000016.vnp");
    std::fs::copy(&parts[0], overlapping).unwrap();
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
    ended.expect(3, &["overlaps the part with rows 0..16"]);
}

#[test]
fn a_part_of_other_rows_in_the_right_place_is_found() {
    let bench = unpublished();
    // The same range and identity, but the ids of other rows: what a buggy tool would leave.
    let path = &bench.parts("out", "scores")[1];
    let limits = vnp_ckpt::Limits::default();
    let part = vnp_ckpt::load_with_compatibility(path, &limits).unwrap();
    let mut ids = part.ids().to_vec();
    ids.reverse();
    let mut builder = vnp_ckpt::Checkpoint::builder(part.kind()).rows(part.rows()).ids(ids);
    for (name, tensor) in part.tensors() {
        builder = builder.tensor(name, tensor.clone());
    }
    for (key, value) in part.metadata() {
        builder = builder.metadata(key, value.clone());
    }
    vnp_ckpt::atomic_save(path, &builder.build().unwrap()).unwrap();
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
    ended.expect(3, &["row 16 is ", "expected "]);
    assert!(!bench.path("out/prediction_results.txt").exists());
}

#[test]
fn results_that_were_changed_are_written_anew() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(8).fasta(3, 600));
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(0, &[]);
    let expected = bench.results("out");
    std::fs::write(bench.path("out/sequences.tsv"), "edited").unwrap();
    let again = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
    again.expect(0, &["sequences.tsv was changed"]);
    assert_eq!(bench.results("out"), expected);
    assert_eq!(rows_computed(&bench, "scores"), 0);
}
