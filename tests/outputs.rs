//! `docs/OUTPUTS.md` and the schema of `summary.json` say what the program writes.

use std::collections::BTreeMap;

use crate::support::{Bench, example, root};

/// A section of the document: the columns or fields that it lists, and its example.
struct Section {
    /// In order; whether each is always there.
    columns: Vec<(String, bool)>,
    example: Vec<String>,
}

/// The sections of the document by the heading.
fn document() -> BTreeMap<String, Section> {
    let text = std::fs::read_to_string(root().join("docs/OUTPUTS.md")).unwrap();
    let mut sections = BTreeMap::new();
    for section in text.split("\n## ").skip(1) {
        let (heading, body) = section.split_once('\n').unwrap();
        let mut columns = Vec::new();
        for line in body.lines().filter(|line| line.starts_with("| `") || line.starts_with("| [`"))
        {
            let cell = line.trim_start_matches("| ").split(" | ").next().unwrap();
            for name in cell.split(", ") {
                let always = !name.starts_with('[');
                columns.push((name.trim_matches(['[', ']', '`']).to_owned(), always));
            }
        }
        let example = match body.split_once("```tsv ") {
            None => Vec::new(),
            Some((_, block)) => {
                let mut lines = block.split("\n```").next().unwrap().lines();
                assert_eq!(lines.next(), Some(heading), "the example's heading");
                lines.map(str::to_owned).collect()
            }
        };
        sections.insert(heading.to_owned(), Section { columns, example });
    }
    sections
}

/// The columns that a table has, in order.
fn header(bench: &Bench, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(bench.path(name)).unwrap();
    text.lines().next().unwrap().split('\t').map(str::to_owned).collect()
}

/// Equal, but for the last digits of numbers with a point: instruction sets differ in them.
fn is_like(found: &str, documented: &str) -> bool {
    let number = |cell: &str| cell.contains('.').then(|| cell.parse::<f64>().ok()).flatten();
    match (number(found), number(documented)) {
        (Some(found), Some(documented)) => (found - documented).abs() < 2e-3,
        _ => found == documented,
    }
}

#[track_caller]
fn check_example(bench: &Bench, name: &str, example: &[String]) {
    let text = std::fs::read_to_string(bench.path(name)).unwrap();
    let found: Vec<&str> = text.lines().take(example.len()).collect();
    let is_like = |(found, documented): (&&str, &String)| {
        let (found, documented) = (found.split('\t'), documented.split('\t'));
        found.clone().count() == documented.clone().count()
            && found.zip(documented).all(|(found, documented)| is_like(found, documented))
    };
    assert!(example.len() > 2, "{name} has no example");
    assert!(found.iter().zip(example).all(is_like), "{name}, example:\n{}", found.join("\n"));
}

const PAF: &str = "\
read_1/1\t150\t0\t150\t+\tNC_001422.1\t5386\t100\t250\t149\t150\t60\ttp:A:P\n\
read_1/2\t150\t2\t150\t-\tNC_001422.1\t5386\t400\t548\t148\t148\t60\ttp:A:P\n\
read_2/1\t150\t0\t90\t+\tnowhere\t900\t0\t90\t80\t90\t3\ttp:A:P\n";

/// The tables of runs that have every column between them, below `plain` and `all`.
fn runs(bench: &Bench) {
    let example = example();
    bench.vnp(&["predict", &example, "-o", "plain", "--calls", "broad"]).expect(0, &[]);
    bench.vnp(&["predict", &example, "-o", "broad", "--compat", "broad"]).expect(0, &[]);
    bench.write("more.fa", ">more\nGCCGCCGCC\n");
    let both = ["predict", &example, "more.fa", "-o", "all", "--score-all"];
    bench.vnp(&both).expect(0, &[]);
    bench.write("reads.paf", PAF);
    let words = ["reads", "plain/contig_calls.tsv", "--paf", "reads.paf", "-o"];
    bench.vnp(&[&words[..], &["plain/reads.tsv"]].concat()).expect(0, &[]);
    bench.vnp(&[&words[..], &["all/reads.tsv", "--collapse-mates"]].concat()).expect(0, &[]);
}

#[test]
fn every_column_is_documented_in_its_order_with_an_example_that_is_real() {
    let bench = Bench::new();
    runs(&bench);
    let document = document();
    for (section, in_plain, in_all) in [
        ("sequences.tsv", Some("plain"), Some("all")),
        ("chunks.tsv", Some("plain"), Some("all")),
        ("prediction_results.txt", Some("plain"), Some("all")),
        ("prediction_results_highestscore.csv", Some("plain"), Some("all")),
        ("prediction_results_highestscore.csv, --compat broad", Some("broad"), None),
        ("contig_calls.tsv", Some("plain"), None),
        ("reads.tsv", Some("plain"), Some("all")),
    ] {
        let Section { columns, example } = &document[section];
        let file = section.split(',').next().unwrap();
        let names = |all: bool| -> Vec<String> {
            let listed = columns.iter().filter(|(_, always)| *always || all);
            listed.map(|(name, _)| name.clone()).collect()
        };
        if let Some(run) = in_plain {
            assert_eq!(header(&bench, &format!("{run}/{file}")), names(false), "{section}");
            check_example(&bench, &format!("{run}/{file}"), example);
        }
        if let Some(run) = in_all {
            assert_eq!(header(&bench, &format!("{run}/{file}")), names(true), "{section}");
        }
    }
}

#[test]
fn every_field_is_documented_and_every_file_has_a_section() {
    let bench = Bench::new();
    runs(&bench);
    let document = document();
    for name in ["run.json", "summary.json"] {
        let columns = &document[name].columns;
        for run in ["plain", "all"] {
            let record = bench.json(&format!("{run}/{name}"));
            for field in record.as_object().unwrap().keys() {
                assert!(columns.iter().any(|(column, _)| column == field), "{name}: {field}");
            }
            for (column, _) in columns.iter().filter(|(_, always)| *always) {
                assert!(record.get(column).is_some(), "{name}: {column} of {run}");
            }
        }
    }
    for run in ["plain", "all", "broad"] {
        for entry in std::fs::read_dir(bench.path(run)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name == "checkpoints" || document.contains_key(&name), "{name}");
        }
    }
}

#[test]
fn summaries_fit_their_schema_and_damaged_ones_do_not() {
    let bench = Bench::new();
    runs(&bench);
    let schema = std::fs::read(root().join("docs/summary.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for run in ["plain", "all", "broad"] {
        let summary = bench.json(&format!("{run}/summary.json"));
        let faults: Vec<String> =
            schema.iter_errors(&summary).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{run}: {faults:?}");
        for field in summary.as_object().unwrap().keys() {
            let mut without = summary.clone();
            without.as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&without), "{field} is not required");
        }
        let mut negative = summary;
        negative["records"]["viral"] = (-1).into();
        assert!(!schema.is_valid(&negative));
    }
}
