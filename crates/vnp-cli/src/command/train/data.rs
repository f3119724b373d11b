//! The inputs of a training: records or embeddings, by their content.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use vnp_escape::escaped_path;
use vnp_train::Input;

use crate::args::TrainArgs;

/// The files and directories to learn from.
pub(super) enum Inputs {
    /// Records, to be cut and embedded.
    Records(Vec<Input>),
    /// Existing embeddings.
    Embeddings(Vec<Input>),
}

impl Inputs {
    /// Sorts the inputs by their content: a directory or a checkpoint holds embeddings.
    pub(super) fn of(args: &TrainArgs) -> anyhow::Result<Self> {
        let given = [(&args.virus, Some(true)), (&args.others, Some(false)), (&args.input, None)];
        let (mut records, mut embeddings) = (Vec::new(), Vec::new());
        for (path, is_virus) in
            given.into_iter().flat_map(|(paths, label)| paths.iter().map(move |path| (path, label)))
        {
            // A missing file is reported before anything is removed or computed.
            ensure!(
                path.as_os_str() != "-",
                "training reads its data more than once, which standard input cannot be: write them \
                 to a file first"
            );
            let metadata = fs_err::metadata(path)?;
            ensure!(
                metadata.is_dir() || metadata.is_file(),
                "{} is neither a file nor a directory: training reads its data more than once, write \
                 them to a file first",
                escaped_path(path)
            );
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
                        escaped_path(&input.path)
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
    paths.next().map(|path| escaped_path(path).to_string()).unwrap_or_default()
}
