//! Tables are a function of the parts and of what is asked for: another choice computes nothing, and gives
//! what a fresh run gives.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

use crate::support::{Bench, Nucleotides, copy_directory, example, root};

/// Every choice that `predict` has about its tables.
const CHOICES: [&[&str]; 14] = [
    &[],
    &["--compat", "broad"],
    &["--chunks", "scored"],
    &["--chunks", "none"],
    &["--calls", "broad"],
    &["--calls", "broad", "--min-chunks", "1"],
    &["--calls", "broad", "--min-chunks", "1", "--min-viral-prop", "1"],
    &["--calls", "broad", "--min-chunks", "1", "--min-nonviral-prop", "1"],
    &["--calls", "broad", "--group-pattern", "^([a-z]+)"],
    &["--gzip"],
    &["--gzip", "-k", "--calls", "broad", "--compat", "broad"],
    &["--keep-intermediate"],
    &["--duplicate-ids", "number"],
    &["--compat", "original", "--chunks", "all"],
];

/// Records with ORFs, two of one id; without; of unknown letters; too short; empty; and a protein.
fn input(bench: &Bench) {
    let mut random = Nucleotides::new(7);
    let mut fasta = String::new();
    for id in ["virus_1", "virus_2", "cell_1", "virus_1"] {
        fasta.push_str(&format!(">{id}\n{}\n", random.sequence(1400)));
    }
    let open = "GCCGA".repeat(100);
    let closed = &"TTAATTAATTAA".repeat(42)[..500];
    fasta.push_str(&format!(">mixed\n{open}{closed}{open}\n>closed\n{closed}\n"));
    fasta.push_str(&format!(
        ">unknown\n{}\n>short\nAC\n>empty\n>protein\nMKVLEF\n",
        "N".repeat(600)
    ));
    bench.write("in.fa", fasta);
}

fn predict<'w>(out: &'w str, more: &[&'w str]) -> Vec<&'w str> {
    [&["predict", "in.fa", "-o", out], more].concat()
}

/// The files of a run by name, but for its records, which have times.
fn published(bench: &Bench, out: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(bench.path(out)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_file() && !["run.json", "summary.json"].contains(&&*name) {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// A table's rows by column.
fn rows(table: &[u8]) -> Vec<BTreeMap<String, String>> {
    let text = std::str::from_utf8(table).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let columns: Vec<String> = lines.next().unwrap().collect();
    lines.map(|cells| columns.iter().cloned().zip(cells).collect()).collect()
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

#[test]
fn another_choice_computes_nothing_and_gives_what_a_fresh_run_gives() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("out", &[])).expect(2, &[]);
    let mut seen = Vec::new();
    for (number, choice) in CHOICES.iter().enumerate() {
        let fresh = format!("fresh{number}");
        bench.vnp(&predict(&fresh, choice)).expect(2, &[]);
        let expected = published(&bench, &fresh);
        let words = [&["--resume"], *choice].concat();
        bench.vnp(&predict("out", &words)).expect(2, &[]);
        let found = published(&bench, "out");
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(found == expected, "{choice:?}");
        let record = bench.json("out/run.json");
        if number > 0 {
            assert_eq!(record["session"]["rows_computed"]["scores"], 0, "{choice:?}");
        }
        assert_eq!(record["publishing"], bench.json(&format!("{fresh}/run.json"))["publishing"]);
        let summary = |out: &str| {
            let mut summary = bench.json(&format!("{out}/summary.json"));
            for field in ["started", "finished"] {
                assert!(summary[field].take().is_string());
            }
            summary
        };
        assert_eq!(summary("out"), summary(&fresh));
        let nothing = bench.vnp(&predict("out", &words));
        nothing.expect(2, &["nothing was done"]);
        seen.push(expected);
    }
    // Each choice but the last says something else than the default, and the last says it in words.
    let default = seen.remove(0);
    assert!(seen.pop().unwrap() == default);
    assert!(seen.iter().all(|tables| *tables != default));
    // A compressed table is the table.
    let zipped = &seen[8];
    assert_eq!(zipped.len(), default.len());
    for (name, bytes) in zipped {
        let name = name.strip_suffix(".gz").unwrap();
        assert_eq!(unpacked(bytes), default[name], "{name}");
    }
}

#[test]
fn a_table_that_is_not_wanted_is_removed_by_name_and_nothing_else_is() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("out", &["-k", "--calls", "broad"])).expect(2, &[]);
    bench.write("out/notes.txt", "mine");
    bench.write("out/chunks.tsv.gz", "mine too");
    // A record that names what is not a table of ours.
    let mut record = bench.json("out/run.json");
    record["results"]["notes.txt"] = record["results"]["chunks.tsv"].clone();
    bench.write("out/run.json", record.to_string());
    let ended = bench.vnp(&predict("out", &["--resume", "--chunks", "none"]));
    ended
        .expect(2, &["chunks.tsv is removed", "contig_calls.tsv is removed", "identified_protein"]);
    let left = published(&bench, "out");
    let expected = [
        "chunks.tsv.gz",
        "notes.txt",
        "prediction_results.txt",
        "prediction_results_highestscore.csv",
        "sequences.tsv",
    ];
    assert_eq!(left.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    assert_eq!(left["chunks.tsv.gz"], b"mine too");
}

/// A session that was killed after it gave tables their names and before it recorded them: with an
/// earlier record, and as the first one.
#[test]
fn tables_of_a_session_that_was_killed_while_it_named_them_do_not_stay() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("plain", &[])).expect(2, &[]);
    bench.vnp(&predict("zipped", &["--gzip", "--calls", "broad"])).expect(2, &[]);
    let expected = published(&bench, "plain");
    let named = published(&bench, "zipped");
    let announcement = "checkpoints/publishing.txt";
    assert!(!bench.path("plain").join(announcement).exists());
    for has_record in [true, false] {
        let out = format!("killed_{has_record}");
        copy_directory(&bench.path("plain"), &bench.path(&out));
        if !has_record {
            for name in expected.keys().map(String::as_str).chain(["run.json", "summary.json"]) {
                std::fs::remove_file(bench.path(&out).join(name)).unwrap();
            }
        }
        let mut names = String::new();
        for (name, bytes) in &named {
            bench.write(&format!("{out}/{name}"), bytes);
            names += &format!("{name}\n");
        }
        bench.write(&format!("{out}/{announcement}"), names);
        bench.write(&format!("{out}/identified_protein.faa.gz"), "mine");
        let resumed = bench.vnp(&predict(&out, &["--resume"]));
        resumed.expect(2, &["contig_calls.tsv.gz is removed"]);
        let mut left = published(&bench, &out);
        assert_eq!(left.remove("identified_protein.faa.gz").unwrap(), b"mine");
        assert!(left == expected, "{:?}", left.keys());
        let computed = &bench.json(&format!("{out}/run.json"))["session"]["rows_computed"];
        assert_eq!(computed["scores"], 0);
        assert!(!bench.path(&out).join(announcement).exists());
        bench.vnp(&predict(&out, &["--resume"])).expect(2, &["nothing was done"]);
    }
}

