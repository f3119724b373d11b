//! Finding a bundle by name.

use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::{Bundle, EMBEDDED_NAME};
use crate::Error;

/// A bundle that can be named, as [`list_bundles`] finds it. Its content is not proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEntry {
    /// The name to ask for it by: its directory's.
    pub name: String,
    /// Its directory; none for the one compiled in.
    pub directory: Option<PathBuf>,
    /// The chunk length that its head was trained for, in bp.
    pub expected_length: u32,
}

/// Opens `mini`, a bundle of that name in `search`, or a bundle directory. A text with a path
/// separator is a directory; otherwise names come first.
///
/// # Errors
/// [`Error::UnknownBundle`] with the places searched; everything of [`Bundle::open`].
pub fn find_bundle(name: &str, search: &[PathBuf]) -> Result<Bundle, Error> {
    if name == EMBEDDED_NAME {
        return Bundle::embedded();
    }
    if let Some(directory) = find_directory(name, search) {
        return Bundle::open(&directory);
    }
    Err(Error::UnknownBundle {
        name: name.to_owned(),
        searched: search.to_vec(),
    })
}

/// Every bundle that can be named, the embedded one first, then by place and name. Of several with
/// one name the first is the one that [`find_bundle`] takes. What cannot be read is left out.
///
/// # Errors
/// As [`Bundle::embedded`].
pub fn list_bundles(search: &[PathBuf]) -> Result<Vec<BundleEntry>, Error> {
    let mut entries = vec![BundleEntry {
        name: EMBEDDED_NAME.to_owned(),
        directory: None,
        expected_length: Bundle::embedded()?.expected_length(),
    }];
    for place in search {
        let Ok(listing) = fs_err::read_dir(place) else {
            continue;
        };
        let mut directories: Vec<PathBuf> = listing
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .collect();
        directories.sort();
        entries.extend(
            directories
                .into_iter()
                .filter_map(|directory| entry(&directory)),
        );
    }
    Ok(entries)
}

fn find_directory(name: &str, search: &[PathBuf]) -> Option<PathBuf> {
    let is_bundle = |directory: &PathBuf| directory.join("bundle.json").is_file();
    let as_path = PathBuf::from(name);
    let is_path = name.contains(std::path::MAIN_SEPARATOR) || as_path.is_absolute();
    let in_search = search
        .iter()
        .map(|place| place.join(name))
        .find(|d| !is_path && is_bundle(d));
    // A directory that was meant, but is no bundle, gets the error that names its missing file.
    in_search.or_else(|| as_path.is_dir().then_some(as_path))
}

fn entry(directory: &Path) -> Option<BundleEntry> {
    let path = directory.join("bundle.json");
    let json = fs_err::read(&path).ok()?;
    let manifest = Manifest::parse(&path.display().to_string(), &json).ok()?;
    let name = directory.file_name()?.to_str()?.to_owned();
    Some(BundleEntry {
        name,
        directory: Some(directory.to_owned()),
        expected_length: manifest.expected_length,
    })
}
