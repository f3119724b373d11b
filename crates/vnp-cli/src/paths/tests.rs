//! Which inputs and outputs are refused, by any name.

use super::*;

/// A directory with `a.fa`, links to it, a directory and a link to that, and a link to nothing.
fn bench() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("a.fa"), ">a\nACGT\n").unwrap();
    std::fs::hard_link(at("a.fa"), at("hard.fa")).unwrap();
    std::fs::create_dir(at("d")).unwrap();
    std::fs::write(at("d/old.pt"), "").unwrap();
    #[cfg(unix)]
    for (target, link) in [("a.fa", "soft.fa"), ("d", "e"), ("d/new.fa", "to-new.fa")] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    dir
}

#[track_caller]
fn check(input: &str, outputs: &[&str], refused: Option<&str>) {
    let dir = bench();
    let files = Files::default().input("input", &dir.path().join(input));
    let files = outputs.iter().fold(files, |files, name| {
        let path = if name.starts_with('/') { name.into() } else { dir.path().join(name) };
        files.output("output", &path)
    });
    match (files.check(), refused) {
        (Ok(()), None) => {}
        (Err(error), Some(text)) if error.to_string().contains(text) => {}
        (found, _) => panic!("{input} {outputs:?}: {found:?}"),
    }
}

#[cfg(unix)]
#[test]
fn an_output_that_is_an_input_is_refused_by_any_name() {
    let same = Some("are the same file: name another file as the output");
    check("a.fa", &["a.fa"], same);
    check("a.fa", &["soft.fa"], same);
    check("soft.fa", &["hard.fa"], same);
    check("a.fa", &["d/../a.fa"], same);
    check("a.fa", &["b.fa", "d/b.fa"], None);
    check("none.fa", &["none.fa"], same);
    check("d", &["d/old.pt"], Some("is a file of input"));
    check("d", &["e/old.pt"], Some("is a file of input"));
    check("d", &["d/new.pt"], None);
}

#[cfg(unix)]
#[test]
fn two_outputs_that_are_one_file_are_refused_also_before_it_exists() {
    let same = Some("are the same file: give each output a file of its own");
    check("a.fa", &["b.fa", "b.fa"], same);
    check("a.fa", &["d/new.fa", "e/new.fa"], same);
    check("a.fa", &["d/new.fa", "to-new.fa"], same);
    check("a.fa", &["none/b.fa", "none/b.fa"], same);
    check("a.fa", &["/dev/null", "/dev/null"], None);
}

static KIND: JobKind = JobKind {
    name: "job",
    results: &["a.tsv"],
    result_directories: &[vnp_job::PublishedDirectory {
        name: "whole",
        is_ours: |_| true,
        owns: |_| true,
    }],
    stages: &[],
    state: &["state.vnp"],
    temporaries: &[],
    stranger: |_, _| None,
};

#[track_caller]
fn check_job(input: &str, log: &str, refused: Option<&str>) {
    let dir = bench();
    let at = |name: &str| dir.path().join(name);
    let files = Files::default().input("input", &at(input)).job(&at("out"), &KIND);
    let found = files.log("--log-file", &at(log)).check();
    match (&found, refused) {
        (Ok(()), None) => {}
        (Err(error), Some(text)) if error.to_string().contains(text) => {}
        _ => panic!("{input} {log}: {found:?}"),
    }
}

#[test]
fn what_a_job_replaces_is_neither_an_input_nor_the_log() {
    check_job("a.fa", "out/run.log", None);
    check_job("out/in.fa", "out/checkpoints/run.log", None);
    check_job("out/a.tsv", "run.log", Some("are the same file"));
    check_job("out/whole/virus.fa", "run.log", Some("replaced as a whole"));
    check_job("out", "run.log", Some("are the same file"));
    check_job("a.fa", "out/a.tsv", Some("are the same file"));
    check_job("a.fa", "out/checkpoints/state.vnp", Some("are the same file"));
    check_job("a.fa", "out/checkpoints/lock", Some("are the same file"));
    check_job("a.fa", "out/whole/run.log", Some("replaced as a whole"));
    check_job("a.fa", "out", Some("are the same file"));
    check_job("a.fa", "a.fa", Some("are the same file"));
}

#[test]
fn a_log_may_lie_in_the_directory_of_a_job() {
    let dir = bench();
    let files = Files::default().job(&dir.path().join("out"), &KIND);
    assert!(files.is_in_job(&dir.path().join("out/logs/run.log")));
    assert!(!files.is_in_job(&dir.path().join("run.log")));
    #[cfg(unix)]
    {
        let link = dir.path().join("out/link");
        std::fs::create_dir_all(dir.path().join("out")).unwrap();
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        assert!(files.leads_out_of_job(&link.join("run.log")));
        assert!(files.leads_out_of_job(&link));
        assert!(!files.leads_out_of_job(&dir.path().join("out/run.log")));
        assert!(!files.leads_out_of_job(&dir.path().join("run.log")));
    }
}
