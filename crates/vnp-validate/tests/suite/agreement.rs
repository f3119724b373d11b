//! Validation and loading agree on every changed byte of every format: what is called OK loads, and
//! what does not load is not called OK.

use std::path::{Path, PathBuf};

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Error, Limits, load_with_compatibility};
use vnp_validate::{Code, Level, Options, validate_checkpoint};

/// The longest fixture that is tried, in bytes: longer ones have no other fields.
const LONGEST: u64 = 2_500;

/// Every fixture of every format that loads as it is.
fn fixtures() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut files = Vec::new();
    for folder in ["v1.0", "torch"] {
        for entry in fs::read_dir(all.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if ["vnp", "pt", "pth", "safetensors"].contains(&extension.as_str())
                && fs::metadata(&path).unwrap().len() < LONGEST
                && load_with_compatibility(&path, &Limits::default()).is_ok()
            {
                files.push(path);
            }
        }
    }
    files.sort();
    for extension in ["vnp", "pt", "safetensors"] {
        let count = files.iter().filter(|path| path.extension().unwrap() == extension).count();
        assert!(count >= 8, "{count} fixtures of {extension}");
    }
    files
}

/// A file in memory where that can be, rewritten for each case.
struct Case {
    directory: tempfile::TempDir,
    what: String,
}

impl Case {
    fn new(fixture: &Path) -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let what = fixture.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { directory, what }
    }

    /// Whether a file of these bytes loads; everything else that reads it says the same.
    fn check(&self, bytes: &[u8], change: &str) -> bool {
        let path = self.directory.path().join("a.pt");
        std::fs::write(&path, bytes).unwrap();
        let loaded = load_with_compatibility(&path, &Limits::default());
        let report = validate_checkpoint(&path, &Options::default()).unwrap();
        let wrong = |found: &str| -> ! {
            let loaded = loaded.as_ref().map(drop).map_err(Error::to_string);
            panic!("{} {change}: loaded {loaded:?}, {found}, {:?}", self.what, report.findings)
        };
        // What is not finished, or has no finite values, loads all the same.
        let only_contents = report
            .findings
            .iter()
            .all(|it| [Code::NotComplete, Code::NonFinite].contains(&it.code));
        if loaded.is_ok() != (loaded.is_ok() && only_contents)
            || (loaded.is_err() && report.is_ok())
        {
            wrong("validated as another");
        }
        let open = || Checkpoint::open(&path, &Limits::default());
        if open().and_then(|file| file.map()).is_ok() != loaded.is_ok() {
            wrong("mapped as another");
        }
        let digests = Options { level: Level::Digest, ..Options::default() };
        if loaded.is_ok()
            && validate_checkpoint(&path, &digests)
                .unwrap()
                .findings
                .iter()
                .any(|it| it.code != Code::NotComplete)
        {
            wrong("its digests are called wrong");
        }
        if report.is_ok() {
            let weights = Checkpoint::open_weights(&path, &Limits::default());
            if weights.and_then(|file| file.load()).is_err() {
                wrong("not read as weights");
            }
            let pieces = open().and_then(|file| file.pieces(1)).unwrap_or_else(|_| wrong("pieces"));
            if pieces.into_iter().any(|piece| piece.is_err()) {
                wrong("not read in pieces");
            }
        }
        loaded.is_ok()
    }
}

/// Runs `check` on all fixtures, on both cores.
fn each(check: impl Fn(&Case, &[u8]) + Sync) {
    let files = fixtures();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (files, check) = (&files, &check);
            scope.spawn(move || {
                for path in files.iter().skip(half).step_by(2) {
                    check(&Case::new(path), &fs::read(path).unwrap());
                }
            });
        }
    });
}

/// Every byte, changed to others: another bit each time, and the opposite of all of them in small files.
#[test]
fn every_byte() {
    each(|case, whole| {
        for place in 0..whole.len() {
            let mut bytes = whole.to_vec();
            let masks = [1 << (place % 8), 0xff, 0x80 >> (place % 8)];
            let masks = if whole.len() < 800 { &masks[..] } else { &masks[..1] };
            for mask in masks {
                bytes[place] = whole[place] ^ mask;
                case.check(&bytes, &format!("byte {place} ^ {mask:#x}"));
            }
        }
    });
}

#[test]
fn every_truncation_and_what_follows_the_end() {
    each(|case, whole| {
        for length in (0..whole.len()).filter(|length| whole.len() < 800 || length % 5 == 0) {
            assert!(!case.check(&whole[..length], &format!("cut at {length}")), "{}", case.what);
        }
        for more in [&b"\0"[..], b"\n", &[0; 64], b"PK\x05\x06", whole] {
            let longer = [whole, more].concat();
            assert!(!case.check(&longer, &format!("and {} bytes", more.len())), "{}", case.what);
        }
        assert!(case.check(whole, "as it is"), "{}", case.what);
    });
}
