//! Files that a user names: read, or named as what they are instead, with what to do about it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use vnp_ckpt::Mistaken;
use vnp_escape::{FileKind, escaped_path};

use crate::error::Error;
use crate::error::weights::WeightsError;

/// How deep below a directory its files are searched for: the cache of Hugging Face has them in
/// `snapshots/REVISION`.
const SEARCH_DEPTH: usize = 3;
/// Directories beyond this number are not searched.
const SEARCH_LIMIT: usize = 200;
/// JSON files beyond this are refused: values take many times their text in memory.
const JSON_LIMIT_BYTES: u64 = 16 << 20;

/// Whether there is anything of this name, a link that leads nowhere included.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The first bytes of a file that is not one of the usual mistakes.
///
/// # Errors
/// [`WeightsError::BrokenLink`], [`WeightsError::NotTheFile`] and [`Error::LfsPointer`] say what it is.
pub(crate) fn start(path: &Path) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    let mut file = open(path)?;
    (&mut file).take(Mistaken::START_BYTES as u64).read_to_end(&mut start)?;
    let whole_file = path.to_owned();
    match Mistaken::of(&start) {
        None => Ok(start),
        Some(Mistaken::LFS_POINTER) => Err(Error::LfsPointer { path: whole_file }),
        Some(Mistaken { what, remedy, .. }) => Err(WeightsError::NotTheFile {
            path: whole_file,
            found: what,
            remedy: remedy.to_owned(),
        }
        .into()),
    }
}

/// The bytes of a JSON file, without the mark that some editors put first.
///
/// # Errors
/// As [`start`].
pub(crate) fn json_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    start(path)?;
    let mut bytes = Vec::new();
    open(path)?.take(JSON_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > JSON_LIMIT_BYTES {
        return Err(WeightsError::NotTheFile {
            path: path.to_owned(),
            found: "larger than 16 MiB, which no configuration, tokenizer or index is",
            remedy: "give the file that came with the model".to_owned(),
        }
        .into());
    }
    Ok(without_mark(bytes))
}

/// The content of a JSON file.
///
/// # Errors
/// As [`start`]; [`Error::Json`].
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&json_bytes(path)?)
        .map_err(|cause| Error::Json { file: escaped_path(path).to_string(), cause })
}

/// Removes the byte order mark, which is not JSON.
pub(crate) fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    bytes
}

/// Opens a file, through links.
fn open(path: &Path) -> Result<fs_err::File, Error> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(directory_for_file(path)),
        Ok(found) if !found.is_file() => Err(WeightsError::NotTheFile {
            path: path.to_owned(),
            found: FileKind::of(found.file_type()).name(),
            remedy: "give a regular file, which can be read more than once".to_owned(),
        }
        .into()),
        Ok(_) => Ok(fs_err::File::open(path)?),
        Err(error) => Err(match fs_err::read_link(path) {
            Ok(target) => WeightsError::BrokenLink { path: path.to_owned(), target }.into(),
            // Of a file that is missing, with the path.
            Err(_) => fs_err::File::open(path).err().unwrap_or(error).into(),
        }),
    }
}

/// The error for a directory in place of a file: it names the files in it that might be meant.
fn directory_for_file(path: &Path) -> Error {
    const LIKELY: [&str; 6] = ["pth", "pt", "safetensors", "bin", "vnp", "json"];
    let entries = path.read_dir().into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| LIKELY.iter().any(|ending| name.ends_with(&format!(".{ending}"))));
    names.sort_by_key(|name| (name.ends_with(".json"), name.clone()));
    names.truncate(5);
    let remedy = match names.as_slice() {
        [] => "give a file".to_owned(),
        names => format!("give a file in it, such as {}", names.join(" or ")),
    };
    WeightsError::NotTheFile { path: path.to_owned(), found: "a directory, not a file", remedy }
        .into()
}

