//! FASTQ records: on four lines, wrapped, and broken.

use vnp_seq::{Error, FastqFault};

use crate::support::{check, read_all};

fn check_fastq(text: &str, record: u64, line: u64, id: Option<&str>, fault: FastqFault) {
    let found = read_all(text.as_bytes());
    let Err(Error::Fastq { record: r, line: l, id: i, fault: f, .. }) = found else {
        panic!("{text:?} gave {found:?}")
    };
    assert_eq!((r, l, i.as_deref(), f), (record, line, id, fault), "{text:?}");
}

/// A short quality would be completed by the records that follow, if their lengths coincide.
#[test]
fn a_short_quality_does_not_swallow_the_next_record() {
    for text in [
        "@r1\nACGTACGTACGTACGT\n+\nII\n@r2\nACGAT\n+\nIIIII\n",
        "@r1\nACGTACGTACGTACGT\n+\nII\n@r2\nACGRT\n+\nIIIII\n",
        "@r1\nACGTACGTACGTA\nCGT\n+\nII\n@r2\nACGAT\n+\nIIIII\n",
        "@r1\nACGTACGTACGTACG\n+\nII\n@r2\nACGAT\n+\nIIII\n@r3\nACG\n+\nIII\n",
    ] {
        check_fastq(text, 1, 1, Some("r1"), FastqFault::QualityLength);
    }
}

#[test]
fn a_broken_fastq_record_is_an_error_with_its_place() {
    use FastqFault::{End, QualityLength, Separator, Start};
    check_fastq("@a\nAC\n+\nI\n", 1, 1, Some("a"), QualityLength);
    check_fastq("@a\nAC\n+\nIII", 1, 1, Some("a"), QualityLength);
    check_fastq("@a\nA\n+\nI\n@b x\nAC\n+\nI\n", 2, 5, Some("b"), QualityLength);
    check_fastq("@a\nA\n+\nI\n@b\nAC\n@c\nGT\n+\nII\n", 2, 7, Some("b"), Separator);
    check_fastq("@a\nAC\nII\n>b\nAC\n", 1, 4, Some("a"), Separator);
    check_fastq("@a\nA\n+\nI\nb\nAC\n+\nII\n", 2, 5, None, Start);
    check_fastq("@", 1, 2, Some(""), End);
    check_fastq("@a\nAC\n", 1, 3, Some("a"), End);
    check_fastq("@a\nA\n+\nI\n@b\nAC\n", 2, 7, Some("b"), End);
    check_fastq("@a\nAC\n+\n", 1, 1, Some("a"), QualityLength);
    check_fastq("@a\n\n+\nI\n", 1, 1, Some("a"), QualityLength);
    check_fastq("\n\n@a\nA\n+\nI\n\n\n@b\nAC\n+\nI\n@c\n", 2, 9, Some("b"), QualityLength);
}

#[test]
fn sequence_and_quality_may_be_wrapped() {
    check("@a\nAC\nGT\n+\nIIII\n", &[("a", "ACGT")]);
    check("@a\nACGT\n+\nII\nII\n@b\nA\n+\nI\n", &[("a", "ACGT"), ("b", "A")]);
    check("@a\r\nAC\r\nG\r\n+\r\n@+\r\n+\r\n@b\r\nA\r\n+\r\n@", &[("a", "ACG"), ("b", "A")]);
    check("@a\nAC\nG\n\n+a\n@@\n@\n\n@b\nA\n+\n@\n", &[("a", "ACG"), ("b", "A")]);
    check("@a\n+\n@b\nA\n+\nI", &[("a", ""), ("b", "A")]);
    // A mark in a sequence is a letter, which the check of letters refuses.
    check("@a\n@AC\n+\nIII\n@b\n>A\n+\nII", &[("a", "@AC"), ("b", ">A")]);
}

/// Records whose quality consists of the marks of FASTQ, wrapped at each pair of widths.
#[test]
fn marks_at_the_start_of_wrapped_lines_belong_to_the_quality() {
    let sequences = ["ACGTACGTACGTA", "A", "", "GGCATTACAGGCA"];
    let quality = "@+@@++@@@+@+@";
    let fold = |text: &str, width| {
        let lines = text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line) + "\n");
        if text.is_empty() { "\n".to_owned() } else { lines.collect() }
    };
    let expected: Vec<_> =
        sequences.iter().map(|sequence| (&quality[..sequence.len()], *sequence)).collect();
    for (width, other) in (1..15).flat_map(|width| (1..15).map(move |other| (width, other))) {
        let record = |sequence: &&str| {
            let quality = &quality[..sequence.len()];
            format!("@{quality}\n{}+\n{}", fold(sequence, width), fold(quality, other))
        };
        check(sequences.iter().map(record).collect::<String>(), &expected);
    }
}

#[test]
fn a_short_quality_is_not_completed_by_the_records_that_follow() {
    use FastqFault::QualityLength;
    // With the next header; with a whole record; with a record's beginning and its quality as a header.
    check_fastq("@a\nACG\n+\nI\n@b\nAC\n+\nII\n", 1, 1, Some("a"), QualityLength);
    let text = "@a\nACGTACGTACGT\n+\nIIII\n@b\nAC\n+\nIII\n@c\nA\n+\nI\n";
    check_fastq(
        &text.replace("III\n@c", "II\n@c").replace("ACGTACGTACGT", "ACGTACGTACG"),
        1,
        1,
        Some("a"),
        QualityLength,
    );
    check_fastq("@a\nACGT\n+\n@b\nACGT\n+\nIIII\n", 1, 1, Some("a"), QualityLength);
    let found = read_all(b"@a\nACGT\n+\nIII\n@b\nAC\n+\nII\n");
    let text = found.unwrap_err().to_string();
    let detail = "the sequence has 4 letters, the quality 3 on its first line and 5 with the lines up to line 5";
    assert!(text.contains(detail), "{text}");
}
