//! Files that ask for far more than their size are answered within bounded memory and time.

use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use vnp_ckpt::{Limits, open_reader};
use vnp_forge::hostile_sizes;

/// Of each file: below the 10 MB for which the memory below is promised.
const FILE_BYTES: usize = 4_000_000;

/// Reads a file in every way; the error, if it is refused.
fn answer(bytes: Vec<u8>) -> Option<String> {
    let length = bytes.len() as u64;
    let open = |bytes| open_reader(Path::new("a"), Cursor::new(bytes), length, &Limits::default());
    let scanned = open(bytes.clone()).and_then(|mut file| file.scan(|_, _| {}).map(drop));
    let loaded = open(bytes).and_then(|file| file.load()).map(drop);
    assert_eq!(scanned.is_ok(), loaded.is_ok());
    let error = loaded.err()?;
    assert!(error.is_corrupted() || error.is_incompatible(), "{error:?}");
    Some(error.to_string())
}

#[test]
fn each_is_answered() {
    for case in hostile_sizes::all() {
        let bytes = (case.make)(FILE_BYTES);
        let started = Instant::now();
        let error = answer(bytes);
        let seconds = started.elapsed().as_secs_f64();
        assert!(seconds < 20.0, "{}: {seconds} s", case.name);
        let length = error.unwrap_or_default().len();
        assert!(length < 2_000, "{}: a message of {length} bytes", case.name);
    }
}

/// What a budget of memory or work refuses, and no other check.
#[test]
fn the_budgets_refuse_what_is_much_more_than_the_file() {
    let check = |name: &str, expected: &str| {
        let all = hostile_sizes::all();
        let case = all.iter().find(|case| case.name == name).unwrap();
        let error = answer((case.make)(9_500_000)).unwrap_or_default();
        assert!(error.contains(&format!("exceeds the limit `{expected}`")), "{name}: {error}");
    };
    check("empty_lists", "memory_bytes");
    check("memos", "memory_bytes");
    check("small_dicts", "memory_bytes");
    check("ids_by_reference", "memory_bytes");
    check("expanded_tensor", "memory_bytes");
    check("numpy_of_one_text", "memory_bytes");
    check("legacy_empty_lists", "memory_bytes");
    check("native_small_maps", "memory_bytes");
    check("safetensors_metadata", "memory_bytes");
    check("encoded_by_reference", "work_units");
    check("tensors_of_one_storage", "work_units");
}

/// All of the above again, in 600 MB of address space, which a test takes a third of for itself.
#[test]
fn within_bounded_memory() {
    let under_limits = "ulimit -v 600000 && exec timeout 120 \"$0\" \"$@\"";
    let shell =
        |arguments: &[&str]| Command::new("sh").args(["-c", under_limits]).args(arguments).output();
    if !shell(&["true"]).is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: no sh with ulimit -v and timeout here");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let name = "hostile_sizes::each_is_answered";
    let output = shell(&[own.to_str().unwrap(), name, "--exact", "--test-threads=1"]).unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{:?}\n{told}", output.status);
    assert!(told.contains("test result: ok. 1 passed"), "{told}");
}