#[test]
fn a_lost_summary_is_written_again() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("out", &[])).expect(2, &[]);
    std::fs::remove_file(bench.path("out/summary.json")).unwrap();
    bench.vnp(&predict("out", &["--resume"])).expect(2, &[]);
    assert_eq!(bench.json("out/summary.json")["records"]["total"], 10);
    assert_eq!(bench.json("out/run.json")["session"]["rows_computed"]["scores"], 0);
}

/// Every record, base and chunk of the input is in one row and in one count.
#[test]
fn nothing_of_the_input_is_missing_from_the_count() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("out", &["--duplicate-ids", "number"])).expect(2, &[]);
    let tables = published(&bench, "out");
    let summary = bench.json("out/summary.json");
    let sum = |counts: &Value| -> u64 {
        let counts = counts.as_object().unwrap();
        let parts = counts.iter().filter(|(name, _)| *name != "total");
        assert_eq!(parts.clone().map(|(_, n)| n.as_u64().unwrap()).sum::<u64>(), counts["total"]);
        counts["total"].as_u64().unwrap()
    };
    let sequences = rows(&tables["sequences.tsv"]);
    assert_eq!(sum(&summary["records"]), sequences.len() as u64);
    let bases: u64 = sequences.iter().map(|row| row["length_bp"].parse::<u64>().unwrap()).sum();
    assert_eq!(sum(&summary["bases"]), bases);
    for (outcome, status) in [("no_open_frame", 2), ("too_short", 1), ("empty", 1), ("failed", 1)] {
        assert_eq!(summary["records"][outcome], status, "{outcome}");
        let found = sequences.iter().filter(|row| row["status"] == outcome).count();
        assert_eq!(found, status);
    }
    let chunks = rows(&tables["chunks.tsv"]);
    assert_eq!(sum(&summary["chunks"]), chunks.len() as u64);
    let expected: u64 = sequences.iter().map(|row| row["chunks"].parse::<u64>().unwrap()).sum();
    assert_eq!(chunks.len() as u64, expected);
    for state in ["viral", "other", "no_evidence", "failed"] {
        let found = chunks.iter().filter(|row| row["state"] == state).count();
        assert_eq!(summary["chunks"][state], found, "{state}");
    }
    // The chunks of a record are numbered, and cover it.
    for record in &sequences {
        let of_record =
            |row: &&BTreeMap<String, String>| row["sequence_id"] == record["sequence_id"];
        let (mut end, mut number) = (0, 0);
        let wanted = record["length_bp"].parse::<u64>().unwrap();
        for row in chunks.iter().filter(of_record) {
            let [start, last] = ["start", "end"].map(|name| row[name].parse::<u64>().unwrap());
            number += 1;
            assert!(start <= end + 1 && last > end, "{row:?}");
            assert_eq!(row["chunk_id"], format!("{}_chunk_{number}", record["sequence_id"]));
            end = last;
        }
        assert!(record["chunks"] == "0" || end == wanted, "{record:?} ends at {end}");
    }
    let mixed: Vec<_> = chunks.iter().filter(|row| row["sequence_id"] == "mixed").collect();
    let state = |row: &BTreeMap<String, String>| (row["frames"] == "0", row["evidence"].clone());
    assert_eq!(state(mixed[1]), (true, String::new()));
    assert_eq!(mixed[1]["state"], "no_evidence");
    assert_eq!(state(mixed[0]), (false, "frames".to_owned()));
    // The largest scores are those of the frames' table, wherever they are.
    let frames = rows(&tables["prediction_results.txt"]);
    for row in chunks.iter().filter(|row| row["evidence"] == "frames") {
        for (column, of_frame) in [("s0_max", "score1"), ("s1_max", "score2")] {
            let id = &row["chunk_id"];
            let of_chunk = frames.iter().filter(|frame| {
                frame["Sequence_ID"].len() == id.len() + 2 && frame["Sequence_ID"].starts_with(id)
            });
            let scores = of_chunk.map(|frame| frame[of_frame].parse::<f32>().unwrap());
            let largest = scores.fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(row[column].parse::<f32>().unwrap(), largest, "{id} {column}");
        }
        let viral = row["s1_max"].parse::<f32>().unwrap() >= row["s0_max"].parse::<f32>().unwrap();
        assert_eq!(row["is_viral"], if viral { "True" } else { "False" });
        assert_eq!(row["state"], if viral { "viral" } else { "other" });
    }
}

