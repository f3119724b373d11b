//! What the commands read: sequences, a bundle with encoders of published sizes, and checkpoints.

use std::fmt::Write as _;

use anyhow::Result;
use vnp_infer::{BundleWriter, Tensors};

use super::scenario::Scenario;
use crate::checkpoint::checkpoint;
use crate::draw::Draw;
use crate::infer::ours::{tensors, tokenizer};
use crate::infer::shape::Shape;
use crate::place::Place;

/// Checkpoints of 133 MB: one gigabyte.
const CHECKPOINTS: usize = 8;

/// Writes the files.
pub(crate) struct Files<'a> {
    pub(crate) place: &'a Place,
}

impl Files<'_> {
    /// Writes what these commands read.
    pub(crate) fn write(&self, scenarios: &[Scenario]) -> Result<()> {
        // Poor in T, and so in stop codons of both strands: half of the frames are open.
        let letters = b"CGCGACGCGACGCGACGCGACGCGACGCGAT";
        self.fasta("long.fa", 3_000, 1_000, letters)?;
        // Some dozens of ORFs, each of which costs a second and more.
        self.fasta("short.fa", 8, 500, letters)?;
        self.fasta("virus.fa", 150, 3_000, b"CGCAACGCAACGCAACGCAACGCAACGCAAT")?;
        self.fasta("others.fa", 150, 3_000, letters)?;
        if [Scenario::PredictT33, Scenario::ImportT33].iter().any(|one| scenarios.contains(one)) {
            self.bundle()?;
        }
        if scenarios.contains(&Scenario::ValidateCheckpoints) {
            let checkpoint = checkpoint()?;
            fs_err::create_dir(self.place.path("checkpoints"))?;
            for number in 0..CHECKPOINTS {
                let name = format!("checkpoints/part-{number}.vnp");
                vnp_ckpt::atomic_save(&self.place.path(&name), &checkpoint)?;
            }
        }
        Ok(())
    }

    fn fasta(&self, name: &str, records: usize, length: usize, letters: &[u8]) -> Result<()> {
        let mut draw = Draw::new(name);
        let mut text = String::new();
        for record in 0..records {
            let sequence: String = (0..length).map(|_| draw.letter(letters)).collect();
            writeln!(text, ">{name}-{record}\n{sequence}")?;
        }
        Ok(fs_err::write(self.place.path(name), text)?)
    }

    /// The sizes of ESM-2 650M and DNABERT-2, random weights in f16 as published ones.
    fn bundle(&self) -> Result<()> {
        let (t33, dnabert) = (Shape::T33.size(), Shape::Dnabert.size());
        let (esm2_config, dnabert_config) = (t33.esm2_config(), dnabert.dnabert_config());
        let mut writer = BundleWriter::new(
            (esm2_config.clone(), tensors(esm2_config.tensors())),
            (dnabert_config.clone(), tensors(dnabert_config.tensors())),
            tokenizer(dnabert)?,
            head(t33.hidden + dnabert.hidden),
        )?;
        writer.name = "t33".to_owned();
        writer.expected_length = 500;
        writer.licence = "none: random weights".to_owned();
        writer.write(&self.place.path("t33"))?;
        Ok(())
    }
}

/// A head with random weights over this many features.
pub(crate) fn head(features: usize) -> Tensors {
    const UNITS: usize = 512;
    let mut tensors = Tensors::default();
    let draw = |name: &str, count| Draw::new(name).values(count, 0.02);
    let hidden = draw("hidden_layer.weight", UNITS * features);
    tensors.insert_f32("hidden_layer.weight", &[UNITS, features], &hidden);
    tensors.insert_f32("output_layer.weight", &[2, UNITS], &draw("output_layer", 2 * UNITS));
    tensors.insert_f32("output_layer.bias", &[2], &[0.0; 2]);
    for (name, value) in [
        ("hidden_layer.bias", 0.0),
        ("bn1.weight", 1.0),
        ("bn1.bias", 0.0),
        ("bn1.running_mean", 0.0),
        ("bn1.running_var", 1.0),
    ] {
        tensors.insert_f32(name, &[UNITS], &[value; UNITS]);
    }
    tensors
}
