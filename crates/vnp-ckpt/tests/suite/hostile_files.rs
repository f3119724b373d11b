//! Every file of tests/fixtures/hostile is refused as its table says: driven by the folder, a new
//! file is a new case.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Error, Limits};

use crate::invariants;
use crate::support::{actual_sums, check_limit, fixtures, known_sums, name, variant};
use crate::tables::rows;
use vnp_forge::pickle::Pickle;
use vnp_forge::{bases, native, torch};

struct Row {
    file: String,
    error: String,
    fragment: String,
    attack: String,
}

fn table() -> Vec<Row> {
    let text = fs::read_to_string(fixtures().join("hostile/expected.tsv")).unwrap();
    let rows = rows(&text).expect("four columns in every line").into_iter().skip(1);
    rows.map(|row| {
        let [file, error, fragment, attack] = row.map(str::to_owned);
        Row { file, error, fragment, attack }
    })
    .collect()
}

/// What reading every byte of a file comes to.
fn refusal(path: &Path) -> Option<Error> {
    let load = || Checkpoint::open(path, &Limits::default())?.load();
    let verify = || Checkpoint::open(path, &Limits::default())?.verify();
    let header = vnp_ckpt::read_header(path, &Limits::default());
    let (loaded, verified) = (load(), verify());
    if let Err(error) = &header {
        assert!(loaded.is_err() && verified.is_err(), "only the header: {error:?}");
    }
    loaded.err().or(verified.err())
}

#[test]
fn every_file_is_refused_as_expected() {
    let folder = fixtures().join("hostile");
    let (mut lines, mut wrong) = (String::new(), Vec::new());
    let table = table();
    for Row { file, error, fragment, attack } in &table {
        let path = folder.join(file);
        let (found, message) = match refusal(&path) {
            None => ("opened".to_owned(), String::new()),
            Some(error) => (variant(&error), error.to_string()),
        };
        // Where only the weights matter no attack is let in, but what is merely not recorded.
        let weights =
            Checkpoint::open_weights(&path, &Limits::default()).and_then(|file| file.load());
        // Ids without rows are the key of another program.
        let harmless = ["Unsupported", "MalformedVersion", "BadHeader", "MissingField"];
        if weights.is_ok() && !harmless.contains(&error.as_str()) {
            wrong.push(format!("{file}: its weights were read"));
        }
        let message = message.replace(&path.display().to_string(), file);
        lines.push_str(&format!("{file:36} {found:17} {attack:45} {message}\n"));
        let about = message.replace(file.as_str(), "");
        if &found != error || !about.contains(fragment.as_str()) {
            wrong.push(format!(
                "{file}: expected {error} with `{fragment}`, found {found}: {about}"
            ));
        }
    }
    // Past the harness, which shows nothing of a test that passes.
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "{lines}{} hostile files", table.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

#[test]
fn the_folder_is_its_table() {
    let folder = fixtures().join("hostile");
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("expected.tsv") && !path.ends_with("SHA256SUMS"));
    files.sort();
    let mut rows: Vec<_> = table().into_iter().map(|row| row.file).collect();
    rows.sort();
    assert!(files.len() >= 60);
    assert_eq!(files.iter().map(|path| name(path)).collect::<Vec<_>>(), rows);
    let mut known = known_sums("hostile");
    known.sort_by(|(_, a), (_, b)| a.cmp(b));
    assert_eq!(known, actual_sums(&files));
}

/// What the attacks are made from is good, or else they would be refused for another reason.
#[test]
fn what_the_attacks_are_made_from_is_good() {
    let load = |bytes: &[u8]| invariants::load(bytes, &Limits::default()).unwrap();
    assert_eq!(load(&native::good(|_| {})).ids(), ["a", "b"]);
    for bytes in [torch::good().bytes(), torch::Legacy::good().bytes()] {
        let read = load(&bytes);
        assert_eq!(read.ids(), ["a", "b", "c"]);
        assert_eq!(read.tensor("data").unwrap().bytes(), torch::numbers(12));
    }
    for number in 0..bases::COUNT {
        load(&bases::archive_of(bases::program(number)).bytes());
    }
    let mut oldest = torch::good();
    oldest.records.retain(|record| !record.name.contains(&b'.') || record.name.ends_with(b"pkl"));
    oldest.records.retain(|record| !record.name.ends_with(b"byteorder"));
    assert_eq!(oldest.records.len(), 3);
    load(&oldest.bytes());
}

#[track_caller]
fn check_refused(what: &str, pickle: Pickle, expected: &str) {
    let bytes = torch::with_pickle(&pickle.stop());
    let error = invariants::load(&bytes, &Limits::default()).expect_err(what);
    assert_eq!(variant(&error), expected, "{what}: {error}");
}

/// What is too large to be kept as files.
#[test]
fn a_million_levels() {
    let million = 1_000_000;
    let start = || Pickle::new(2);
    let deep = "LimitExceeded";
    check_refused("lists", start().repeat(b']', million).repeat(b'a', million - 1), deep);
    check_refused("tuples", start().op(b")").repeat(0x85, million), deep);
    check_refused("marked tuples", start().repeat(b'(', million).repeat(b't', million), deep);
    let dicts = (0..million).fold(start(), |p, _| p.op(b"}K\x00"));
    check_refused("dicts", dicts.none().repeat(b's', million), deep);
    let good = torch::good_pickle(2).put();
    check_refused("lists around", good.repeat(0x85, million), deep);
    check_refused("marks", start().repeat(b'(', million), "BadPickle");
    check_refused("lists beside each other", start().repeat(b']', million), "BadPickle");
}

#[test]
fn every_limit_of_pickles_holds() {
    let check = |limits, expected| check_limit(&torch::good().bytes(), limits, expected);
    let limits = Limits::default;
    check(Limits { records: 6, ..limits() }, "records");
    check(Limits { pickle_bytes: 100, ..limits() }, "pickle_bytes");
    check(Limits { pickle_nodes: 5, ..limits() }, "pickle_nodes");
    check(Limits { pickle_depth: 1, ..limits() }, "pickle_depth");
    check(Limits { tensor_rank: 1, ..limits() }, "tensor_rank");
    check(Limits { ids: 2, ..limits() }, "ids");
    check(Limits { id_bytes: 2, ..limits() }, "id_bytes");
    check(Limits { sections: 1, ..limits() }, "sections");
    check(Limits { total_bytes: 1_000, ..limits() }, "total_bytes");
}

/// All of the above again, in 3 GB of address space and 20 seconds.
#[test]
fn within_3_gb_and_20_seconds() {
    let under_limits = "ulimit -v 3000000 && exec timeout 20 \"$0\" \"$@\"";
    let shell = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", under_limits]).args(arguments).output()
    };
    if !shell(&["true"]).is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: no sh with ulimit -v and timeout here");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let output =
        shell(&[own, "hostile_files::", "--skip", "within_3_gb", "--test-threads=1"]).unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{:?}\n{told}", output.status);
    assert!(told.contains("test result: ok. 5 passed"), "{told}");
}
