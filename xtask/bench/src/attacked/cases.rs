//! Everything that is tried, by what was found.

mod directories;
mod files;
mod sequences;
mod text;

use super::case::Case;

/// All cases: hostile files of this size, and the long sequences if they are asked for.
pub(crate) fn all(bytes: usize, large: bool) -> Vec<Case> {
    let mut cases = files::all(bytes);
    cases.extend(text::all());
    cases.extend(sequences::all(large));
    cases.extend(directories::all());
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::finding::Finding;
    use super::*;

    #[test]
    fn names_are_unique_and_every_finding_has_a_case() {
        let cases = all(1_000, true);
        let names: BTreeSet<_> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len());
        for finding in Finding::all() {
            assert!(cases.iter().any(|case| case.finding == finding), "{finding:?}");
        }
    }
}
