//! Finding installed bundles by name.

use std::path::{Path, PathBuf};

use vnp_escape::escaped_path;

use super::manifest::Manifest;
use super::{Bundle, EMBEDDED_NAME};
use crate::error::Error;
use crate::error::weights::WeightsError;
use crate::given;

/// A bundle that can be opened by name, as [`list_bundles`] finds it. Its content is not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEntry {
    /// The name to open it by: its directory's.
    pub name: String,
    /// Its directory; `None` for the one compiled in.
    pub directory: Option<PathBuf>,
    /// What its manifest says, or why that cannot be read.
    pub summary: Result<BundleSummary, String>,
}

/// What the manifest of a bundle says of its heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleSummary {
    /// The chunk length that its head was trained for, in bp.
    pub expected_length: u32,
    /// Whether it has a fallback head, which scores nucleotides alone.
    pub has_fallback: bool,
}

/// Opens `mini`, a bundle of that name in `search`, or a bundle directory. A text with a path
/// separator is a directory; otherwise names come first.
///
/// # Errors
/// [`Error::UnknownBundle`] with the directories searched; everything of [`Bundle::open`].
pub fn find_bundle(name: &str, search: &[PathBuf]) -> Result<Bundle, Error> {
    if name == EMBEDDED_NAME {
        return Bundle::embedded();
    }
    if let Some(directory) = find_directory(name, search) {
        if !is_bundle(&directory) {
            let nearby = given::nearby(&directory, is_bundle);
            return Err(Error::NotABundle { directory, nearby });
        }
        return Bundle::open(&directory);
    }
    let path = PathBuf::from(name);
    if path.is_file() {
        let remedy = "give the directory of a model, or a head alone with --model-path".to_owned();
        let found = "a file, not the directory of a model";
        return Err(WeightsError::NotTheFile { path, found, remedy }.into());
    }
    if let Ok(target) = fs_err::read_link(&path) {
        return Err(WeightsError::BrokenLink { path, target }.into());
    }
    Err(Error::UnknownBundle { name: name.to_owned(), searched: search.to_vec() })
}

/// Every bundle that can be opened by name, the embedded one first, then by search directory and
/// name. Of several with one name the first is the one that [`find_bundle`] opens. A bundle whose
/// manifest cannot be read is among them; search directories that cannot be read are left out.
///
/// # Errors
/// As [`Bundle::embedded`].
pub fn list_bundles(search: &[PathBuf]) -> Result<Vec<BundleEntry>, Error> {
    let embedded = Bundle::embedded()?;
    let mut entries = vec![BundleEntry {
        name: EMBEDDED_NAME.to_owned(),
        directory: None,
        summary: Ok(BundleSummary {
            expected_length: embedded.expected_length(),
            has_fallback: embedded.has_fallback(),
        }),
    }];
    for place in search {
        let Ok(listing) = fs_err::read_dir(place) else {
            continue;
        };
        let mut directories: Vec<PathBuf> =
            listing.filter_map(Result::ok).map(|entry| entry.path()).collect();
        directories.sort();
        entries.extend(directories.into_iter().filter(|path| is_bundle(path)).map(entry));
    }
    Ok(entries)
}

fn find_directory(name: &str, search: &[PathBuf]) -> Option<PathBuf> {
    let as_path = PathBuf::from(name);
    let is_path = name.contains(std::path::MAIN_SEPARATOR) || as_path.is_absolute();
    let in_search = search.iter().map(|place| place.join(name)).find(|d| !is_path && is_bundle(d));
    // A directory that is not a bundle gets an error of its own.
    in_search.or_else(|| as_path.is_dir().then_some(as_path))
}

/// Whether a directory has a manifest, or a link that should lead to one.
fn is_bundle(directory: &Path) -> bool {
    given::is_there(&directory.join("bundle.json"))
}

fn entry(directory: PathBuf) -> BundleEntry {
    let path = directory.join("bundle.json");
    let manifest = given::json_bytes(&path)
        .and_then(|json| Manifest::parse(&escaped_path(&path).to_string(), &json));
    let summary = manifest.map(|manifest| BundleSummary {
        expected_length: manifest.expected_length,
        has_fallback: manifest.digests.fallback.is_some(),
    });
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let summary = summary.map_err(|error| error.to_string());
    BundleEntry { name, directory: Some(directory), summary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{random_fallback_writer, random_writer};

    #[test]
    fn names_and_directories_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("1"), directory.path().join("2"));
        random_writer(1).write(&first.join("300")).unwrap();
        random_writer(2).write(&second.join("300")).unwrap();
        random_fallback_writer(3).write(&second.join("500")).unwrap();
        fs_err::create_dir(second.join("other")).unwrap();
        let search = [directory.path().join("0"), first.clone(), second.clone()];
        let found = |name: &str| find_bundle(name, &search).unwrap().digests().clone();
        let opened = |path: PathBuf| Bundle::open(&path).unwrap().digests().clone();
        assert_eq!(found("300"), opened(first.join("300")));
        assert_eq!(found("500"), opened(second.join("500")));
        assert_eq!(found(second.join("300").to_str().unwrap()), opened(second.join("300")));
        assert_eq!(found("mini"), Bundle::embedded().unwrap().digests().clone());

        let listed = list_bundles(&search).unwrap();
        let names: Vec<&str> = listed.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["mini", "300", "300", "500"]);
        assert_eq!(listed[0].directory, None);
        assert_eq!(listed[3].directory, Some(second.join("500")));
        let summaries = listed[1..].iter().map(|entry| entry.summary.clone().unwrap());
        let summaries: Vec<BundleSummary> = summaries.collect();
        assert_eq!(summaries[2].expected_length, 500);
        let fallbacks: Vec<bool> = summaries.iter().map(|summary| summary.has_fallback).collect();
        assert_eq!(fallbacks, [false, false, true]);
    }

    #[test]
    fn what_cannot_be_read_is_listed() {
        let directory = tempfile::tempdir().unwrap();
        let search = [directory.path().to_owned()];
        let check = |manifest: &str, expected: &str| {
            let place = directory.path().join("x");
            fs_err::create_dir_all(&place).unwrap();
            fs_err::write(place.join("bundle.json"), manifest).unwrap();
            let listed = list_bundles(&search).unwrap();
            let [_, entry] = listed.as_slice() else { panic!("{listed:?}") };
            assert_eq!((entry.name.as_str(), &entry.directory), ("x", &Some(place)));
            let reason = entry.summary.clone().unwrap_err();
            assert!(reason.contains("bundle.json") && reason.contains(expected), "{reason}");
        };
        check("", "an empty file");
        check("{\"format\": 1, \"na", "not the JSON expected");
        check("version https://git-lfs.github.com/spec/v1\n", "git lfs pull");
        check("<html>404</html>", "a web page");
        check("{\"format\": 2}", "upgrade vnp");
    }

    #[test]
    fn unknown_names_say_where_was_looked() {
        let place = PathBuf::from("/nowhere/models");
        let error = find_bundle("900", std::slice::from_ref(&place)).unwrap_err();
        let Error::UnknownBundle { name, searched } = &error else { panic!("{error}") };
        assert_eq!((name.as_str(), searched.as_slice()), ("900", [place].as_slice()));
        assert!(error.to_string().contains("/nowhere/models"), "{error}");
    }

    #[test]
    fn a_directory_that_is_no_bundle_says_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let error = find_bundle(directory.path().to_str().unwrap(), &[]).unwrap_err();
        assert!(error.to_string().contains("bundle.json"), "{error}");
    }
}
