//! Embeddings of runs and of PyTorch files, read as examples.

use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, RowRange, Tensor, Value};
use vnp_seq::{ChunkLength, find_orfs};

use crate::data::class::Class;
use crate::data::embedded::inputs::Reading;
use crate::data::embedded::merged::read_merged;
use crate::data::embedded::run::row_id;
use crate::data::embedded::source::Embedded;
use crate::data::input::Input;
use crate::data::preparation::Preparation;
use crate::data::prepare::prepare;
use crate::data::prepared::{Prepared, PreparedChunk};
use crate::data::shares::Shares;
use crate::error::Error;
use crate::split::Split;
use crate::testing::open_bases;

/// The numbers of values of a nucleotide and of a protein embedding.
const SIZES: (usize, usize) = (2, 3);

/// Writes the files of a finished run that keeps its embeddings, with three rows per part; the values of
/// a row are its index.
fn run(dir: &Path, ids: &[String], failed: &[usize]) {
    for (kind, width) in [("nucleotide", SIZES.0), ("protein", SIZES.1)] {
        let folder = dir.join("checkpoints").join(kind);
        fs_err::create_dir_all(&folder).unwrap();
        for (part, ids) in ids.chunks(3).enumerate() {
            let (start, rows) = (part * 3, ids.len());
            let values = (0..rows * width).map(|i| (start + i / width) as f32).collect();
            let status = (start..start + rows).map(|row| u8::from(failed.contains(&row))).collect();
            let range = RowRange::new(start as u64, (start + rows) as u64);
            let identity =
                [("dnabert", "d"), ("esm2", "e"), ("precision", "f32"), ("chunk_length", "300")];
            let identity = identity.map(|(field, value)| (field.to_owned(), Value::from(value)));
            let checkpoint = Checkpoint::builder(kind)
                .rows(range)
                .ids(ids.to_vec())
                .tensor("embedding", Tensor::from_f32([rows, width], values).unwrap())
                .tensor("status", Tensor::from_u8([rows], status).unwrap())
                .tensor("frame", Tensor::from_i64([rows], vec![0; rows]).unwrap())
                .metadata("identity", Value::Map(identity.into()))
                .build()
                .unwrap();
            let name = format!("rows-{start:012}-{:012}.vnp", start + rows);
            vnp_ckpt::atomic_save(&folder.join(name), &checkpoint).unwrap();
        }
    }
    let manifest = format!("{{\"counts\": {{\"rows\": {}}}}}", ids.len());
    fs_err::write(dir.join("run.json"), manifest).unwrap();
}

fn ids(record: &str, chunks: usize) -> Vec<String> {
    let of_chunk = |chunk| ["F1", "R2"].map(|frame| format!("{record}_chunk_{chunk}{frame}"));
    (1..=chunks).flat_map(of_chunk).collect()
}

struct Case(tempfile::TempDir);

impl Case {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, name: &str, ids: &[String], failed: &[usize]) -> PathBuf {
        run(&self.path(name), ids, failed);
        self.path(name)
    }
}

fn prepared(case: &Case) -> Prepared {
    for (name, seeds) in [("virus", 0..4), ("others", 10..14)] {
        let record =
            |i| format!(">{name}{i}\n{}\n", String::from_utf8(open_bases(i, 900)).unwrap());
        fs_err::write(case.path(&format!("{name}.fa")), seeds.map(record).collect::<String>())
            .unwrap();
    }
    let input = |class: Class| Input {
        path: case.path(&format!("{class}.fa")),
        is_virus: Some(class == Class::Virus),
    };
    let options = Preparation {
        inputs: Class::ALL.map(input).to_vec(),
        labels: None,
        groups: None,
        coding_filter: true,
        chunk_length: ChunkLength::new(300).unwrap(),
        hosts_per_virus: 1.0,
        shares: Shares::default(),
        seed: 1,
    };
    prepare(&options, &case.path("prepared"), None).unwrap()
}

fn rows_of(prepared: &Prepared, class: Class) -> Vec<String> {
    let frames = |(_, chunk): (usize, &PreparedChunk)| {
        let open = find_orfs(&chunk.sequence).into_iter();
        open.map(|open| row_id(&chunk.id, open.frame)).collect::<Vec<_>>()
    };
    prepared.of_class(class).flat_map(frames).collect()
}

