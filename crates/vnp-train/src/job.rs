//! The output directory of a training: the names of its files, and what must not be taken for one.

use std::path::{Component, Path};

use vnp_job::parts::{Manifest, RUN_JSON};
use vnp_job::publish::UNPUBLISHED;
use vnp_job::{JobKind, PublishedDirectory};

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

/// The trained bundle, as [`BundleWriter`](vnp_infer::BundleWriter) writes it.
pub(crate) static BUNDLES: PublishedDirectory = PublishedDirectory {
    name: BUNDLE,
    is_ours: |path| has_fields(&path.join("bundle.json"), &["format", "digests"]) == Some(true),
    owns: |file| match file.parent().and_then(Path::to_str) {
        Some("") => file == Path::new("bundle.json") || ends_in(file, &["safetensors"]),
        Some("esm2" | "dnabert") => ends_in(file, &["json", "safetensors"]),
        _ => false,
    },
};
/// The prepared chunks; a damaged record is still one.
pub(crate) static PREPARATION: PublishedDirectory = PublishedDirectory {
    name: PREPARED,
    is_ours: |path| {
        let record = path.join("prepared.json");
        has_fields(&record, &["identity", "files"]).unwrap_or_else(|| record.exists())
    },
    owns: |file| {
        let names = ["prepared.json", "chunks.tsv", "virus.fa", "others.fa"];
        names.iter().any(|name| file == Path::new(name))
    },
};
/// The runs that embed them.
pub(crate) static RUNS: PublishedDirectory = PublishedDirectory {
    name: EMBEDDINGS,
    is_ours: |path| {
        ["virus", "others"].iter().any(|class| {
            let run = path.join(class);
            run.join("checkpoints/lock").exists()
                || Manifest::is_at(&run.join(RUN_JSON)) == Some(true)
        })
    },
    owns: |file| {
        let run = file.strip_prefix("virus").or_else(|_| file.strip_prefix("others"));
        let is_temporary = |part: Component<'_>| {
            let name = part.as_os_str().to_string_lossy();
            name.starts_with(UNPUBLISHED) || name.starts_with(".atomicwrite")
        };
        run.is_ok_and(|file| {
            file == Path::new(RUN_JSON)
                || file.components().any(is_temporary)
                || file.strip_prefix("checkpoints").is_ok_and(vnp_job::is_checkpoint_file)
        })
    },
};

/// Whether a file is a JSON object with these fields; none if it is damaged, or absent.
fn has_fields(path: &Path, fields: &[&str]) -> Option<bool> {
    let value: serde_json::Value = serde_json::from_slice(&fs_err::read(path).ok()?).ok()?;
    Some(fields.iter().all(|field| value.get(field).is_some()))
}

fn ends_in(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|found| extensions.iter().any(|end| found == *end))
}

/// The directory of a training, for [`JobDirectory::open`](vnp_job::JobDirectory::open).
pub static JOB: JobKind = JobKind {
    name: "training",
    results: &[RECORD, METRICS_JSON, METRICS_TSV, HISTORY],
    result_directories: &[BUNDLES, RUNS, PREPARATION],
    stages: &[],
    state: &[STATE],
    temporaries: &[UNFINISHED_BUNDLE, UNFINISHED_PREPARED],
    stranger: |path, has_lock| {
        let has = |name: &str| path.join(name).exists();
        if has(vnp_job::parts::RUN_JSON) || has("checkpoints/scores") {
            return Some("a run of vnp predict");
        }
        let record = has_fields(&path.join(RECORD), &["bundle", "training"]);
        if record == Some(false) {
            return Some("a train.json that no vnp train wrote");
        }
        let is_prepared =
            || has("prepared/prepared.json") && (PREPARATION.is_ours)(&path.join(PREPARED));
        let is_ours = has_lock || record == Some(true) || is_prepared();
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
        let began = open("out", Start::New).unwrap();
        fs_err::write(began.checkpoints().join("training.vnp"), "").unwrap();
        drop(began);
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
