//! The output directory of a training: the names of its files, and what must not be taken for one.

use vnp_job::JobKind;

/// The record of the finished training.
pub(crate) const RECORD: &str = "train.json";
/// The metrics of the splits that were not learned from, for programs and for people.
pub(crate) const METRICS_JSON: &str = "metrics.json";
/// The same metrics as a table.
pub(crate) const METRICS_TSV: &str = "metrics.tsv";
/// The losses of every epoch.
pub(crate) const HISTORY: &str = "history.tsv";
/// The directory of the trained bundle.
pub(crate) const BUNDLE: &str = "bundle";
/// The directory of the runs that embed the prepared chunks, one per class.
pub(crate) const EMBEDDINGS: &str = "embeddings";
/// The directory of the prepared chunks.
pub(crate) const PREPARED: &str = "prepared";
/// How the name of a directory of prepared chunks begins while it is written.
pub(crate) const UNFINISHED_PREPARED: &str = ".vnp-prepared-";
/// How the name of a bundle begins while it is written.
pub(crate) const UNFINISHED_BUNDLE: &str = ".vnp-bundle-";
/// The saved state, below `checkpoints`.
pub(crate) const STATE: &str = "training.vnp";

/// The directory of a training, for [`JobDirectory::open`](vnp_job::JobDirectory::open).
pub static JOB: JobKind = JobKind {
    name: "training",
    results: &[RECORD, METRICS_JSON, METRICS_TSV, HISTORY],
    result_directories: &[BUNDLE, EMBEDDINGS, PREPARED],
    stages: &[],
    state: &[STATE],
    temporaries: &[UNFINISHED_BUNDLE, UNFINISHED_PREPARED],
    stranger: |path, has_lock| {
        let has = |name: &str| path.join(name).exists();
        if has(vnp_job::parts::RUN_JSON) || has("checkpoints/scores") {
            return Some("a run of vnp predict");
        }
        let is_ours = has_lock || has(RECORD) || has(PREPARED);
        (!is_ours).then_some("what no vnp train wrote")
    },
};

#[cfg(test)]
mod tests {
    use vnp_job::{Error, JobDirectory, Start};

    use super::*;

    #[test]
    fn directories_of_others_are_refused_and_unfinished_files_removed() {
        let dir = tempfile::tempdir().unwrap();
        let open =
            |name: &str, start| JobDirectory::open(&dir.path().join(name), &JOB, start, Vec::new());
        for (name, file, holds) in [
            ("run", "run.json", "a run of vnp predict"),
            ("mine", "notes.txt", "what no vnp train wrote"),
        ] {
            fs_err::create_dir(dir.path().join(name)).unwrap();
            fs_err::write(dir.path().join(name).join(file), "").unwrap();
            let Err(Error::NotOurs { found, .. }) = open(name, Start::Again) else {
                panic!("{name} was entered")
            };
            assert_eq!(found, holds);
        }
        drop(open("out", Start::New).unwrap());
        let Err(Error::OutputExists { job: "training", .. }) = open("out", Start::New) else {
            panic!("entered twice")
        };
        let unfinished =
            [".vnp-prepared-x", ".vnp-bundle-x"].map(|name| dir.path().join("out").join(name));
        unfinished.iter().for_each(|path| fs_err::create_dir_all(path.join("new")).unwrap());
        drop(open("out", Start::Resume).unwrap());
        assert!(unfinished.iter().all(|path| !path.exists()));
    }
}