/// The directories near this one of which one was probably meant: those of the nearest level below it,
/// or the one above, that `is_it`.
pub(crate) fn nearby(directory: &Path, is_it: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    const SHOWN: usize = 5;
    let mut level = vec![directory.to_owned()];
    let mut searched = 0;
    for _ in 0..SEARCH_DEPTH {
        let mut below = Vec::new();
        for directory in level {
            let entries = directory.read_dir().into_iter().flatten().filter_map(Result::ok);
            let is_unfinished =
                |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".vnp-");
            let finished = entries.filter(|entry| !is_unfinished(&entry.file_name()));
            below.extend(finished.map(|entry| entry.path()).filter(|path| path.is_dir()));
            searched += 1;
            if searched >= SEARCH_LIMIT {
                break;
            }
        }
        below.sort();
        below.truncate(SEARCH_LIMIT);
        let found = below.iter().filter(|directory| is_it(directory)).take(SHOWN);
        let found: Vec<PathBuf> = found.cloned().collect();
        if !found.is_empty() {
            return found;
        }
        level = below;
    }
    let whole = directory.canonicalize().unwrap_or_default();
    whole.parent().filter(|above| is_it(above)).map(Path::to_owned).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(make: impl FnOnce(&Path), expected: &str) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        make(&path);
        let error = start(&path).unwrap_err().to_string();
        assert!(error.contains("file") && error.contains(expected), "{error}");
    }

    #[test]
    fn each_mistake_is_named() {
        check(|path| fs_err::write(path, "").unwrap(), "is an empty file: download");
        check(|path| fs_err::write(path, "<html>").unwrap(), "is a web page");
        check(|path| fs_err::write(path, "Entry not found").unwrap(), "is a text");
        check(|path| fs_err::write(path, "version https://git-lfs").unwrap(), "git lfs pull");
        check(|path| fs_err::create_dir(path).unwrap(), "is a directory, not a file: give a file");
        check(
            |path| {
                fs_err::create_dir(path).unwrap();
                fs_err::write(path.join("300_model.pth"), "").unwrap();
                fs_err::write(path.join("README.md"), "").unwrap();
            },
            "give a file in it, such as 300_model.pth",
        );
        check(|_| (), "No such file");
        #[cfg(unix)]
        check(
            |path| std::os::unix::fs::symlink("../blobs/0a", path).unwrap(),
            "is a link to ../blobs/0a, which does not exist",
        );
    }

    #[test]
    fn a_byte_order_mark_is_not_json() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        fs_err::write(&path, b"\xef\xbb\xbf{\"a\": 1}").unwrap();
        let value: serde_json::Value = json(&path).unwrap();
        assert_eq!(value["a"], 1);
        fs_err::write(&path, b"\xef\xbb\xbf{\"a\": ").unwrap();
        let Err(Error::Json { file, .. }) = json::<serde_json::Value>(&path) else { panic!() };
        assert!(file.ends_with("a.json"));
    }

    #[test]
    fn json_of_any_length_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        let of_length = |length: u64| {
            fs_err::write(&path, "[").unwrap();
            fs_err::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
            json_bytes(&path)
        };
        let length = usize::try_from(JSON_LIMIT_BYTES).unwrap();
        assert_eq!(of_length(JSON_LIMIT_BYTES).unwrap().len(), length);
        // A hole of a terabyte is not read either.
        for length in [JSON_LIMIT_BYTES + 1, 1 << 40] {
            let error = of_length(length).unwrap_err().to_string();
            assert!(error.contains("a.json is larger than 16 MiB"), "{error}");
        }
    }

    #[test]
    fn directories_nearby() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs_err::create_dir_all(at("models--x/snapshots/0a1b")).unwrap();
        fs_err::create_dir_all(at("models--x/refs")).unwrap();
        fs_err::write(at("models--x/snapshots/0a1b/config.json"), "{}").unwrap();
        let is_it = |path: &Path| path.join("config.json").exists();
        let found = |name: &str| nearby(&at(name), is_it);
        assert_eq!(found("models--x"), [at("models--x/snapshots/0a1b")]);
        assert_eq!(found("models--x/snapshots"), [at("models--x/snapshots/0a1b")]);
        assert!(found("models--x/refs").is_empty());
        fs_err::create_dir_all(at("models--x/snapshots/0a1b/onnx")).unwrap();
        let above = at("models--x/snapshots/0a1b").canonicalize().unwrap();
        assert_eq!(found("models--x/snapshots/0a1b/onnx"), [above]);
    }
}
