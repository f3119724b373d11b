//! Embeddings taken from the output directory of a run of the Python tools.

use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, RowRange, Tensor};

use crate::support::{Bench, Nucleotides, shared};

const RUN: [&str; 6] = ["predict", "in.fa", "-o", "out", "--resume-from", "old"];

/// The embeddings of one stage.
#[derive(Clone)]
struct Features {
    ids: Vec<String>,
    rows: Vec<Vec<f32>>,
}

impl Features {
    /// Those of a run that kept them.
    fn of(bench: &Bench, out: &str, stage: &str) -> Self {
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for part in bench.parts(out, stage) {
            let part = vnp_ckpt::load_with_compatibility(&part, &Default::default()).unwrap();
            let tensor = part.tensor("embedding").unwrap();
            let values = tensor.as_f32().unwrap();
            rows.extend(values.chunks_exact(tensor.shape()[1]).map(<[f32]>::to_vec));
            ids.extend_from_slice(part.ids());
        }
        Self { ids, rows }
    }

    /// A PyTorch file of some of the rows.
    fn save(&self, path: &Path, stage: &str, rows: std::ops::Range<usize>) {
        let (ids, values) = (self.ids[rows.clone()].to_vec(), self.rows[rows].concat());
        let shape = [ids.len(), self.rows[0].len()];
        let checkpoint = Checkpoint::builder(stage)
            .rows(RowRange::new(0, ids.len() as u64))
            .ids(ids)
            .tensor("embedding", Tensor::from_f32(shape, values).unwrap())
            .build()
            .unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        vnp_ckpt::export_torch(path, &checkpoint).unwrap();
    }
}

/// An undisturbed run in `done`, and its embeddings as the Python tools would have left them in
/// `old`: two files of each stage, the proteins in another order.
struct Old {
    bench: Bench,
    nucleotide: Features,
    protein: Features,
}

impl Old {
    fn new() -> Self {
        let bench = Bench::new();
        bench.write("in.fa", Nucleotides::new(5).fasta(20, 1_000));
        bench.vnp(&["predict", "in.fa", "-o", "done", "--keep-embeddings"]).expect(0, &[]);
        let nucleotide = Features::of(&bench, "done", "nucleotide");
        let mut protein = Features::of(&bench, "done", "protein");
        protein.ids.reverse();
        protein.rows.reverse();
        let old = Self { bench, nucleotide, protein };
        old.save();
        old
    }

    fn path(&self, stage: &str, number: usize) -> PathBuf {
        let ending = if stage == "protein" { "ESM" } else { "DNABERT_S" };
        self.bench.path(&format!("old/in_{stage}/output_{number}_{ending}.pt"))
    }

    fn save(&self) {
        for (stage, features) in [("nucleotide", &self.nucleotide), ("protein", &self.protein)] {
            let (all, half) = (features.ids.len(), features.ids.len() / 2);
            features.save(&self.path(stage, 1), stage, 0..half);
            features.save(&self.path(stage, 2), stage, half..all);
        }
    }

    fn computed(&self, stage: &str) -> u64 {
        let run = self.bench.json("out/run.json");
        run["session"]["rows_computed"][stage].as_u64().unwrap()
    }

    #[track_caller]
    fn assert_finished(&self, nucleotide: u64, protein: u64) {
        assert_eq!(self.bench.results("out"), self.bench.results("done"));
        assert_eq!((self.computed("nucleotide"), self.computed("protein")), (nucleotide, protein));
    }

    /// The run stops with exit 3 and this reason, leaves the old directory as it is, and with
    /// --force-resume continues without that file.
    #[track_caller]
    fn check_refused(&self, messages: &[&str]) {
        let before = self.bench.everything("old");
        self.bench.vnp(&RUN).expect(3, messages);
        let going_on = self.bench.vnp(&[&RUN[..], &["--force-resume"]].concat());
        going_on.expect(0, &["rows taken from"]);
        assert_eq!(self.bench.results("out"), self.bench.results("done"));
        assert_eq!(self.bench.everything("old"), before);
        let log = self.bench.path("out/checkpoints/failed_checkpoints.txt");
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains(messages[0]), "{log}");
    }
}

