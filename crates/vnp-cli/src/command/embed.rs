use std::path::Path;

use vnp_ckpt::{Checkpoint, Producer, RowRange, Tensor};
use vnp_infer::{Bundle, Encoder, ModelOptions};
use vnp_seq::RecordReader;

use super::{models, stdin};
use crate::args::{EmbedArgs, EncoderName};
use crate::exit::Exit;
use crate::output::grouped;

/// Records embedded between two progress lines.
const SLICE: usize = 1024;

/// `vnp embed`: one embedding per record, in input order.
pub(crate) fn run(args: &EmbedArgs) -> anyhow::Result<Exit> {
    super::use_threads(args.device.threads)?;
    // Opened first: an input that is not there should not wait for a model of gigabytes.
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
        log::info!("{} records embedded", grouped(ids.len() as u64));
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

/// Proteins keep their U, selenocysteine; nucleotides have it read as T.
fn reader(path: &Path, encoder: EncoderName) -> anyhow::Result<RecordReader> {
    let reader = stdin::records(path)?;
    Ok(match encoder {
        EncoderName::Esm2 => reader.keep_u(),
        EncoderName::DnabertS => reader,
    })
}

/// The next sequences, upper case; their ids are added to `ids`.
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
            "record \"{id}\" has no sequence: there is nothing to embed, remove it"
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

/// A bundle's encoder by the bundle's name or directory, or an encoder's own files.
fn encoder(args: &EmbedArgs) -> anyhow::Result<Box<dyn Encoder>> {
    let options = ModelOptions {
        device: args.device.device,
        precision: args.device.precision,
        esm2_batch_tokens: args.device.esm_batch_size.into(),
        dnabert_batch_tokens: args.device.dnabert_batch_size.into(),
    };
    let path = Path::new(&args.weights);
    let own_files = path.exists() && !path.join("bundle.json").is_file();
    Ok(match (args.encoder, own_files) {
        (EncoderName::Esm2, true) => Box::new(vnp_infer::load_esm2(path, &options)?),
        (EncoderName::DnabertS, true) => Box::new(vnp_infer::load_dnabert(path, None, &options)?),
        (EncoderName::Esm2, false) => Box::new(bundle(args)?.load_esm2(&options)?),
        (EncoderName::DnabertS, false) => Box::new(bundle(args)?.load_dnabert(&options)?),
    })
}

fn bundle(args: &EmbedArgs) -> anyhow::Result<Bundle> {
    models::find(&args.weights)
}