#[test]
fn prepared_chunks_and_kept_parts_make_examples() {
    let case = Case::new();
    let mut prepared = prepared(&case);
    let (virus, others) = Class::ALL.map(|class| rows_of(&prepared, class)).into();
    let runs = [case.run("v", &virus, &[1]), case.run("o", &others, &[])];
    // A frame that no coding sequence confirms.
    let frames = &mut prepared.chunks[0].frames;
    assert!(frames.len() > 1, "{frames:?}");
    frames.remove(0);
    let read = Embedded::of_prepared(&prepared, &runs[0], &runs[1]).unwrap();
    let Embedded { examples, encoders, rows_failed, rows_left_out } = read;
    assert_eq!((rows_failed, rows_left_out), (1, 1));
    assert_eq!((examples.nucleotide_size, examples.protein_size), (2, 3));
    assert_eq!(examples.rows.len(), virus.len() + others.len() - 2);
    assert_eq!(examples.rows[0].id, virus[2]);
    assert_eq!(examples.features[..5], [2.0; 5]);
    assert_eq!(examples.features.len(), examples.rows.len() * 5);
    let last = examples.rows.last().unwrap();
    assert_eq!((last.id.as_str(), last.is_virus), (others.last().unwrap().as_str(), false));
    assert_eq!(examples.features.last(), Some(&((others.len() - 1) as f32)));
    for row in &examples.rows {
        let chunk =
            prepared.chunks.iter().find(|c| row.id.starts_with(&format!("{}_", c.id))).unwrap();
        assert_eq!(examples.groups[row.group], prepared.groups[chunk.group]);
        assert_eq!(row.is_virus, chunk.is_virus);
    }
    assert_eq!(encoders.unwrap().esm2, "e");
    assert!(examples.rows.is_sorted_by_key(|row| row.chunk));
    assert_eq!(examples.chunks, examples.rows.last().unwrap().chunk + 1);
}

#[test]
fn embeddings_of_something_else_are_refused() {
    let case = Case::new();
    let prepared = prepared(&case);
    let (virus, others) = Class::ALL.map(|class| rows_of(&prepared, class)).into();
    let o = case.run("o", &others, &[]);
    let refused = |run: &Path| {
        let error = Embedded::of_prepared(&prepared, run, &o).unwrap_err();
        assert!(error.is_checkpoint_issue(), "{error}");
        error
    };
    let Error::Job(vnp_job::Error::Mismatch { what, .. }) = refused(&o) else { panic!() };
    assert!(what.starts_with("row 0") || what == "the number of rows", "{what}");
    let mut swapped = virus.clone();
    swapped.swap(3, 4);
    let Error::Job(vnp_job::Error::Mismatch { what, expected, found, .. }) =
        refused(&case.run("s", &swapped, &[]))
    else {
        panic!()
    };
    assert_eq!((what.as_str(), expected, found), ("row 3", virus[3].clone(), virus[4].clone()));
    let v = case.run("v", &virus, &[]);
    let part = v.join("checkpoints/protein/rows-000000000003-000000000006.vnp");
    let mut bytes = fs_err::read(&part).unwrap();
    let at = bytes.len() - 70;
    bytes[at] ^= 1;
    fs_err::write(&part, bytes).unwrap();
    let Error::Checkpoint(_) = refused(&v) else { panic!() };
    fs_err::remove_file(&part).unwrap();
    let Error::Job(vnp_job::Error::MissingParts { reason, .. }) = refused(&v) else { panic!() };
    assert!(reason.contains("rows 3..6"), "{reason}");
    fs_err::remove_file(v.join("run.json")).unwrap();
    let Error::Job(vnp_job::Error::MissingParts { reason, .. }) = refused(&v) else { panic!() };
    assert!(reason.contains("run.json"), "{reason}");
}

fn given(case: &Case) -> Vec<Input> {
    let input = |class: Class, records: usize| {
        let rows: Vec<String> = (0..records).flat_map(|r| ids(&format!("{class}{r}"), 4)).collect();
        let path = case.run(class.name(), &rows, &[0]);
        Input { path, is_virus: Some(class == Class::Virus) }
    };
    vec![input(Class::Virus, 6), input(Class::Others, 12)]
}

