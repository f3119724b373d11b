//! Runs that embed records: what is saved, computed again, refused and published.

mod outputs;

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use vnp_ckpt::{Checkpoint, Limits, load_with_compatibility};
use vnp_infer::Encoder;
use vnp_pipeline::embed::{
    EmbedEvent, EmbedOptions, EmbedSummary, EncoderInfo, RecordReading, UnknownResidues, embed,
};
use vnp_pipeline::{Error, Input, OnBadFile, Start, StopFlag};

use crate::support::{Counting, Fault};

const PROTEINS: RecordReading = RecordReading::Proteins(UnknownResidues::Refuse);
const MASK: RecordReading = RecordReading::Proteins(UnknownResidues::Mask);

/// One directory with an input, and what its runs reported.
struct Bench {
    dir: tempfile::TempDir,
    stop: StopFlag,
    /// Asks for a stop once this many rows were computed.
    stop_after: Option<u64>,
    /// Asks for a save after each slice.
    saves: bool,
    computed: Cell<u64>,
    parts: RefCell<Vec<(u64, u64)>>,
    loaded: Cell<u32>,
    /// What the input becomes when the encoder is loaded, after the first reading.
    changed_input: Option<String>,
}

impl Bench {
    fn new(fasta: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in.faa"), fasta).unwrap();
        Self {
            dir,
            stop: StopFlag::default(),
            stop_after: None,
            saves: false,
            computed: Cell::new(0),
            parts: RefCell::default(),
            loaded: Cell::new(0),
            changed_input: None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn options(&self, output: &str, start: Start, reading: RecordReading) -> EmbedOptions {
        EmbedOptions {
            output: self.path(output),
            reading,
            start,
            on_bad_part: OnBadFile::Refuse,
            checkpoint_rows: NonZeroU64::new(10).unwrap(),
            checkpoint_interval: Duration::from_secs(3600),
        }
    }

    fn run(&self, options: EmbedOptions) -> Result<EmbedSummary, Error> {
        self.run_with(options, Fault::None, &info())
    }

    fn run_with(
        &self,
        options: EmbedOptions,
        fault: Fault,
        info: &EncoderInfo,
    ) -> Result<EmbedSummary, Error> {
        let load = Box::new(|| {
            self.loaded.set(self.loaded.get() + 1);
            if let Some(fasta) = &self.changed_input {
                std::fs::write(self.path("in.faa"), fasta).unwrap();
            }
            Ok((Box::new(Counting { fault }) as Box<dyn Encoder>, "test".to_owned()))
        });
        let observer = |event: EmbedEvent<'_>| match event {
            EmbedEvent::Computed(rows) => {
                self.computed.set(self.computed.get() + rows.len());
                if self.stop_after.is_some_and(|rows| self.computed.get() >= rows) {
                    self.stop.request(15);
                }
                if self.saves {
                    self.stop.request_save();
                }
            }
            EmbedEvent::Saved(rows) => self.parts.borrow_mut().push((rows.start, rows.end)),
            _ => {}
        };
        embed(Input::File(self.path("in.faa")), options, info, load, &observer, &self.stop)
    }

    fn read(&self, name: &str) -> Checkpoint {
        load_with_compatibility(&self.path(name), &Limits::default()).unwrap()
    }

    fn values(&self, name: &str) -> Vec<f32> {
        self.read(name).tensor("embedding").unwrap().to_f32_vec().unwrap()
    }

    fn status(&self, name: &str) -> Vec<u8> {
        self.read(name).tensor("status").unwrap().as_u8().unwrap().to_vec()
    }

    fn has_parts(&self) -> bool {
        self.path("out.vnp.parts").exists()
    }

    /// The files of the parts.
    fn part_files(&self) -> Vec<PathBuf> {
        let dir = self.path("out.vnp.parts/checkpoints/protein");
        let Ok(listing) = std::fs::read_dir(dir) else { return Vec::new() };
        let mut files: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn info() -> EncoderInfo {
    EncoderInfo {
        name: "esm2".to_owned(),
        digest: "d".to_owned(),
        hidden_size: 3,
        precision: "f32".to_owned(),
    }
}

/// Proteins of different lengths: some slices hold many of them, and some one.
fn fasta(records: usize) -> String {
    let protein = |i: usize| "MKGC".repeat(1 + i % 7 * 300);
    (0..records).map(|i| format!(">p{i}\n{}\n", protein(i))).collect()
}

#[test]
fn records_are_embedded_in_parts_that_go_when_the_output_is_there() {
    let bench = Bench::new(&fasta(35));
    let summary = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap();
    assert_eq!((summary.rows, summary.failed.count, summary.rows_computed_now), (35, 0, 35));
    assert_eq!(*bench.parts.borrow(), [(0, 10), (10, 20), (20, 30), (30, 35)]);
    assert!(!bench.has_parts());
    assert_eq!(std::fs::read_dir(bench.dir.path()).unwrap().count(), 2);
    let found = bench.read("out.vnp");
    assert_eq!(found.ids(), (0..35).map(|i| format!("p{i}")).collect::<Vec<_>>());
    let expected: Vec<f32> =
        (0..35).flat_map(|i| [1.0, 1.0, 4.0].map(|x| x * (1 + i % 7 * 300) as f32)).collect();
    assert_eq!(bench.values("out.vnp"), expected);
    assert_eq!(bench.status("out.vnp"), [0; 35]);

    // A finished output is as it was.
    let bytes = std::fs::read(bench.path("out.vnp")).unwrap();
    let again = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap();
    assert!(again.already_finished && again.rows_computed_now == 0);
    assert_eq!(std::fs::read(bench.path("out.vnp")).unwrap(), bytes);
    assert_eq!((bench.loaded.get(), bench.has_parts()), (1, false));
}

#[test]
fn a_stopped_run_computes_the_rest() {
    for rows in [1, 9, 10, 11, 34] {
        let mut bench = Bench::new(&fasta(35));
        bench.stop_after = Some(rows);
        let stopped = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
        assert_eq!(stopped.interrupted().unwrap().signal, 15);
        assert!(bench.has_parts() && !bench.path("out.vnp").exists());
        let saved: u64 = bench.parts.borrow().iter().map(|(start, end)| end - start).sum();
        assert_eq!(saved, bench.computed.get(), "what was computed is saved");
        bench.stop_after = None;
        bench.stop = StopFlag::default();
        let refused = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
        assert!(refused.to_string().contains("--resume, or start again with --force"), "{refused}");
        let summary = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap();
        assert_eq!((bench.computed.get(), summary.rows_computed_now), (35, 35 - saved));
        bench.run(bench.options("undisturbed.vnp", Start::New, PROTEINS)).unwrap();
        let (found, expected) = (bench.read("out.vnp"), bench.read("undisturbed.vnp"));
        assert_eq!((found.ids(), found.metadata()), (expected.ids(), expected.metadata()));
        assert_eq!(bench.values("out.vnp"), bench.values("undisturbed.vnp"));
    }
}

#[test]
fn a_save_on_request_makes_a_smaller_part_and_changes_nothing() {
    let mut bench = Bench::new(&fasta(35));
    bench.run(bench.options("undisturbed.vnp", Start::New, PROTEINS)).unwrap();
    bench.parts.take();
    bench.saves = true;
    bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap();
    let parts = bench.parts.take();
    assert!(parts.len() > 4, "{parts:?}");
    assert!(parts.iter().all(|(start, end)| start < end));
    assert_eq!(parts.iter().map(|(start, end)| end - start).sum::<u64>(), 35);
    assert_eq!(bench.values("out.vnp"), bench.values("undisturbed.vnp"));
}

#[test]
fn a_record_without_a_vector_is_a_failed_row_wherever_it_stands() {
    for empty in ["", "\n", "*\n"] {
        for place in [0, 1, 3] {
            let mut records = vec![">a\nMK\n".to_owned(), ">b\nMG*\n".into(), ">c\nGG\n".into()];
            records.insert(place, format!(">empty\n{empty}"));
            let bench = Bench::new(&records.concat());
            let summary = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap();
            assert_eq!((summary.rows, summary.failed.count), (4, 1));
            assert_eq!(summary.failed.first[0].0, "empty");
            let mut status = vec![0; 3];
            status.insert(place, 1);
            assert_eq!(bench.status("out.vnp"), status);
            let mut values = vec![vec![0.0, 0.0, 2.0], vec![1.0, 0.0, 2.0], vec![2.0, 0.0, 2.0]];
            values.insert(place, vec![0.0; 3]);
            assert_eq!(bench.values("out.vnp"), values.concat());
            assert_eq!(bench.read("out.vnp").ids()[place], "empty");
        }
    }
    let bench = Bench::new(">a\nMK\n>b\nWWW\n");
    let options = bench.options("out.vnp", Start::New, PROTEINS);
    let summary = bench.run_with(options, Fault::NotFinite("WWW"), &info()).unwrap();
    assert_eq!(summary.failed.first, [("b".to_owned(), "its embedding is not finite".to_owned())]);
    assert_eq!(bench.values("out.vnp"), [0.0, 0.0, 2.0, 0.0, 0.0, 0.0]);
}

#[test]
fn nucleotides_fail_one_by_one_and_not_all_of_them() {
    let bench = Bench::new(">a\nacgu\n>b\nACE\n>c\n\n");
    let nucleotides = RecordReading::Nucleotides;
    let summary = bench.run(bench.options("out.vnp", Start::New, nucleotides)).unwrap();
    let reasons: Vec<&str> = summary.failed.first.iter().map(|(_, why)| why.as_str()).collect();
    assert!(reasons[0].contains("'E' at position 3") && reasons[1].contains("no sequence"));
    assert_eq!(bench.status("out.vnp"), [0, 1, 1]);
    let bench = Bench::new(">c\n\n>a\nMKLV\n>b\nMKLE\n");
    let error = bench.run(bench.options("out.vnp", Start::New, nucleotides)).unwrap_err();
    assert!(
        error.to_string().contains("none of the 3 records is a nucleotide sequence"),
        "{error}"
    );
    assert!(error.to_string().contains("'L' at position 3"), "{error}");
    assert!(!bench.has_parts() && !bench.path("out.vnp").exists());
}

#[test]
fn letters_outside_the_alphabet_are_refused_before_anything_is_computed() {
    for (letters, expected) in [
        ("MK1", "record \"bad\": '1' at position 3"),
        ("MJK", "'J' at position 2"),
        ("M*K*", "'*' (a stop codon) at position 2"),
    ] {
        let bench = Bench::new(&format!("{}>bad\n{letters}\n", fasta(35)));
        let error = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected) && text.contains("--unknown-residues mask"), "{text}");
        assert_eq!((bench.computed.get(), bench.loaded.get(), bench.has_parts()), (0, 0, false));
        bench.run(bench.options("out.vnp", Start::New, MASK)).unwrap();
        assert_eq!(bench.status("out.vnp"), [0; 36]);
    }
    let bench = Bench::new(&">x\nM1\n".repeat(30));
    let error = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
    assert!(error.to_string().contains("and 22 more records"), "{error}");
}

#[test]
fn every_field_in_which_saved_work_differs_is_named() {
    let check = |bench: &Bench| {
        let other = EncoderInfo {
            digest: "x".to_owned(),
            precision: "bf16".to_owned(),
            name: "dnabert-s".to_owned(),
            ..info()
        };
        let options = bench.options("out.vnp", Start::Resume, MASK);
        let error = bench.run_with(options, Fault::None, &other).unwrap_err();
        assert!(error.is_checkpoint_issue());
        for field in [
            "encoder was esm2, is now dnabert-s",
            "precision was f32, is now bf16",
            "unknown_residues was refuse, is now mask",
            "weights was d, is now x",
        ] {
            assert!(error.to_string().contains(field), "{error}");
        }
    };
    let mut bench = Bench::new(&fasta(35));
    bench.stop_after = Some(12);
    bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
    (bench.stop, bench.stop_after) = (StopFlag::default(), None);
    let before = bench.part_files();
    check(&bench);
    // Also the parts of the other encoder, which are those of another stage.
    let options = bench.options("out.vnp", Start::Resume, RecordReading::Nucleotides);
    let nucleotides = Bench { stop: StopFlag::default(), ..bench };
    std::fs::write(nucleotides.path("in.faa"), ">a\nACGT\n").unwrap();
    let error = nucleotides.run(options).unwrap_err();
    assert!(error.to_string().contains("input was "), "{error}");
    std::fs::write(nucleotides.path("in.faa"), fasta(35)).unwrap();
    assert_eq!(nucleotides.part_files(), before);
    nucleotides.run(nucleotides.options("out.vnp", Start::Resume, PROTEINS)).unwrap();
    check(&nucleotides);
    // Started again, everything of it goes.
    std::fs::write(nucleotides.path("in.faa"), fasta(3)).unwrap();
    nucleotides.run(nucleotides.options("out.vnp", Start::Again, MASK)).unwrap();
    assert_eq!(nucleotides.read("out.vnp").ids().len(), 3);
}

fn damage(path: &PathBuf) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() - 100;
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn damage_is_refused_or_computed_again() {
    let mut bench = Bench::new(&fasta(35));
    bench.stop_after = Some(25);
    bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
    (bench.stop, bench.stop_after) = (StopFlag::default(), None);
    damage(&bench.part_files()[1]);
    let error = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap_err();
    assert!(error.is_checkpoint_issue() && error.to_string().contains("--force-resume"), "{error}");
    let again = |start| EmbedOptions {
        on_bad_part: OnBadFile::Recompute,
        ..bench.options("out.vnp", start, PROTEINS)
    };
    bench.run(again(Start::Resume)).unwrap();
    let expected: f32 = (0..35).map(|i| (6 * (1 + i % 7 * 300)) as f32).sum();
    assert_eq!(bench.values("out.vnp").iter().sum::<f32>(), expected);
    // The quarantined part is left to be inspected.
    let left: Vec<_> = bench.part_files();
    assert!(left.len() == 1 && left[0].to_string_lossy().ends_with(".vnp.bad"), "{left:?}");

    // The same of a finished output.
    damage(&bench.path("out.vnp"));
    let error = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap_err();
    assert!(error.is_checkpoint_issue(), "{error}");
    bench.run(again(Start::Resume)).unwrap();
    assert_eq!(bench.values("out.vnp").iter().sum::<f32>(), expected);
    assert!(bench.path("out.vnp.bad").exists());
}

#[test]
fn an_input_that_ends_early_costs_none_of_the_rows_before() {
    let long = |records: usize| format!(">p\n{}\n", "MKGC".repeat(2000)).repeat(records);
    let mut bench = Bench::new(&long(8));
    bench.changed_input = Some(long(5));
    let error = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap_err();
    assert!(matches!(error, Error::InputChanged { .. }), "{error}");
    let saved: u64 = bench.parts.take().iter().map(|(start, end)| end - start).sum();
    assert!(saved > 0 && saved == bench.computed.get(), "{saved} of {}", bench.computed.get());
    bench.changed_input = None;
    std::fs::write(bench.path("in.faa"), long(8)).unwrap();
    let summary = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap();
    assert_eq!(summary.rows_computed_now, 8 - saved);
}

#[test]
fn an_encoder_that_fails_costs_none_of_the_rows_before() {
    let bench = Bench::new(&format!("{}>w\n{}\n", fasta(35), "W".repeat(9000)));
    let options = bench.options("out.vnp", Start::New, PROTEINS);
    let error = bench.run_with(options, Fault::Fails("WWW"), &info()).unwrap_err();
    assert!(matches!(error, Error::Model(_)), "{error}");
    let saved: u64 = bench.parts.take().iter().map(|(start, end)| end - start).sum();
    assert!(saved >= 30, "{saved}");
    let summary = bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap();
    assert_eq!(summary.rows_computed_now, 36 - saved);
    let bench = Bench::new(&fasta(2));
    let options = bench.options("out.vnp", Start::New, PROTEINS);
    let error = bench.run_with(options, Fault::Short, &info()).unwrap_err();
    assert!(matches!(error, Error::ModelShape { .. }), "{error}");
    assert!(!bench.has_parts(), "nothing was saved");
}

#[test]
fn an_input_that_changes_is_noticed() {
    let bench = Bench::new(&fasta(35));
    let path = std::sync::Mutex::new(Some(bench.path("in.faa")));
    let edits = Fault::Edits(path, |text| text.replace(">p34\nMKGC", ">p34\nMKGG"));
    let options = bench.options("out.vnp", Start::New, PROTEINS);
    let error = bench.run_with(options, edits, &info()).unwrap_err();
    assert!(matches!(error, Error::InputChanged { .. }), "{error}");
    assert!(!bench.path("out.vnp").exists());
}

#[test]
fn an_input_without_records_gives_an_output_without_rows() {
    let bench = Bench::new("");
    let summary = bench.run(bench.options("out.vnp", Start::New, PROTEINS)).unwrap();
    assert_eq!((summary.rows, bench.loaded.get()), (0, 0));
    assert_eq!(bench.read("out.vnp").tensor("embedding").unwrap().shape(), [0, 3]);
    assert!(bench.run(bench.options("out.vnp", Start::Resume, PROTEINS)).unwrap().already_finished);
}
