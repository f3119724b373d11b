//! Broken and odd files: each error names the file, the line and a remedy, and nothing is written.

use vnp_calls::{AlignmentFormat, ReadsOptions};

use crate::support::{Bench, HEADER};

const PAF: AlignmentFormat = AlignmentFormat::Paf;
/// A row without tags, of a read `a` on the contig `v`.
const ROW: &str = "a\t100\t0\t90\t+\tv\t1000\t0\t90\t88\t90\t60\n";

/// Calls the reads of a text, and returns the first columns of the rows.
#[track_caller]
fn check(paf: &[u8], expected: &[&str]) {
    let bench = Bench::new();
    let path = bench.write("in.paf", paf);
    bench.call(&path, PAF, &ReadsOptions::default()).unwrap();
    assert_eq!(bench.rows(10), expected);
}

/// Calls the reads of a text, which must fail with all of these words.
#[track_caller]
fn check_error(calls: Option<&[u8]>, paf: &[u8], words: &[&str]) {
    let bench = Bench::new();
    if let Some(calls) = calls {
        bench.write("calls.tsv", calls);
    }
    let path = bench.write("in.paf", paf);
    bench.write("reads.tsv", "earlier");
    let error = bench.call(&path, PAF, &ReadsOptions::default()).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
    assert!(!error.contains(['\n', '\u{1b}']), "{error:?}");
    assert_eq!(std::fs::read(bench.path("reads.tsv")).unwrap(), b"earlier");
    assert_eq!(bench.names(), ["calls.tsv", "in.paf", "reads.tsv"]);
}

#[test]
fn identity_and_coverage_are_computed_or_taken() {
    check(ROW.as_bytes(), &["a 100 v 1000 + 60 97.77777777777777 90.0 True Viral"]);
    // Without a line end, with carriage returns, and with empty lines.
    check(ROW.trim_end().as_bytes(), &["a 100 v 1000 + 60 97.77777777777777 90.0 True Viral"]);
    let row = format!("\n\n{}\r\n\n", ROW.trim_end());
    check(row.as_bytes(), &["a 100 v 1000 + 60 97.77777777777777 90.0 True Viral"]);
    // The last two columns of twelve are not meant.
    check(
        ROW.replace("\t60", "\t5").as_bytes(),
        &["a 100 v 1000 + 5 97.77777777777777 90.0 True Viral"],
    );
    let with = |columns: &str| format!("{}\t{columns}\n", ROW.trim_end());
    check(with("90\t80.0").as_bytes(), &["a 100 v 1000 + 60 90 80.0 True Viral"]);
    check(with("tp:A:P\t89.999\t80").as_bytes(), &["a 100 v 1000 + 60 89.999 80 False Viral"]);
    check(with("0.9\t8e-1").as_bytes(), &["a 100 v 1000 + 60 0.9 8e-1 True Viral"]);
    // One row above 1, also one that is left out, makes all of them percent.
    let two = with("0.9\t0.8") + &with("tp:A:S\t1.5\t0.1");
    check(two.as_bytes(), &["a 100 v 1000 + 60 0.9 0.8 False Viral"]);
    // Not a number in the first row: a tag, infinity.
    check(
        with("de:f:0.1\tinf").as_bytes(),
        &["a 100 v 1000 + 60 97.77777777777777 90.0 True Viral"],
    );
    // Rows that are too short for the columns are left out.
    let short = with("99\t99") + ROW + "x\ty\n";
    check(short.as_bytes(), &["a 100 v 1000 + 60 99 99 True Viral"]);
    // minimap2 --paf-no-hit
    let unmapped = "u\t100\t0\t0\t*\t*\t0\t0\t0\t0\t0\t0\n";
    check(unmapped.as_bytes(), &["u 100 * 0 * 0 0.0 0.0 False Unclassified"]);
    check(b"", &[]);
}

#[test]
fn the_best_alignment_decides_and_calls_that_differ_are_reported() {
    let on = |read: &str, contig: &str, mapq: &str, tags: &str| {
        let row = ROW.trim_end().replacen('a', read, 1).replace("\tv\t", &format!("\t{contig}\t"));
        format!("{}\t{mapq}{tags}\n", row.rsplit_once('\t').unwrap().0)
    };
    let bench = Bench::new();
    let paf = [
        on("r", "x", "3", ""),
        on("a", "v", "10", ""),
        on("a", "w", "20", ""),
        on("a", "n", "60", "\ttp:A:S"),
        on("b", "v", "60", ""),
        on("b", "n", "0", "\ttp:A:P"),
        on("r", "x", "5", ""),
        on("p/1", "v", "9", ""),
        on("q", "n", "9", ""),
        on("p/2", "v", "9", ""),
        on("p/1", "w", "3", ""),
    ]
    .concat();
    let path = bench.write("in.paf", paf);
    let mut options = ReadsOptions::default();
    let summary = bench.call(&path, PAF, &options).unwrap();
    let short = |bench: &Bench| -> Vec<String> {
        let rows = bench.rows(99);
        let pick = |row: &String| {
            let fields: Vec<&str> = row.split(' ').collect();
            [
                fields[0],
                fields[2],
                fields[5],
                fields[9],
                fields[10],
                fields[11],
                fields.last().unwrap(),
            ]
            .join(" ")
        };
        rows.iter().map(pick).collect()
    };
    assert_eq!(
        short(&bench),
        [
            "r x 5 Unclassified  0.0 0.0",
            "a w 20 Viral review 0.40 0.0",
            "b v 60 Multi-mapped review 0.9 0.0",
            "p/1 v 9 Viral high_confidence 0.9 0.0",
            "q n 9 Non-viral low_confidence -0.9 1.0",
            "p/2 v 9 Viral high_confidence 0.9 0.0",
        ]
    );
    assert!(!summary.is_grouped);
    assert_eq!((summary.alignments, summary.secondary, summary.reads), (10, 1, 6));
    options.collapse_mates = true;
    bench.call(&path, PAF, &options).unwrap();
    assert_eq!(
        short(&bench)[3..],
        [
            "p v 9 Viral high_confidence 0.9 Concordant",
            "q n 9 Non-viral low_confidence -0.9 Singleton"
        ]
    );
}

