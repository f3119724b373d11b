//! Files forged by chance: pickles opcode by opcode, archives field by field, native headers value
//! by value. The fuzz targets do the same for longer.

use proptest::prelude::*;

use crate::invariants::{check, load, small};
use vnp_forge::{mutate, torch};

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn of_pytorch_files(choices in choices()) {
        let scratch = scratch();
        check(&mutate::torch(&choices), &scratch.path().join("a.vnp"));
    }

    #[test]
    fn of_native_files(choices in choices()) {
        let scratch = scratch();
        check(&mutate::native(&choices), &scratch.path().join("a.vnp"));
    }

    /// Whatever the headers of records say, their true contents are read, or nothing.
    #[test]
    fn of_the_layout_of_archives(choices in choices()) {
        if let Ok(read) = load(&mutate::layout(&choices), &small()) {
            let original = load(&torch::good().bytes(), &small()).unwrap();
            prop_assert_eq!(read, original);
        }
    }
}

/// A directory in memory where there is one: thousands of files are written.
fn scratch() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    tempfile::tempdir_in(memory).unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
