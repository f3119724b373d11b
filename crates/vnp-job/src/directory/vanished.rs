//! Distinguishes a file that something else removed under a job from other failures.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use super::{CHECKPOINTS, JobDirectory};
use crate::error::Error;

impl JobDirectory {
    /// [`Error::Vanished`] when the cause of an error is that something of this directory is gone: it
    /// was there when the job began, or written since.
    ///
    /// `error` is looked through with its sources.
    #[must_use]
    pub fn vanished(&self, error: &(dyn StdError + 'static)) -> Option<Error> {
        let causes = || std::iter::successors(Some(error), |error| (*error).source());
        let is_gone = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    // An NFS client whose file another client removed.
                    | io::ErrorKind::StaleNetworkFileHandle
            )
        };
        causes().filter_map(|cause| cause.downcast_ref()).find(|error| is_gone(error))?;
        let file = causes().find_map(|cause| cause.downcast_ref::<vnp_ckpt::Error>()?.path());
        let mut places = vec![self.path.clone(), self.path.join(CHECKPOINTS)];
        places.extend(self.stages.iter().map(|stage| self.stage(stage)));
        let file = file.filter(|file| file.starts_with(&self.path));
        // From the directory down to the file.
        let mut above: Vec<&Path> = file.into_iter().flat_map(Path::ancestors).collect();
        above.retain(|place| place.starts_with(&self.path));
        places.extend(above.into_iter().rev().map(Path::to_owned));
        let path = places.into_iter().find(|place| place.symlink_metadata().is_err())?;
        Some(Error::Vanished { path, job: self.kind.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{JobKind, Start};

    static KIND: JobKind = JobKind {
        name: "test",
        results: &[],
        result_directories: &[],
        stages: &["one"],
        state: &[],
        temporaries: &[],
        stranger: |_, _| None,
    };

    #[test]
    fn what_is_gone_is_named_from_the_top() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let directory = JobDirectory::open(&out, &KIND, Start::New, vec!["one"]).unwrap();
        let stage = out.join("checkpoints/one");
        let part = stage.join("rows-000000000000-000000000001.vnp");
        let lost = || {
            let limits = vnp_ckpt::Limits::default();
            vnp_ckpt::load_with_compatibility(&part, &limits).map(|_| ()).unwrap_err()
        };
        let vanished = |error: &(dyn StdError + 'static)| match directory.vanished(error) {
            Some(Error::Vanished { path, job: "test" }) => Some(path),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(vanished(&lost()), Some(part.clone()));
        // Sources are inspected, too.
        let wrapped = Error::from(crate::error::io_at("read", &out, &io::Error::other("no")));
        assert_eq!(vanished(&wrapped), None);
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        // Something else is missing.
        assert_eq!(vanished(&gone()), None);
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        std::fs::remove_dir(&stage).unwrap();
        assert_eq!(vanished(&denied), None);
        assert_eq!(vanished(&gone()), Some(stage.clone()));
        assert_eq!(vanished(&lost()), Some(stage));
        std::fs::remove_dir_all(&out).unwrap();
        assert_eq!(vanished(&gone()), Some(out.clone()));
        assert_eq!(vanished(&lost()), Some(out));
    }
}
