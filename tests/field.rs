//! What users of this field trip over: situations from public bug reports of neighbouring tools, each with
//! the line that is expected of it, in one table.
//!
//! `cargo xtask field` prints the table. Where `../shared/field` and Python exist, the inputs are also made
//! by its script.

mod case;
mod embeddings;
mod inputs;
mod places;
mod recipes;
mod weights;

use std::panic::catch_unwind;
use std::process::Command;

use self::case::Case;
use crate::support::{Bench, copy_directory, shared};

fn cases() -> impl Iterator<Item = &'static Case> {
    [inputs::CASES, places::CASES, embeddings::CASES, weights::CASES].into_iter().flatten()
}

/// The table of cases, each run on fresh copies of the recipes, and how many fail.
fn table(prepare: &(dyn Fn(&Bench) + std::panic::RefUnwindSafe)) -> (String, usize) {
    let (mut table, mut failed) = (String::new(), 0);
    for Case { input, command, expected, check } in cases() {
        let outcome = catch_unwind(|| {
            let bench = Bench::new();
            prepare(&bench);
            check(&bench);
        });
        failed += usize::from(outcome.is_err());
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        table += &format!("{verdict}\t{input}\t{command}\t{expected}\n");
    }
    (table, failed)
}

#[test]
fn every_situation_gives_the_line_that_is_expected_of_it() {
    let (table, failed) = table(&recipes::write);
    println!("{table}");
    assert_eq!(failed, 0, "{table}");
}

#[test]
fn the_shared_recipes_give_the_same_lines() {
    let Some(script) = shared("field/make.py") else { return };
    let listed = std::fs::read_to_string(script.with_file_name("cases.tsv")).unwrap();
    for line in listed.lines().skip(1) {
        let has_case =
            cases().any(|case| line.starts_with(&format!("{}\t{}\t", case.input, case.command)));
        assert!(has_case, "no case for {line}");
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path().join("field");
    let Ok(output) = Command::new("python3").arg(&script).arg(&dir).output() else {
        println!("skipped: there is no python3 to make the recipes with");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (table, failed) = table(&|bench| copy_directory(&dir, &bench.path("field")));
    assert_eq!(failed, 0, "{table}");
}