#[test]
fn features_are_taken_by_id() {
    let old = Old::new();
    let before = old.bench.everything("old");
    old.bench.vnp(&RUN).expect(0, &["rows taken from", "computed again: they are what they say"]);
    old.assert_finished(0, 0);
    assert_eq!(old.bench.everything("old"), before);
}

#[test]
fn only_what_is_missing_is_computed() {
    let old = Old::new();
    std::fs::remove_file(old.path("nucleotide", 2)).unwrap();
    std::fs::remove_file(old.path("protein", 1)).unwrap();
    let (nucleotide, protein) = (old.nucleotide.ids.len(), old.protein.ids.len());
    old.bench.vnp(&RUN).expect(0, &[]);
    old.assert_finished((nucleotide - nucleotide / 2) as u64, (protein / 2) as u64);
}

/// What the refactor leaves after any resume: the rows of one file under each other's ids.
#[test]
fn shuffled_ids_are_refused() {
    let mut old = Old::new();
    old.protein.ids.rotate_left(1);
    old.save();
    old.check_refused(&["ids are shuffled", "old files stay as they are"]);
}

/// What its truncated merges leave: rows shifted by one from some row on.
#[test]
fn shifted_rows_are_refused() {
    let mut old = Old::new();
    old.nucleotide.rows[..].rotate_right(1);
    old.save();
    old.check_refused(&["is not what the nucleotide encoder gives"]);
}

#[test]
fn an_id_that_occurs_twice_is_refused() {
    let mut old = Old::new();
    old.protein.ids[3] = old.protein.ids[0].clone();
    old.save();
    old.check_refused(&["occurs twice among the protein rows"]);
}

#[test]
fn a_damaged_file_is_refused() {
    let old = Old::new();
    let path = old.path("protein", 2);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    old.check_refused(&["output_2_ESM.pt"]);
}

/// Half of the files of a run were empty, and it "finished" with half of the predictions.
#[test]
fn an_empty_file_is_refused() {
    let old = Old::new();
    std::fs::write(old.path("nucleotide", 1), b"").unwrap();
    old.check_refused(&["output_1_DNABERT_S.pt"]);
}

#[test]
fn features_of_another_model_are_refused() {
    let mut old = Old::new();
    for row in &mut old.protein.rows {
        row.push(0.0);
    }
    old.save();
    old.check_refused(&["the protein encoder of this model gives"]);
}

/// Same ids, another sequence: the FASTA file next to the features shows it.
#[test]
fn features_of_another_input_are_refused() {
    let old = Old::new();
    let (id, fasta) = (&old.nucleotide.ids[0], old.bench.path("old/in_nucleotide/output_1.fa"));
    std::fs::write(fasta, format!(">{id}\nACGTACGT\n")).unwrap();
    old.check_refused(&["was another sequence when its row was made"]);
}

#[test]
fn runs_inside_are_not_looked_into() {
    let old = Old::new();
    let inner = old.bench.path("old/in_refactored");
    std::fs::create_dir(&inner).unwrap();
    std::fs::rename(old.bench.path("old/in_nucleotide"), inner.join("in_nucleotide")).unwrap();
    std::fs::rename(old.bench.path("old/in_protein"), inner.join("in_protein")).unwrap();
    old.bench.vnp(&RUN).expect(3, &["holds no feature files"]);
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(5).fasta(2, 600));
    bench.vnp(&RUN).expect(1, &["old"]);
    assert!(!bench.path("out").exists());
}

