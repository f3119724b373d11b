use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use vnp_infer::{Bundle, BundleWriter, Head};
use vnp_train::{Class, Embedded, Encoders, Evaluation, HeadRecipe, Prepared, Split, TrainedHead};

use super::output::{Output, UNPUBLISHED, names};
use crate::args::TrainArgs;

/// A trained head with everything that it was made of.
pub(super) struct Made<'a> {
    pub(super) args: &'a TrainArgs,
    pub(super) model: &'a Bundle,
    pub(super) encoders: &'a Encoders,
    pub(super) recipe: &'a HeadRecipe,
    pub(super) embedded: &'a Embedded,
    pub(super) prepared: Option<&'a Prepared>,
    pub(super) head: &'a TrainedHead,
}

impl Made<'_> {
    /// Measures the head and writes metrics, history, bundle and, last, the record of it all. The
    /// same training writes the same again.
    pub(super) fn write(&self, output: &Output) -> anyhow::Result<()> {
        let measured = self.measure()?;
        output.directory().write_history(&self.head.history)?;
        output.directory().write_metrics(&measured)?;
        measured.iter().for_each(tell);
        let measured = Evaluation::json(&measured)?;
        let directory = output.path().join(names::BUNDLE);
        let bundle = self.write_bundle(&directory, &measured)?;
        let record = serde_json::to_string_pretty(&self.record(&bundle, &measured))? + "\n";
        publish(&output.path().join(names::TRAIN), &record)?;
        log::info!(
            "the best of {} epochs was {}",
            self.head.history.len(),
            self.head.best_epoch + 1
        );
        log::info!(
            "bundle {} for chunks of {} bp is in {}; metrics are beside it",
            bundle.name(),
            bundle.expected_length(),
            directory.display()
        );
        Ok(())
    }

    /// The parts that were not learned from. Validation flatters a little: the epoch was chosen by
    /// it.
    fn measure(&self) -> anyhow::Result<Vec<Evaluation>> {
        let examples = &self.embedded.examples;
        let tensors = self.head.tensors.clone();
        let head = Head::new(tensors, examples.nucleotide_size, examples.protein_size)?;
        let scores = examples.score(&head)?;
        let splits = [Split::Validation, Split::Test].into_iter();
        let has_rows = |split: &Split| examples.groups.iter().any(|group| group.split == *split);
        let measured =
            splits.filter(has_rows).map(|split| Evaluation::of(examples, &scores, split));
        Ok(measured.collect::<Result<_, _>>()?)
    }

    fn write_bundle(&self, directory: &Path, measured: &Value) -> anyhow::Result<Bundle> {
        let mut writer =
            BundleWriter::of(self.model).with_head(self.head.tensors.clone())?.without_fallback();
        writer.name = bundle_name(self.args);
        writer.expected_length = self.encoders.chunk_length;
        writer.further_lengths.clear();
        writer.provenance = self.provenance(measured);
        put(&writer, directory)
    }

    /// What the bundle says of itself.
    fn provenance(&self, measured: &Value) -> Value {
        let model = self.model.name();
        let rows = |is_virus| {
            self.embedded.examples.rows.iter().filter(|row| row.is_virus == is_virus).count()
        };
        json!({
            "summary": format!(
                "the encoders of {model} with a head that vnp train made of {} viral and {} other frames",
                rows(true),
                rows(false)
            ),
            "encoders": { "bundle": model, "provenance": self.model.provenance() },
            "training": self.training(),
            "test": measured,
        })
    }

    /// Data, settings and course of the training; nothing of times and places.
    fn training(&self) -> Value {
        let head = self.head;
        json!({
            "producer": concat!("vnp ", env!("CARGO_PKG_VERSION")),
            "data": self.prepared.map(|prepared| &prepared.record),
            "examples": self.count(),
            "seed": self.args.seed,
            "recipe": self.recipe,
            "epochs": head.history.len(),
            "best_epoch": head.best_epoch + 1,
            "device": self.args.device.device.to_string(),
            "precision": self.encoders.precision,
        })
    }

    fn count(&self) -> Value {
        let Embedded { examples, rows_failed, rows_left_out, .. } = self.embedded;
        let of = |split, class| {
            let rows = examples.rows.iter().filter(|row| Class::of(row.is_virus) == class);
            let group = |row: &&vnp_train::Row| examples.groups.get(row.group);
            rows.filter(|row| group(row).is_some_and(|group| group.split == split)).count()
        };
        let splits = Split::ALL.map(|split| {
            let groups = examples.groups.iter().filter(|group| group.split == split).count();
            let [virus, others] = Class::ALL.map(|class| of(split, class));
            let counts =
                json!({ "virus_frames": virus, "others_frames": others, "groups": groups });
            (split.name().to_owned(), counts)
        });
        let mut counts = serde_json::Map::from_iter(splits);
        counts.insert("frames_failed".to_owned(), json!(rows_failed));
        counts.insert("frames_left_out".to_owned(), json!(rows_left_out));
        counts.into()
    }

    /// `train.json`.
    fn record(&self, bundle: &Bundle, measured: &Value) -> Value {
        json!({
            "bundle": described(bundle),
            "model": self.args.model,
            "inputs": inputs(self.args),
            "training": self.training(),
            "measured": measured,
        })
    }
}

/// The name asked for, or that of the output directory.
pub(super) fn bundle_name(args: &TrainArgs) -> String {
    match (&args.name, args.output_dir.file_name()) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) => name.to_string_lossy().into_owned(),
        (None, None) => "trained".to_owned(),
    }
}

/// Writes a bundle where it belongs.
pub(super) fn put(writer: &BundleWriter, directory: &Path) -> anyhow::Result<Bundle> {
    // What lies there is of this very training, which this session was allowed to continue.
    if directory.exists() {
        fs_err::remove_dir_all(directory)?;
    }
    Ok(writer.write(directory)?)
}

/// The bundle, for `train.json`.
pub(super) fn described(bundle: &Bundle) -> Value {
    json!({
        "name": bundle.name(),
        "expected_length": bundle.expected_length(),
        "digests": bundle.digests(),
    })
}

/// What was given to learn from, for `train.json`.
pub(super) fn inputs(args: &TrainArgs) -> Value {
    let shown = |paths: &[std::path::PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.display().to_string()).collect()
    };
    json!({
        "virus": shown(&args.virus),
        "others": shown(&args.others),
        "labelled": shown(&args.input),
    })
}

/// The figures that say most.
pub(super) fn tell(evaluation: &Evaluation) {
    let figure = |value: Option<f64>| value.map_or("NA".to_owned(), |value| format!("{value:.3}"));
    let chunks = &evaluation.chunks;
    log::info!(
        "{}, by chunks: AUROC {}, balanced accuracy {}, precision {}, recall {}",
        evaluation.split,
        figure(chunks.auroc),
        figure(chunks.balanced_accuracy),
        figure(chunks.precision),
        figure(chunks.recall)
    );
}

/// Puts a whole file in the place of what is there.
pub(super) fn publish(path: &Path, text: &str) -> anyhow::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any other file: the user's mask decides.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(UNPUBLISHED).tempfile_in(directory)?;
    file.write_all(text.as_bytes()).context("cannot write")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    if cfg!(unix) {
        fs_err::File::open(directory)?.sync_all()?;
    }
    Ok(())
}