fn reading(inputs: &[Input], groups: Option<&Path>) -> Reading {
    let shares = Shares::default();
    let (inputs, groups) = (inputs.to_vec(), groups.map(Path::to_owned));
    Reading { inputs, chunk_length: 500, groups, shares, hosts_per_virus: 1.0, seed: 1 }
}

#[test]
fn runs_of_ones_own_are_split_by_record_or_group() {
    let case = Case::new();
    let inputs = given(&case);
    let read = Embedded::read(&reading(&inputs, None), SIZES).unwrap();
    assert_eq!(read.rows_failed, 2);
    let viral = read.examples.rows.iter().filter(|row| row.is_virus).count();
    assert_eq!(viral, 47);
    // The hosts match the viral chunks of each split.
    for split in Split::ALL {
        let rows = read.examples.rows.iter();
        let chunks = |is_virus| {
            let rows = rows.clone().filter(|row| read.examples.groups[row.group].split == split);
            let mut chunks: Vec<_> =
                rows.filter(|row| row.is_virus == is_virus).map(|row| row.chunk).collect();
            chunks.dedup();
            chunks.len()
        };
        assert!(chunks(true) > 0);
        assert_eq!(chunks(true).min(8), chunks(false).min(8), "{split}");
    }
    let table = case.path("groups.tsv");
    fs_err::write(&table, "virus0\tone\tphages\nvirus1\tone\n").unwrap();
    let read = Embedded::read(&reading(&inputs, Some(&table)), SIZES).unwrap().examples;
    let group = |record: &str| {
        let row = read.rows.iter().find(|row| row.id.starts_with(record)).unwrap();
        (row.group, read.groups[row.group].name.as_str())
    };
    assert_eq!(group("virus0_").1, "one");
    assert_eq!(group("virus0_"), group("virus1_"));
    assert_ne!(group("virus2_"), group("virus3_"));
}

#[test]
fn given_embeddings_are_checked() {
    let case = Case::new();
    let mut inputs = given(&case);
    let read = |inputs: &[Input]| Embedded::read(&reading(inputs, None), SIZES).unwrap_err();
    let wide = Embedded::read(&reading(&inputs, None), (3, 2));
    let Err(Error::Job(vnp_job::Error::Mismatch { what, .. })) = wide else { panic!() };
    assert_eq!(what, "the sizes of the embeddings");
    inputs.push(inputs[0].clone());
    let Error::Twice { what: "row", id, .. } = read(&inputs) else { panic!() };
    assert_eq!(id, "virus0_chunk_1R2");
    inputs[2].is_virus = None;
    let Error::Job(vnp_job::Error::Mismatch { what, .. }) = read(&inputs) else { panic!() };
    assert_eq!(what, "the label of a run");
    inputs.truncate(1);
    let Error::EmptyClass { class: "others", .. } = read(&inputs) else { panic!() };
}

#[test]
fn merged_files_of_pytorch_have_their_own_labels() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/torch");
    let read = |name: &str, label, sizes| read_merged(&fixtures.join(name), label, sizes);
    let table = read("labels.pt", None, (1, 3)).unwrap();
    assert_eq!((table.ids.len(), table.is_virus), (3, vec![true; 3]));
    assert_eq!(table.features[4..8], [4.0, 5.0, 6.0, 7.0]);
    let labels = read("labels_tensor.pt", None, (1, 3)).unwrap().is_virus;
    assert_eq!(labels, [false, true, true]);
    assert!(!read("v1_merged.pt", Some(false), (1, 3)).unwrap().is_virus[0]);
    let wrong = |name: &str, label, sizes| {
        let Err(Error::Job(vnp_job::Error::Mismatch { what, .. })) = read(name, label, sizes)
        else {
            panic!()
        };
        what
    };
    assert_eq!(wrong("labels.pt", Some(false), (1, 3)), "the label in the file");
    assert_eq!(wrong("labels.pt", None, (2, 3)), "the shape of the data");
    assert_eq!(wrong("v1_merged.pt", None, (1, 3)), "the label");
    assert_eq!(wrong("head_state_dict.pth", None, (1, 3)), "the content");
}