#[test]
fn the_broad_consensus_has_the_chunks_of_the_original_with_their_scores_in_input_order() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("original", &[])).expect(2, &[]);
    bench.vnp(&predict("broad", &["--compat", "broad"])).expect(2, &[]);
    let name = "prediction_results_highestscore.csv";
    let read = |out: &str, name: &str| std::fs::read(bench.path(out).join(name)).unwrap();
    let broad = rows(&read("broad", name));
    let header = "Modified_ID\tIs_Virus\tmax_score_0\tmax_score_1\n";
    assert!(read("broad", name).starts_with(header.as_bytes()));
    let verdicts = |rows: &[BTreeMap<String, String>]| -> Vec<[String; 2]> {
        rows.iter().map(|row| [row["Modified_ID"].clone(), row["Is_Virus"].clone()]).collect()
    };
    let mut sorted = verdicts(&broad);
    sorted.sort_by(|a, b| a[0].cmp(&b[0]));
    assert_eq!(sorted, verdicts(&rows(&read("original", name))));
    let chunks = rows(&read("broad", "chunks.tsv"));
    let scored = chunks.iter().filter(|row| row["evidence"] == "frames");
    assert_eq!(
        scored.clone().map(|row| row["chunk_id"].as_str()).collect::<Vec<_>>(),
        broad.iter().map(|row| row["Modified_ID"].as_str()).collect::<Vec<_>>()
    );
    for (row, chunk) in broad.iter().zip(scored) {
        for (ours, theirs) in [("s0_max", "max_score_0"), ("s1_max", "max_score_1")] {
            let widened = f64::from(chunk[ours].parse::<f32>().unwrap());
            assert_eq!(row[theirs].parse::<f64>().unwrap().to_bits(), widened.to_bits());
        }
    }
    // Without anything scored there is a header and no more.
    bench.write("in.fa", ">short\nAC\n");
    bench.vnp(&predict("none", &["--compat", "broad", "--calls", "broad"])).expect(0, &[]);
    assert_eq!(read("none", name), header.as_bytes());
    assert_eq!(read("none", "contig_calls.tsv").iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn contigs_are_called_by_record_or_by_group() {
    let bench = Bench::new();
    input(&bench);
    bench.vnp(&predict("records", &["--calls", "broad"])).expect(2, &[]);
    let words = ["--calls", "broad", "--group-pattern", "^(virus|mixed)"];
    bench.vnp(&predict("groups", &words)).expect(2, &[]);
    let calls = |out: &str| rows(&std::fs::read(bench.path(out).join("contig_calls.tsv")).unwrap());
    let column = |rows: &[BTreeMap<String, String>], name: &str| -> Vec<String> {
        rows.iter().map(|row| row[name].clone()).collect()
    };
    let records = calls("records");
    // Each record with a score has a row, also the second of one id, and no other has.
    assert_eq!(column(&records, "ID"), ["virus_1", "virus_2", "cell_1", "virus_1", "mixed"]);
    let scored = &rows(&std::fs::read(bench.path("records/sequences.tsv")).unwrap())[..5];
    assert_eq!(column(&records, "n_chunks"), column(scored, "chunks_scored"));
    let groups = calls("groups");
    assert_eq!(column(&groups, "ID"), ["virus_1", "mixed"]);
    let of = |indices: &[usize]| -> u64 {
        indices.iter().map(|&i| records[i]["n_chunks"].parse::<u64>().unwrap()).sum()
    };
    assert_eq!(column(&groups, "n_chunks"), [of(&[0, 1, 3]), of(&[4])].map(|n| n.to_string()));
    let contigs = &bench.json("groups/summary.json")["contigs"];
    assert_eq!((&contigs["total"], &contigs["unmatched_chunks"]), (&2.into(), &of(&[2]).into()));
    assert_eq!(bench.json("groups/run.json")["results"]["contig_calls.tsv"]["rows"], 2);
}

#[test]
fn wrong_choices_are_refused_before_anything_is_done() {
    let bench = Bench::new();
    input(&bench);
    for (words, message) in [
        (&["--min-viral-prop", "0.2"][..], "--calls"),
        (&["--group-pattern", "(a)"], "--calls"),
        (&["--calls", "broad", "--min-viral-prop", "1.5"], "not a number from 0 to 1"),
        (&["--calls", "broad", "--min-nonviral-prop", "nan"], "not a number from 0 to 1"),
        (&["--calls", "broad", "--group-pattern", "a"], "has no group"),
        (&["--calls", "broad", "--group-pattern", "(a"], "not a regular expression"),
        (&["--calls", "wide"], "broad"),
        (&["--compat", "wide"], "original"),
        (&["--chunks", "some"], "scored"),
    ] {
        bench.vnp(&predict("out", words)).expect(1, &[message]);
        assert!(!bench.path("out").exists(), "{words:?}");
    }
}

/// A program that knows the columns of the Broad Institute's version, and nothing of ours.
const SECOND_STEP: &str = r#"
import csv, sys
sys.path.insert(0, sys.argv[1])
import calls
with open(sys.argv[2], newline="") as table:
    rows = csv.DictReader(table, delimiter="\t")
    missing = {"Modified_ID", "Is_Virus", "max_score_0", "max_score_1"} - set(rows.fieldnames)
    assert not missing, f"missing columns {missing}"
    records = {}
    for row in rows:
        record, number = row["Modified_ID"].rsplit("_chunk_", 1)
        scores = float(row["max_score_0"]), float(row["max_score_1"])
        assert row["Is_Virus"] == str(scores[1] >= scores[0]), row
        assert all(repr(score) == row[f"max_score_{i}"] for i, score in enumerate(scores)), row
        records.setdefault(record, []).append((int(number), *scores))
print("\t".join(calls.CONTIG_COLUMNS))
for row in calls.call_contigs(list(records.items()), None, (0.1, 0.1, 5)):
    print("\t".join(row))
"#;

#[test]
fn a_second_step_that_knows_only_the_broad_consensus_comes_to_our_calls() {
    let bench = Bench::new();
    let words = ["predict", &example(), "-o", "out", "--compat", "broad", "--calls", "broad"];
    bench.vnp(&words).expect(0, &[]);
    let consensus = bench.path("out/prediction_results_highestscore.csv");
    let reference = root().join("crates/vnp-calls/tests/reference");
    let mut python = std::process::Command::new("python3");
    python.args(["-B", "-c", SECOND_STEP]).arg(reference).arg(consensus);
    let output = match python.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no python3");
            return;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ours = std::fs::read_to_string(bench.path("out/contig_calls.tsv")).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), ours);
    assert!(ours.lines().count() > 4, "{ours}");
}
