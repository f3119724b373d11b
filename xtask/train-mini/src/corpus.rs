//! The records to train on and to measure with, in groups of relatives.

use anyhow::Result;
use vnp_train::{Groups, KmerSet, LabelledRecord, Split};

use super::data::Data;
use super::settings::Settings;

/// A record with at least this share of its k-mers in the example file is left out; of the others,
/// only the chunks with such a k-mer are.
pub(crate) const FOREIGN_RECORD: f64 = 0.1;

/// The records in groups.
pub(crate) struct Corpus {
    pub(crate) records: Vec<LabelledRecord>,
    pub(crate) groups: Groups,
    /// The fold of each group.
    pub(crate) folds: Vec<usize>,
    /// The k-mers of the example file.
    pub(crate) foreign: KmerSet,
    /// Records left out because they are largely in the example file.
    pub(crate) dropped: Vec<String>,
}

impl Corpus {
    pub(crate) fn new(data: &mut Data, examples: &[Vec<u8>], settings: &Settings) -> Result<Self> {
        let foreign = KmerSet::new(examples.iter().map(Vec::as_slice));
        let is_foreign =
            |record: &LabelledRecord| foreign.share(&record.sequence) >= FOREIGN_RECORD;
        let (dropped, records): (Vec<_>, Vec<_>) =
            std::mem::take(&mut data.records).into_iter().partition(is_foreign);
        let groups = Groups::of_records(&records);
        let folds = groups.folds(settings.folds, settings.seed);
        let dropped = dropped.into_iter().map(|record| record.id).collect();
        Ok(Self { records, groups, folds, foreign, dropped })
    }

    /// The split of each group if fold `test` is measured with. About a tenth of the other groups are
    /// for validation, which chooses the epoch.
    pub(crate) fn splits(&self, test: Option<usize>, settings: &Settings) -> Vec<Split> {
        let tenths = self.groups.folds(10, settings.seed + 1);
        let split = |(fold, tenth): (&usize, usize)| match (Some(*fold) == test, tenth) {
            (true, _) => Split::Test,
            (false, 0) => Split::Validation,
            (false, _) => Split::Training,
        };
        self.folds.iter().zip(tenths).map(split).collect()
    }

    /// The bases and groups of each kind of organism, one line per kind.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!(
            "{} records in {} groups; left out as examples: {:?}",
            self.records.len(),
            self.groups.groups().len(),
            self.dropped
        );
        let mut kinds: Vec<_> =
            self.groups.groups().iter().map(|g| (!g.is_virus, g.kind.as_str())).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for (is_other, kind) in kinds {
            let members = self.groups.groups().iter();
            let members: Vec<_> =
                members.filter(|g| g.kind == kind && g.is_virus != is_other).collect();
            let bases: usize = members.iter().map(|group| group.size).sum();
            let line = format!("{:.2} Mb in {} groups", bases as f64 / 1e6, members.len());
            text.push_str(&format!("\n           {kind}: {line}"));
        }
        text
    }
}
