//! A directory is entered, cleared and rolled back.

use super::*;

static KIND: JobKind = JobKind {
    name: "run",
    results: &["run.json", "table.tsv"],
    result_directories: &["tables"],
    stages: &["one", "two"],
    state: &["state.vnp"],
    temporaries: &[".half-"],
    stranger: |path, has_lock| {
        let ours = has_lock || path.join("run.json").exists();
        (!ours && path.join("table.tsv").exists()).then_some("a table")
    },
};

fn open(path: &Path, start: Start) -> Result<JobDirectory, Error> {
    JobDirectory::open(path, &KIND, start, vec!["one", "two"])
}

#[test]
fn an_existing_directory_is_entered_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("a/out");
    drop(open(&out, Start::New).unwrap());
    let Err(Error::OutputExists { path, .. }) = open(&out, Start::New) else { panic!("entered") };
    assert_eq!(path, out);
    let held = open(&out, Start::Resume).unwrap();
    for start in [Start::New, Start::Resume, Start::Again] {
        let Err(Error::Locked { path, holder }) = open(&out, start) else {
            panic!("entered twice")
        };
        assert_eq!(path, out);
        assert!(holder.starts_with("process "), "{holder}");
    }
    drop(held);
    open(&out, Start::Again).unwrap();
}

#[test]
fn an_empty_directory_may_be_given() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path(), Start::New).unwrap();
    opened.roll_back();
    // The directory is not ours to remove, and the next try finds it as the first one did.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    // What the system puts into a fresh file system does not count.
    std::fs::create_dir(dir.path().join("lost+found")).unwrap();
    open(dir.path(), Start::New).unwrap().roll_back();
    open(dir.path(), Start::New).unwrap();
}

#[test]
fn a_file_in_the_way_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::fs::write(&out, "mine").unwrap();
    let Err(Error::Io(error)) = open(&out, Start::Again) else { panic!("entered") };
    assert!(error.to_string().contains(&*out.to_string_lossy()), "{error}");
    assert_eq!(std::fs::read(&out).unwrap(), b"mine");
}

#[test]
fn rolling_back_removes_only_what_is_empty_and_ours() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    open(&out, Start::New).unwrap().roll_back();
    assert!(!out.exists());
    open(&out, Start::New).unwrap();
    open(&out, Start::Resume).unwrap().roll_back();
    assert!(out.exists());
}

#[test]
fn a_session_has_its_own_stages_and_clears_those_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let first = || JobDirectory::open(&out, &KIND, Start::Resume, vec!["one"]).unwrap();
    let second = out.join("checkpoints/two");
    first().roll_back();
    assert!(!out.exists());
    first();
    assert!(!second.exists());
    // The parts of a stage stay while it is not asked for, and go when the job starts again.
    drop(open(&out, Start::Resume).unwrap());
    let part = second.join("rows-000000000000-000000000001.vnp");
    std::fs::write(&part, "x").unwrap();
    drop(first());
    assert!(part.exists());
    first().clear().unwrap();
    assert!(!part.exists());
}

#[test]
fn results_of_another_tool_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("table.tsv"), "theirs").unwrap();
    for start in [Start::New, Start::Resume, Start::Again] {
        let Err(Error::NotOurs { path, .. }) = open(dir.path(), start) else { panic!("entered") };
        assert_eq!(path, dir.path());
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    // Only ours have a record, also when their checkpoints were removed to save space.
    std::fs::write(dir.path().join("run.json"), "{}").unwrap();
    open(dir.path(), Start::Resume).unwrap();
}

#[test]
fn clearing_leaves_files_that_are_not_ours() {
    let dir = tempfile::tempdir().unwrap();
    let out = open(&dir.path().join("out"), Start::New).unwrap();
    let stage = out.stage("one");
    let ours = [
        out.result("table.tsv"),
        stage.join("rows-0-1.vnp"),
        out.failed_files(),
        out.checkpoints().join("state.vnp"),
        out.checkpoints().join("state.vnp.2.bad"),
    ];
    let theirs = [out.result("notes.txt"), stage.join("notes.txt")];
    for path in ours.iter().chain(&theirs) {
        std::fs::write(path, "x").unwrap();
    }
    std::fs::create_dir_all(out.result("tables/deep")).unwrap();
    out.clear().unwrap();
    assert!(!out.result("tables").exists());
    assert!(ours.iter().all(|path| !path.exists()));
    assert!(theirs.iter().all(|path| path.exists()));
}

#[test]
fn what_a_killed_session_was_writing_goes_when_the_next_one_enters() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    drop(open(&out, Start::New).unwrap());
    let stale = [".vnp-unpublished-x", ".half-x", "checkpoints/standard-input-x"];
    for name in stale {
        std::fs::write(out.join(name), "x").unwrap();
    }
    std::fs::write(out.join("notes.txt"), "x").unwrap();
    // These names are not hidden: a user may have chosen them.
    let theirs = ["standard-input-copy.fa", "checkpoints/standard-input-data"];
    std::fs::write(out.join(theirs[0]), "x").unwrap();
    std::fs::create_dir(out.join(theirs[1])).unwrap();
    open(&out, Start::Resume).unwrap();
    assert!(theirs.iter().all(|name| out.join(name).exists()));
    assert!(stale.iter().all(|name| !out.join(name).exists()));
    assert!(out.join("notes.txt").exists());
}
