//! `vnp embed`: one embedding per record, written as a checkpoint.

use std::path::Path;

use vnp_ckpt::{Checkpoint, Producer, RowRange, Tensor};
use vnp_infer::Encoder;
use vnp_seq::RecordReader;

use super::threads::use_threads;
use super::{bundles, stdin};
use crate::args::{EmbedArgs, EncoderName};
use crate::exit::Exit;
use crate::output::counted;

/// Records that are embedded between two progress messages.
const SLICE: usize = 1024;

/// `vnp embed`: one embedding per record, in input order.
pub(crate) fn run(args: &EmbedArgs) -> anyhow::Result<Exit> {
    use_threads(args.device.threads)?;
    // Opened first: a missing input is reported before a model of gigabytes is loaded.
    let mut reader = reader(&args.input, args.encoder)?;
    let encoder = encoder(args)?;
    let (mut ids, mut values) = (Vec::new(), Vec::new());
    loop {
        let sequences = slice(&mut reader, args.encoder, &mut ids)?;
        if sequences.is_empty() {
            break;
        }
        let sequences: Vec<&str> = sequences.iter().map(String::as_str).collect();
        values.extend(encoder.embed(&sequences)?);
        log::info!("{} embedded", counted(ids.len() as u64, "record"));
    }
    let rows = ids.len();
    if rows == 0 {
        log::warn!("the input holds no records");
    }
    let checkpoint = Checkpoint::builder("embedding")
        .rows(RowRange::new(0, rows as u64))
        .ids(ids)
        .tensor("embedding", Tensor::from_f32([rows, encoder.hidden_size()], values)?)
        .metadata("encoder", encoder.name())
        .metadata("precision", args.device.precision.to_string())
        .producer(Producer { name: "vnp".into(), version: env!("CARGO_PKG_VERSION").into() })
        .build()?;
    vnp_ckpt::atomic_save(&args.output, &checkpoint)?;
    Ok(Exit::Done)
}

/// The reader of the input. In proteins U is selenocysteine; in nucleotides it is read as T.
fn reader(path: &Path, encoder: EncoderName) -> anyhow::Result<RecordReader> {
    let reader = stdin::records(path)?;
    Ok(match encoder {
        EncoderName::Esm2 => reader.keep_u(),
        EncoderName::DnabertS => reader,
    })
}

/// Reads the next sequences, in upper case, and adds their ids to `ids`.
fn slice(
    reader: &mut RecordReader,
    encoder: EncoderName,
    ids: &mut Vec<String>,
) -> anyhow::Result<Vec<String>> {
    let mut sequences = Vec::new();
    while sequences.len() < SLICE
        && let Some(mut record) = reader.next_record()?
    {
        let id = &record.id;
        anyhow::ensure!(
            !record.sequence.is_empty(),
            "record \"{id}\" has no sequence and cannot be embedded: remove it from the input"
        );
        if encoder == EncoderName::DnabertS
            && let Some(letter) = record.invalid_letter()
        {
            anyhow::bail!("record \"{id}\": {letter}");
        }
        record.sequence.make_ascii_uppercase();
        sequences.push(String::from_utf8_lossy(&record.sequence).into_owned());
        ids.push(record.id);
    }
    Ok(sequences)
}

/// Loads the encoder of a bundle, or one from its own files.
fn encoder(args: &EmbedArgs) -> anyhow::Result<Box<dyn Encoder>> {
    let options = args.device.model_options();
    let path = Path::new(&args.weights);
    let own_files = path.exists() && !path.join("bundle.json").is_file();
    Ok(match (args.encoder, own_files) {
        (EncoderName::Esm2, true) => Box::new(vnp_infer::load_esm2(path, &options)?),
        (EncoderName::DnabertS, true) => Box::new(vnp_infer::load_dnabert(path, None, &options)?),
        (EncoderName::Esm2, false) => Box::new(bundles::find(&args.weights)?.load_esm2(&options)?),
        (EncoderName::DnabertS, false) => {
            Box::new(bundles::find(&args.weights)?.load_dnabert(&options)?)
        }
    })
}
