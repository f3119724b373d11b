//! The formats that checkpoints are written in, by the names of files.

use std::path::Path;

use crate::checkpoint::Checkpoint;
use crate::error::Error;
#[allow(unused_imports, reason = "unused with all features")]
use crate::error::kind::ErrorKind;
use crate::write::atomic::atomic_save;

/// A format that a checkpoint can be saved in. All of them read back as the same checkpoint.
///
/// ```
/// use std::path::Path;
/// use vnp_ckpt::Format;
///
/// assert_eq!(Format::of_path(Path::new("output_0_ESM.pt")), Some(Format::Torch));
/// assert_eq!(Format::of_path(Path::new("output_0_ESM.csv")), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Our own, `.vnp`: every byte of it has a digest.
    Native,
    /// PyTorch's, `.pt`; needs the feature `torch`.
    Torch,
    /// `.safetensors`; needs the feature of that name.
    Safetensors,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Native, Self::Torch, Self::Safetensors];

    /// How names of such files end, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Native => "vnp",
            Self::Torch => "pt",
            Self::Safetensors => "safetensors",
        }
    }

    /// The format that a file of this name is to have, if its extension is one of the three; in
    /// upper or lower case.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| format.extension().eq_ignore_ascii_case(extension))
    }

    /// Saves a checkpoint under `path`, in the place of the existing file: as
    /// [`atomic_save`](crate::atomic_save), `export_torch` or `export_safetensors`.
    ///
    /// # Errors
    /// Those of the function; [`ErrorKind::Unsupported`] where the crate was built without the
    /// feature.
    pub fn save(self, path: &Path, checkpoint: &Checkpoint) -> Result<(), Error> {
        match self {
            Self::Native => atomic_save(path, checkpoint),
            #[cfg(feature = "torch")]
            Self::Torch => crate::write::torch::export_torch(path, checkpoint),
            #[cfg(feature = "safetensors")]
            Self::Safetensors => crate::write::safetensors::export_safetensors(path, checkpoint),
            #[cfg(not(all(feature = "torch", feature = "safetensors")))]
            other => {
                let remedy = "build vnp-ckpt with its features `torch` and `safetensors`";
                let what = format!("writing .{}", other.extension());
                Err(ErrorKind::unsupported(what, remedy).in_file(path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<Format>) {
        assert_eq!(Format::of_path(Path::new(path)), expected, "{path}");
    }

    #[test]
    fn names_of_files() {
        check("a.vnp", Some(Format::Native));
        check("a.b/c.d.pt", Some(Format::Torch));
        check("A.PT", Some(Format::Torch));
        check("model.safetensors", Some(Format::Safetensors));
        check("a.pth", None);
        check("a.bin", None);
        check("a", None);
        check(".pt", None);
        check("a.pt/", Some(Format::Torch));
        check("", None);
    }

    #[test]
    fn what_is_saved_is_what_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::builder("k").metadata("a", 1).build().unwrap();
        for format in Format::ALL {
            let path = directory.path().join("a").with_extension(format.extension());
            match format.save(&path, &checkpoint).map_err(Error::into_kind) {
                Ok(()) => {
                    let read = crate::load_with_compatibility(&path, &Default::default());
                    assert_eq!(read.unwrap(), checkpoint);
                }
                Err(ErrorKind::Unsupported { .. }) if format != Format::Native => {
                    assert!(!path.exists());
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