#[test]
fn errors_name_file_line_and_remedy() {
    let row = |column: usize, value: &str| {
        let mut fields: Vec<&str> = ROW.trim_end().split('\t').collect();
        fields[column] = value;
        format!("{ROW}{}\n", fields.join("\t"))
    };
    let error = |paf: &str, words: &[&str]| check_error(None, paf.as_bytes(), words);
    error("a\tb\n", &["in.paf: line 1:", "2 columns", "minimap2"]);
    error(&format!("{ROW}\n{ROW}a\t1\n"), &["in.paf: line 4:", "2 columns"]);
    error(&row(1, "x\u{1b}[31m"), &["line 2", "query length", "x\\u{1b}[31m"]);
    error(&row(9, "-1"), &["line 2", "column 10", "\"-1\""]);
    error(&row(11, ""), &["line 2", "mapping quality"]);
    error(&row(1, "0"), &["line 2", "query length is 0"]);
    error(&row(2, "95"), &["line 2", "before its start"]);
    let with = |columns: &str| format!("{}\t{columns}\n", ROW.trim_end());
    error(&(with("99\t99") + &with("99\tNaN")), &["line 2", "not numbers"]);
    error(&(with("99\t99") + &with("tp:A:S\tcg:Z:1M")), &["line 2", "not numbers"]);
    error("@HD\tVN:1.6\n", &["SAM", "samtools view -b"]);
    error("BAM\u{1}", &["--bam"]);
}

#[test]
fn errors_of_the_table_of_calls() {
    let table = |text: String, words: &[&str]| {
        check_error(Some(text.as_bytes()), ROW.as_bytes(), words);
    };
    table(String::new(), &["calls.tsv", "empty", "contig_calls.tsv"]);
    table(
        "sequence_id\tlength_bp\n".into(),
        &["no column ID, call", "sequence_id", "--calls broad"],
    );
    let row = "v\tViral\treview\t0.4\t1\t0\t0\t0\t0.0\t0.0\n";
    table(format!("{HEADER}{row}x\tViral\n"), &["calls.tsv: line 3", "2 columns"]);
    table(format!("{HEADER}{row}{row}"), &["calls.tsv: line 3", "\"v\"", "earlier line"]);
}

#[test]
fn columns_of_the_table_of_calls_are_found_by_name() {
    let bench = Bench::new();
    let columns: Vec<&str> = HEADER.trim_end().split('\t').rev().chain(["more"]).collect();
    let values = ["np", "vp", "5", "4", "3", "2", "1", "T", "Odd", "v", "m"];
    bench.write("calls.tsv", format!("{}\r\n{}\r\n", columns.join("\t"), values.join("\t")));
    let path = bench.write("in.paf", ROW);
    bench.call(&path, PAF, &ReadsOptions::default()).unwrap();
    let row = bench.rows(99).pop().unwrap();
    assert!(row.ends_with("True Odd T 1 2 3 4 5 vp np"), "{row}");
}

#[test]
fn names_are_bytes() {
    let bench = Bench::new();
    let path = bench.write("in.paf", [b"\xff\xfe", &ROW.as_bytes()[1..]].concat());
    bench.call(&path, PAF, &ReadsOptions::default()).unwrap();
    let text = std::fs::read(bench.path("reads.tsv")).unwrap();
    assert!(text.windows(4).any(|window| window == b"\n\xff\xfe\t"));
}

#[test]
fn a_truncated_stream_is_an_error() {
    let bench = Bench::new();
    let compressed = zstd::encode_all(ROW.repeat(1000).as_bytes(), 1).unwrap();
    let path = bench.write("in.paf.zst", &compressed[..compressed.len() - 3]);
    let error = bench.call(&path, PAF, &ReadsOptions::default()).unwrap_err().to_string();
    assert!(error.contains("in.paf.zst"), "{error}");
    assert_eq!(bench.names(), ["calls.tsv", "in.paf.zst"]);
}