/// A head for this many values per row, with weights that do not matter.
fn head(bench: &Bench, inputs: usize) -> PathBuf {
    let values = |count: usize| -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 201) as f32 / 2_000.0 - 0.05).collect()
    };
    let tensor = |shape: &[usize]| Tensor::from_f32(shape, values(shape.iter().product())).unwrap();
    let ones = |count: usize| Tensor::from_f32([count], vec![1.0; count]).unwrap();
    let checkpoint = Checkpoint::builder("weights")
        .free_tensor("hidden_layer.weight", tensor(&[512, inputs]))
        .free_tensor("hidden_layer.bias", tensor(&[512]))
        .free_tensor("bn1.weight", ones(512))
        .free_tensor("bn1.bias", tensor(&[512]))
        .free_tensor("bn1.running_mean", tensor(&[512]))
        .free_tensor("bn1.running_var", ones(512))
        .free_tensor("output_layer.weight", tensor(&[2, 512]))
        .free_tensor("output_layer.bias", tensor(&[2]))
        .build()
        .unwrap();
    let path = bench.path("head.pth");
    vnp_ckpt::export_torch(&path, &checkpoint).unwrap();
    path
}

/// Where no encoder checks the rows, damage is found all the same; and whatever a bad part would
/// meet, a file of the old run stays where it is.
#[test]
fn a_damaged_file_stays_where_it_is() {
    let old = Old::new();
    let head = head(&old.bench, old.nucleotide.rows[0].len() + old.protein.rows[0].len());
    let path = old.path("protein", 2);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let before = old.bench.everything("old");
    let words = [&RUN[..], &["-m", "custom", "-p", head.to_str().unwrap()]].concat();
    old.bench.vnp(&words).expect(3, &["output_2_ESM.pt", "old files stay as they are"]);
    assert_eq!(old.bench.everything("old"), before);
    let forced = [&words[..], &["--force-resume"]].concat();
    old.bench.vnp(&forced).expect(1, &["the model is a head alone"]);
    assert_eq!(old.bench.everything("old"), before);
}

/// Real runs, of the original and of the refactor inside of it: every row is there, so that a head
/// alone is enough, and the parts are the merged features bit for bit.
#[test]
fn real_runs_are_scored_by_a_head_alone() {
    let Some(run) = shared("golden/virnucpro-0.x/test_with_orfs") else { return };
    for run in [run.clone(), run.join("test_with_orfs_refactored")] {
        let bench = Bench::new();
        let head = head(&bench, 3328);
        let input = run.ancestors().map(|dir| dir.join("test_with_orfs.fa"));
        let input = input.into_iter().find(|path| path.is_file()).unwrap();
        let words = [
            "predict",
            input.to_str().unwrap(),
            "-o",
            "out",
            "-m",
            "custom",
            "-p",
            head.to_str().unwrap(),
            "--keep-embeddings",
            "--resume-from",
            run.to_str().unwrap(),
        ];
        let ended = bench.vnp(&words);
        ended.expect(0, &["4 nucleotide rows taken", "4 protein rows taken"]);
        let merged = run.join("test_with_orfs_merged/output_1_merged.pt");
        let merged = vnp_ckpt::load_with_compatibility(&merged, &Default::default()).unwrap();
        let expected = merged.tensor("data").unwrap().as_f32().unwrap();
        let (nucleotide, protein) =
            (Features::of(&bench, "out", "nucleotide"), Features::of(&bench, "out", "protein"));
        assert_eq!(nucleotide.ids.len(), 4);
        for (row, id) in nucleotide.ids.iter().enumerate() {
            let at = merged.ids().iter().position(|merged| merged == id).unwrap();
            let found = [nucleotide.rows[row].clone(), protein.rows[row].clone()].concat();
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&expected[at * 3328..(at + 1) * 3328]), "{id}");
        }
        // One row less, and the encoders would be needed.
        let fasta = std::fs::read_to_string(&input).unwrap();
        let fasta = format!("{fasta}>synthetic_seq_3\nGCCGCCGCCGCC\n");
        bench.write("more.fa", fasta);
        let words = [
            "predict",
            "more.fa",
            "-o",
            "more",
            "-m",
            "custom",
            "-p",
            head.to_str().unwrap(),
            "--resume-from",
            run.to_str().unwrap(),
        ];
        bench.vnp(&words).expect(1, &["the model is a head alone"]);
    }
}
