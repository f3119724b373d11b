//! Writing the output of a run that embeds records, from its parts.

use std::path::Path;

use vnp_ckpt::{Checkpoint, Dtype, Format, Limits, Producer, RowRange, Value};
use vnp_job::parts::{IDENTITY_KEY, Inventory, Stage};
use vnp_job::{JobDirectory, StopFlag, remove_file_if_there};

use super::failures::Failures;
use super::identity::EmbedIdentity;
use super::options::EncoderInfo;
use super::output::{FAILED, KIND, Output};
use super::records::Records;
use crate::error::Error;

const EMBEDDING: &str = "embedding";
const STATUS: &str = "status";

/// Everything that the output is written from.
pub(super) struct Publication<'a> {
    pub(super) output: &'a Output,
    pub(super) directory: &'a JobDirectory,
    pub(super) encoder: &'a EncoderInfo,
    pub(super) identity: &'a EmbedIdentity,
    /// The ids of all rows.
    pub(super) ids: Vec<String>,
    /// The digest of the input when it was first read.
    pub(super) input_digest: &'a str,
    pub(super) stop: &'a StopFlag,
}

impl Publication<'_> {
    /// Writes the output from the parts, whose rows are compared with the input, read again. Returns the
    /// failed rows.
    ///
    /// The native file is written row by row; another format is written from its mapped pages. Both are
    /// written where the parts lie, so that a killed process leaves nothing next to the output.
    pub(super) fn write(
        mut self,
        stage: Stage,
        inventory: &Inventory,
        records: Records,
    ) -> Result<Failures, Error> {
        let (complete, native) = self.output.unpublished(self.directory);
        let failed = self.write_native(&native, stage, inventory, records)?;
        if self.output.format() != Format::Native {
            let checkpoint = Checkpoint::open(&native, &Limits::default())?.map()?;
            self.output.format().save(&complete, &checkpoint)?;
            drop(checkpoint);
            remove_file_if_there(&native)?;
        }
        self.stop.check()?;
        self.directory.check_lock()?;
        self.output.publish(&complete, self.directory)?;
        Ok(failed)
    }

    /// The header, which has the number, comes before the rows.
    fn count_failed(&self, stage: Stage, inventory: &Inventory) -> Result<u64, Error> {
        let mut failed = 0;
        for part in inventory.parts(stage) {
            self.stop.check()?;
            let status = Checkpoint::open(&part.path, &Limits::default())?.tensor(STATUS)?;
            let status = status.map(|status| status.as_u8().map(<[u8]>::to_vec)).transpose()?;
            failed += status.iter().flatten().filter(|status| **status != 0).count() as u64;
        }
        Ok(failed)
    }

    fn write_native(
        &mut self,
        path: &Path,
        stage: Stage,
        inventory: &Inventory,
        mut records: Records,
    ) -> Result<Failures, Error> {
        let EncoderInfo { name, precision, hidden_size, .. } = self.encoder;
        let rows = RowRange::new(0, self.ids.len() as u64);
        let missing = inventory.missing(stage, rows);
        if !missing.is_empty() {
            return Err(Error::Incomplete { stage, missing });
        }
        let count = self.count_failed(stage, inventory)?;
        let mut writer = Checkpoint::builder(KIND)
            .rows(rows)
            .ids(std::mem::take(&mut self.ids))
            .streamed_tensor(EMBEDDING, Dtype::F32, [*hidden_size])
            .streamed_tensor(STATUS, Dtype::U8, [])
            .metadata("encoder", name.as_str())
            .metadata("precision", precision.as_str())
            .metadata(IDENTITY_KEY, Value::Map(self.identity.fields().clone()))
            .metadata(FAILED, i64::try_from(count).unwrap_or(i64::MAX))
            .producer(Producer { name: "vnp".into(), version: env!("CARGO_PKG_VERSION").into() })
            .create(path)?;
        let changed = |found: String| Error::InputChanged { found };
        let (mut row, mut failed) = (0, Failures::default());
        for part in inventory.parts(stage) {
            let values = part.read()?;
            let mut status = Vec::with_capacity(values.len());
            for index in 0..values.len() {
                self.stop.check()?;
                let ended = || changed(format!("it ended after {row} records"));
                let record = records.next()?.ok_or_else(ended)?;
                if let Err(found) = values.check(index, record.source()) {
                    let (path, expected) = (part.path.clone(), record.id);
                    return Err(Error::RowMismatch { path, row, expected, found });
                }
                if values.is_failed(index) {
                    let not_finite = || "its embedding is not finite".to_owned();
                    failed.add(&record.id, record.failure.unwrap_or_else(not_finite));
                }
                status.push(u8::from(values.is_failed(index)));
                row += 1;
            }
            writer.append(EMBEDDING, values.slice(&(0..values.len())))?;
            writer.append(STATUS, &status)?;
        }
        if records.next()?.is_some() || records.digest() != self.input_digest {
            return Err(changed(format!("its digest is now {}", records.digest())));
        }
        writer.finish()?;
        Ok(failed)
    }
}
