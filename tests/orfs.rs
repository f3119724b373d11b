//! `vnp orfs` against files that the original tools wrote.

use std::path::Path;

use crate::support::{Bench, shared};

#[track_caller]
fn check(input: &str, length_bp: &str, nucleotide: &str, protein: &str) {
    let (Some(input), Some(nucleotide), Some(protein)) =
        (shared(input), shared(nucleotide), shared(protein))
    else {
        return;
    };
    let bench = Bench::new();
    let input = input.to_str().unwrap();
    let words = ["orfs", input, "-e", length_bp, "--nucleotide", "n.fa", "--protein", "p.faa"];
    bench.vnp(&words).expect(0, &[]);
    let same = |ours: &str, theirs: &Path| {
        std::fs::read(bench.path(ours)).unwrap() == std::fs::read(theirs).unwrap()
    };
    assert!(same("n.fa", &nucleotide), "nucleotides differ");
    assert!(same("p.faa", &protein), "proteins differ");
}

#[test]
fn awkward_records_equal_the_originals_frames() {
    for length in ["300", "500"] {
        let expected = format!("golden/orfs/awkward_{length}");
        let (nucleotide, protein) =
            (format!("{expected}_nucleotide.fa"), format!("{expected}_protein.faa"));
        check("golden/orfs/awkward.fa", length, &nucleotide, &protein);
    }
}

#[test]
fn a_real_run_of_the_original_is_reproduced() {
    let run = "golden/virnucpro-0.x/test_with_orfs/test_with_orfs";
    let (nucleotide, protein) =
        (format!("{run}_identified_nucleotide.fa"), format!("{run}_identified_protein.faa"));
    check(&format!("{run}.fa"), "500", &nucleotide, &protein);
}
