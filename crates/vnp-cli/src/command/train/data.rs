//! The inputs of a training: records or embeddings, by their content.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use vnp_infer::Bundle;
use vnp_seq::ChunkLength;
use vnp_train::{Class, Input, Preparation, Prepared, Reading, Shares, Split};

use crate::args::TrainArgs;
use crate::output::grouped;

/// What there is to learn from.
pub(super) enum Data {
    /// Records, to be cut and embedded.
    Records(Vec<Input>),
    /// Embeddings that are there.
    Embeddings(Vec<Input>),
}

impl Data {
    /// The files and directories that were given.
    pub(super) fn inputs(&self) -> &[Input] {
        match self {
            Self::Records(inputs) | Self::Embeddings(inputs) => inputs,
        }
    }

    /// Sorts what was given by what it is: a directory or a checkpoint holds embeddings.
    pub(super) fn of(args: &TrainArgs) -> anyhow::Result<Self> {
        let given = [(&args.virus, Some(true)), (&args.others, Some(false)), (&args.input, None)];
        let (mut records, mut embeddings) = (Vec::new(), Vec::new());
        for (path, is_virus) in
            given.into_iter().flat_map(|(paths, label)| paths.iter().map(move |path| (path, label)))
        {
            // A missing file is reported before anything is removed or computed.
            let metadata = fs_err::metadata(path)?;
            let path = path.clone();
            if metadata.is_dir() || is_checkpoint(&path)? {
                embeddings.push(Input { path, is_virus });
            } else {
                records.push(Input { path, is_virus });
            }
        }
        match (records.is_empty(), embeddings.is_empty()) {
            (true, true) => bail!("nothing to learn from: give --virus and --others, or --labels"),
            (false, true) => {
                let unlabelled = records.iter().find(|input| input.is_virus.is_none());
                if let (Some(input), None) = (unlabelled, &args.labels) {
                    bail!(
                        "{} is given without a label: give --labels TSV, or give it to --virus or \
                         --others",
                        input.path.display()
                    );
                }
                Ok(Self::Records(records))
            }
            (true, false) => {
                ensure!(
                    args.labels.is_none(),
                    "--labels is about records: embeddings have no use for it"
                );
                Ok(Self::Embeddings(embeddings))
            }
            (false, false) => bail!(
                "{} holds records and {} embeddings: give one or the other",
                shown(records.iter().map(|input| &input.path)),
                shown(embeddings.iter().map(|input| &input.path))
            ),
        }
    }
}

/// Whether a file starts as checkpoints do; those of PyTorch are ZIP archives, or older and go by
/// their name.
fn is_checkpoint(path: &Path) -> anyhow::Result<bool> {
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(4).read_to_end(&mut start).context("cannot read")?;
    let named = path.extension().is_some_and(|end| ["pt", "pth", "vnp"].iter().any(|e| end == *e));
    Ok(named || start.starts_with(b"PK\x03\x04"))
}

fn shown<'a>(mut paths: impl Iterator<Item = &'a PathBuf>) -> String {
    paths.next().map(|path| path.display().to_string()).unwrap_or_default()
}

fn shares(args: &TrainArgs) -> Shares {
    Shares { validation: args.validation_share, test: args.test_share }
}

/// What to prepare.
pub(super) fn preparation(
    args: &TrainArgs,
    inputs: &[Input],
    chunk_length: ChunkLength,
) -> Preparation {
    Preparation {
        inputs: inputs.to_vec(),
        labels: args.labels.clone(),
        groups: args.groups.clone(),
        coding_filter: !args.no_cds_filter,
        chunk_length,
        hosts_per_virus: args.hosts_per_virus,
        shares: shares(args),
        seed: args.seed,
    }
}

/// How to read embeddings.
pub(super) fn reading<'a>(args: &'a TrainArgs, bundle: &Bundle) -> Reading<'a> {
    Reading {
        groups: args.groups.as_deref(),
        shares: shares(args),
        hosts_per_virus: args.hosts_per_virus,
        seed: args.seed,
        sizes: (bundle.nucleotide_hidden_size(), bundle.protein_hidden_size()),
    }
}

/// What was prepared, and what was left out.
pub(super) fn tell(prepared: &Prepared) {
    let record = &prepared.record;
    let count = |counts: &std::collections::BTreeMap<String, usize>, class: Class| {
        grouped(counts.get(class.name()).copied().unwrap_or_default() as u64)
    };
    for class in Class::ALL {
        let chosen = record.chosen.get(class.name());
        let chunks = Split::ALL.map(|split| {
            let count = chosen.and_then(|chosen| chosen.get(split.name()));
            format!("{} {split}", grouped(count.copied().unwrap_or_default() as u64))
        });
        log::info!(
            "{class}: {} records in {} groups; chunks: {}",
            count(&record.records, class),
            count(&record.groups, class),
            chunks.join(", ")
        );
    }
    let tally = &record.tally;
    let left_out = [
        (tally.with_ambiguous_letters, "with ambiguous letters"),
        (tally.without_orf, "without an ORF"),
        (tally.without_coding_frame, "without a frame in a coding sequence"),
        (tally.sharing_kmers_with_a_later_split, "sharing 21 bases with a later part"),
    ];
    let left_out: Vec<String> = left_out
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{} {why}", grouped(count as u64)))
        .collect();
    if !left_out.is_empty() {
        let cut = grouped(tally.cut as u64);
        log::info!("of {cut} chunks left out: {}", left_out.join(", "));
    }
    let both = &record.groups_in_both_classes;
    if let Some(first) = both.first() {
        log::warn!(
            "{} groups hold viruses and others (first: {first}): prophages, or wrong labels",
            both.len()
        );
    }
}
