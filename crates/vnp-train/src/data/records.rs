//! Reads labelled records from FASTA, FASTQ and GenBank files, with tables of labels and groups.

mod genbank;
pub(crate) mod table;

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use vnp_escape::escaped_path;
use vnp_seq::{Record, RecordReader};

use crate::data::class::Class;
use crate::data::coding::Coding;
use crate::data::input::Input;
use crate::data::record::LabelledRecord;
use crate::data::records::table::{Entry, Table};
use crate::error::Error;

/// The records of several files.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordSet {
    /// The records in order.
    pub records: Vec<LabelledRecord>,
    /// SHA-256 in hex over ids, labels, names, kinds and sequences in order; file names and
    /// compression do not change it.
    pub digest: String,
}

/// Reads the records of all `inputs`. `labels` is a table `id label [group [kind]]`, `groups` one
/// `id group [kind]` (`docs/TRAINING.md`); the translations of records in GenBank files are kept if
/// `coding_filter` is set.
///
/// # Errors
/// Those of reading; [`Error::Twice`] for a duplicate id or label, [`Error::Unlabelled`],
/// [`Error::NotNucleotides`], [`Error::Table`], [`Error::EmptyClass`].
pub(crate) fn read_records(
    inputs: &[Input],
    labels: Option<&Path>,
    groups: Option<&Path>,
    coding_filter: bool,
) -> Result<RecordSet, Error> {
    let labels = labels.map(Table::labels).transpose()?;
    let groups = groups.map(Table::groups).transpose()?;
    let mut reading = Reading { labels, groups, places: HashMap::new(), records: Vec::new() };
    for input in inputs {
        reading.file(input, coding_filter)?;
    }
    let ids: HashSet<&str> = reading.records.iter().map(|record| record.id.as_str()).collect();
    for table in [&reading.labels, &reading.groups].into_iter().flatten() {
        table.warn_of_unused(|id| ids.contains(id));
    }
    for class in Class::ALL {
        if !reading.records.iter().any(|record| Class::of(record.is_virus) == class) {
            return Err(Error::EmptyClass { class: class.name(), what: "records" });
        }
    }
    let digest = digest(&reading.records);
    Ok(RecordSet { records: reading.records, digest })
}

struct Reading {
    labels: Option<Table>,
    groups: Option<Table>,
    /// The place where each id was found.
    places: HashMap<String, String>,
    records: Vec<LabelledRecord>,
}

impl Reading {
    fn file(&mut self, input: &Input, coding_filter: bool) -> Result<(), Error> {
        let path = &input.path;
        let before = self.records.len();
        let mut start = Vec::new();
        let io = |cause| vnp_seq::Error::Io { path: path.clone(), cause };
        vnp_seq::open_decompressed(path)?.take(4096).read_to_end(&mut start).map_err(io)?;
        if genbank::is_genbank(&start) {
            let mut without = 0;
            let records = genbank::records(path, vnp_seq::open_decompressed(path)?);
            for (number, record) in (1..).zip(records) {
                let (record, coding) = record?;
                without += usize::from(coding.is_empty());
                self.record(input, number, record, coding_filter.then_some(coding))?;
            }
            if coding_filter && without > 0 {
                log::warn!(
                    "{}: {without} of {} records have no translated coding sequence, so that none of \
                     their frames can be confirmed: --no-cds-filter takes every ORF",
                    escaped_path(path),
                    self.records.len() - before
                );
            }
        } else {
            let mut reader = RecordReader::open(path)?;
            let mut number = 0;
            while let Some(record) = reader.next_record()? {
                number += 1;
                self.record(input, number, record, None)?;
            }
        }
        if self.records.len() == before {
            log::warn!("{} holds no records", escaped_path(path));
        }
        Ok(())
    }

