//! Files forged by chance, of every format: inspected, validated and loaded, with one verdict. The fuzz
//! target `inspect` does the same for longer.

use proptest::prelude::*;

use crate::inspected::check;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn have_one_verdict(choices in prop::collection::vec(any::<u8>(), 0..200)) {
        let scratch = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        check(&vnp_forge::mutate::any(&choices), &scratch.path().join("a.pt"));
    }
}
