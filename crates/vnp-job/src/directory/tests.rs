//! A directory is entered, cleared and rolled back.

use super::*;
use crate::publish::UNPUBLISHED;
use crate::published_directory::PublishedDirectory;

static KIND: JobKind = JobKind {
    name: "run",
    results: &["run.json", "table.tsv"],
    result_directories: &[PublishedDirectory {
        name: "tables",
        is_ours: |path| path.join("tables.json").exists(),
        owns: |file| file.ends_with("tables.json"),
    }],
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
    // A try that saved nothing is not a job to continue.
    let began = open(&out, Start::New).unwrap();
    std::fs::write(began.stage("one").join("rows-0-1.vnp"), "x").unwrap();
    drop(began);
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
    #[cfg(unix)]
    {
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("none", &link).unwrap();
        let Err(Error::Io(error)) = open(&link, Start::New) else { panic!("entered") };
        assert!(error.to_string().contains("is a link to nothing"), "{error}");
    }
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
    let theirs = [
        out.result("notes.txt"),
        stage.join("notes.txt"),
        stage.join("notes.vnp"),
        stage.join("._rows-0-1.vnp"),
        stage.join("rows-0-1.vnp.swp"),
        stage.join("rows-0-1.sync-conflict-x.vnp"),
    ];
    for path in ours.iter().chain(&theirs) {
        std::fs::write(path, "x").unwrap();
    }
    std::fs::create_dir_all(out.result("tables/deep")).unwrap();
    std::fs::write(out.result("tables/tables.json"), "").unwrap();
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

#[test]
fn our_own_log_counts_as_nothing_and_other_files_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::fs::create_dir_all(out.join("logs/deep")).unwrap();
    std::fs::create_dir(out.join("lost+found")).unwrap();
    std::fs::create_dir(out.join("checkpoints")).unwrap();
    std::fs::write(out.join("logs/deep/notes.tsv"), "vnp-log 1\n").unwrap();
    std::fs::write(out.join("old.log"), "2026-01-01T00:00:00Z INFO  x\n").unwrap();
    let opened = open(&out, Start::New).unwrap();
    std::fs::write(out.join("new.log"), "vnp-log 1\n").unwrap();
    opened.roll_back();
    assert!(!out.join("checkpoints").exists() && out.join("new.log").exists());
    open(&out, Start::New).unwrap().roll_back();
    std::fs::write(out.join("logs/run.log"), "notes\n").unwrap();
    let Err(Error::OutputExists { .. }) = open(&out, Start::New) else { panic!("entered") };
    std::fs::write(out.join("logs/run.log"), "").unwrap();
    let Err(Error::OutputExists { .. }) = open(&out, Start::New) else { panic!("entered") };
}

#[test]
fn work_outside_of_checkpoints_is_not_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let opened = open(&out, Start::New).unwrap();
    std::fs::create_dir(out.join("tables")).unwrap();
    std::fs::write(out.join("tables/tables.json"), "").unwrap();
    opened.roll_back();
    assert!(out.join("checkpoints/lock").exists());
    open(&out, Start::Resume).unwrap();
}

#[test]
fn a_published_directory_of_another_tool_is_refused_before_anything_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let opened = open(&out, Start::New).unwrap();
    let ours = [out.join("run.json"), out.join("checkpoints/one/rows-0-1.vnp")];
    ours.iter().for_each(|path| std::fs::write(path, "x").unwrap());
    std::fs::create_dir(out.join("tables")).unwrap();
    std::fs::write(out.join("tables/theirs.json"), "").unwrap();
    let Err(Error::Foreign { path }) = opened.clear() else { panic!("cleared") };
    assert_eq!(path, out.join("tables"));
    drop(opened);
    let Err(Error::Foreign { path }) = open(&out, Start::Again) else { panic!("entered") };
    assert_eq!(path, out.join("tables"));
    assert!(ours.iter().all(|path| path.exists()));
    open(&out, Start::Resume).unwrap();
}

#[test]
fn a_temporary_that_cannot_be_removed_stops_no_one() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    drop(open(&out, Start::New).unwrap());
    // As a saver's directory with a file of another program in it.
    std::fs::create_dir(out.join("checkpoints/one/.atomicwriteAAAAAA")).unwrap();
    std::fs::write(out.join("checkpoints/one/.atomicwriteAAAAAA/.nfs01"), "").unwrap();
    std::fs::create_dir_all(out.join(format!("{UNPUBLISHED}x/deep"))).unwrap();
    open(&out, Start::Resume).unwrap();
    assert!(out.join("checkpoints/one/.atomicwriteAAAAAA/.nfs01").exists());
    assert!(!out.join(format!("{UNPUBLISHED}x")).exists());
}

/// As of `vnp orfs` that writes into the directory of a run.
#[test]
fn temporaries_of_another_command_at_work_stay() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    drop(open(&out, Start::New).unwrap());
    let live = crate::publish::Output::create(out.join("orfs.fa")).unwrap();
    let temporaries = || {
        let names = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(UNPUBLISHED)).count()
    };
    std::fs::write(out.join(format!("{UNPUBLISHED}aaaaaa")), "half").unwrap();
    assert_eq!(temporaries(), 2);
    drop(open(&out, Start::Resume).unwrap());
    assert_eq!(temporaries(), 1, "only the dead one goes");
    live.finish().unwrap().publish().unwrap();
    assert!(out.join("orfs.fa").exists());
}