    fn record(
        &mut self,
        input: &Input,
        number: u64,
        mut record: Record,
        coding: Option<Coding>,
    ) -> Result<(), Error> {
        let path = || input.path.clone();
        if record.id.is_empty() {
            return Err(Error::NoId { path: path(), record: number });
        }
        if let Some(letter) = record.invalid_letter() {
            return Err(Error::NotNucleotides { path: path(), id: record.id, letter });
        }
        let shown = |path: &Path| escaped_path(path).to_string();
        let second = format!("as record {number} of {}", shown(&input.path));
        if let Some(first) = self.places.insert(record.id.clone(), second.clone()) {
            return Err(Error::Twice { what: "record", id: record.id, first, second });
        }
        let listed = self.labels.as_ref().and_then(|table| Some((table, table.get(&record.id)?)));
        let label = listed.map(|(_, entry)| entry);
        let is_virus = match (input.is_virus, label.and_then(|entry| entry.is_virus)) {
            (Some(given), Some(other)) if given != other => {
                let as_class = |place, is_virus| format!("in {place} as {}", Class::of(is_virus));
                let line = |(table, entry): (&Table, &Entry)| {
                    as_class(format!("line {} of {}", entry.line, shown(&table.path)), other)
                };
                let first = as_class(shown(&input.path), given);
                let second = listed.map_or_else(String::new, line);
                return Err(Error::Twice { what: "record", id: record.id, first, second });
            }
            (Some(is_virus), _) | (None, Some(is_virus)) => is_virus,
            (None, None) => return Err(Error::Unlabelled { path: path(), id: record.id }),
        };
        let group = self.groups.as_ref().and_then(|table| table.get(&record.id));
        let entries = [label, group];
        let said = |of: fn(&Entry) -> &String| {
            entries.into_iter().flatten().map(of).filter(|text| !text.is_empty()).cloned()
        };
        let names = said(|entry| &entry.group).collect();
        // The table of groups comes last and takes precedence.
        let kind = said(|entry| &entry.kind).next_back().unwrap_or_default();
        record.sequence.make_ascii_uppercase();
        let (id, sequence) = (record.id, record.sequence);
        self.records.push(LabelledRecord { id, is_virus, names, kind, sequence, coding });
        Ok(())
    }
}

fn digest(records: &[LabelledRecord]) -> String {
    let mut hasher = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for record in records {
        field(record.id.as_bytes());
        field(&[u8::from(record.is_virus)]);
        record.names.iter().for_each(|name| field(name.as_bytes()));
        field(record.kind.as_bytes());
        field(&record.sequence);
        field(record.coding.as_ref().map(Coding::letters).unwrap_or_default());
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Case(tempfile::TempDir);

    impl Case {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(name);
            fs_err::write(&path, text).unwrap();
            path
        }

        fn input(&self, name: &str, text: &str, is_virus: Option<bool>) -> Input {
            Input { path: self.write(name, text), is_virus }
        }
    }

    #[test]
    fn labels_come_by_file_or_by_table() {
        let case = Case::new();
        let inputs = [
            case.input("v.fa", ">a x\nacgu\n", Some(true)),
            case.input("m.fa", ">b\nACGT\n>c\nNN\n", None),
        ];
        let labels = case.write("l.tsv", "b\thost\tg\ta\nc\tvirus\n");
        let groups = case.write("g.tsv", "b\th\tbacteria\na\th\n");
        let set = read_records(&inputs, Some(&labels), Some(&groups), true).unwrap();
        let seen: Vec<_> = set
            .records
            .iter()
            .map(|r| (r.id.as_str(), r.is_virus, r.names.join(","), r.kind.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", true, "h".to_owned(), ""),
                ("b", false, "g,h".to_owned(), "bacteria"),
                ("c", true, String::new(), "")
            ]
        );
        assert_eq!(set.records[0].sequence, b"ACGT");
    }

    fn fails(texts: &[(&str, Option<bool>)], labels: &str) -> Error {
        let case = Case::new();
        let inputs: Vec<Input> = texts
            .iter()
            .enumerate()
            .map(|(i, (text, is_virus))| case.input(&format!("{i}.fa"), text, *is_virus))
            .collect();
        let labels = case.write("l.tsv", labels);
        read_records(&inputs, Some(&labels), None, true).unwrap_err()
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let virus = (">a\nA\n", Some(true));
        let twice = (">b\nC\n>a\nC\n", Some(false));
        let Error::Twice { id, first, second, .. } = fails(&[virus, twice], "") else { panic!() };
        assert_eq!(id, "a");
        assert!(first.starts_with("as record 1 of ") && first.ends_with("0.fa"), "{first}");
        assert!(second.starts_with("as record 2 of ") && second.ends_with("1.fa"), "{second}");
        let Error::Twice { first, second, .. } = fails(&[virus], "a\thost\n") else { panic!() };
        assert!(first.ends_with("0.fa as virus") && second.ends_with("l.tsv as others"));
        let Error::Unlabelled { path, id } = fails(&[virus, (">b\nA\n", None)], "") else {
            panic!()
        };
        assert!(path.ends_with("1.fa") && id == "b");
        let Error::EmptyClass { class: "others", what: "records" } = fails(&[virus], "") else {
            panic!()
        };
        let Error::NotNucleotides { id, .. } = fails(&[(">p\nMKVLE\n", Some(true))], "") else {
            panic!()
        };
        assert_eq!(id, "p");
        let Error::NoId { record: 2, .. } = fails(&[(">x\nA\n>\nA\n", Some(true))], "") else {
            panic!()
        };
    }
}
