//! Preparations: their content, their reuse, and damage to their files.

use std::path::PathBuf;

use vnp_seq::ChunkLength;

use super::*;
use crate::data::class::Class;
use crate::data::input::Input;
use crate::data::shares::Shares;
use crate::split::Split;
use crate::testing::open_bases;

struct Case(tempfile::TempDir);

impl Case {
    /// Six viruses and six hosts of 2 kb each, host 1 a near copy of host 0.
    fn new() -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        let fasta = |name: &str, seeds: std::ops::Range<u64>| -> String {
            let record = |i| {
                let sequence = String::from_utf8(open_bases(i, 2000)).unwrap();
                format!(">{name}{i}\n{sequence}\n")
            };
            seeds.map(record).collect()
        };
        let hosts = fasta("h", 20..26);
        let copy = hosts.lines().nth(1).unwrap().replacen('A', "C", 3);
        case.write("virus.fa", &fasta("v", 0..6));
        case.write("others.fa", &format!("{hosts}>copy\n{copy}\n"));
        case.write("groups.tsv", "v0\tsiblings\tphage\nv1\tsiblings\tphage\n");
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).unwrap();
    }

    fn options(&self) -> Preparation {
        let input =
            |name: &str, is_virus| Input { path: self.path(name), is_virus: Some(is_virus) };
        Preparation {
            inputs: vec![input("virus.fa", true), input("others.fa", false)],
            labels: None,
            groups: Some(self.path("groups.tsv")),
            coding_filter: true,
            chunk_length: ChunkLength::new(300).unwrap(),
            hosts_per_virus: 1.0,
            shares: Shares::default(),
            seed: 1,
        }
    }

    fn prepare(&self, out: &str) -> Prepared {
        prepare(&self.options(), &self.path(out), None).unwrap()
    }

    fn files(&self, out: &str) -> Vec<Vec<u8>> {
        let names = ["virus.fa", "others.fa", "chunks.tsv", "prepared.json"];
        names.map(|name| fs_err::read(self.path(out).join(name)).unwrap()).to_vec()
    }
}

#[test]
fn chunks_are_those_of_the_records_and_relatives_stay_together() {
    let case = Case::new();
    let prepared = case.prepare("a");
    let sequence = |id: &str| {
        let seed = id.split_once(':').unwrap().0[1..].parse().unwrap();
        open_bases(seed, 2000)
    };
    for chunk in prepared.chunks.iter().filter(|chunk| chunk.record != "copy") {
        let range = chunk.start_bp..chunk.start_bp + chunk.sequence.len();
        assert_eq!(chunk.sequence, sequence(&chunk.id)[range]);
        let frames: Vec<_> =
            vnp_seq::find_orfs(&chunk.sequence).iter().map(|open| open.frame).collect();
        assert_eq!(chunk.frames, frames);
    }
    let group = |record: &str| {
        prepared.chunks.iter().find(|chunk| chunk.record == record).map(|chunk| chunk.group)
    };
    assert!(group("v0").is_some() && group("v0") == group("v1"));
    assert_eq!(prepared.groups[group("v0").unwrap()].kind, "phage");
    assert_ne!(group("v2"), group("v3"));
    if let (Some(original), Some(copy)) = (group("h20"), group("copy")) {
        assert_eq!(original, copy);
    }
    let count = |class| prepared.of_class(class).count();
    assert!(count(Class::Virus) >= 12, "{}", count(Class::Virus));
    for split in Split::ALL {
        let of = |class| {
            let chunks = prepared.of_class(class);
            chunks.filter(|(_, chunk)| prepared.groups[chunk.group].split == split).count()
        };
        assert!(
            of(Class::Virus) > 0 && of(Class::Others) > 0 && of(Class::Others) <= of(Class::Virus)
        );
    }
    assert_eq!(prepared.record.records["others"], 7);
    assert_eq!(prepared.record.groups["others"], 6);
    assert_eq!(prepared.record.groups["virus"], 5);
}

#[test]
fn the_same_data_settings_and_seed_give_the_same_files() {
    let case = Case::new();
    let prepared = case.prepare("a");
    assert_eq!(files::open(&case.path("a")).unwrap(), prepared);
    case.prepare("b");
    assert_eq!(case.files("a"), case.files("b"));
    let other = Preparation { seed: 2, ..case.options() };
    prepare(&other, &case.path("c"), None).unwrap();
    assert_ne!(case.files("a"), case.files("c"));
    // No other files are left.
    let left = fs_err::read_dir(case.0.path()).unwrap().count();
    assert_eq!(left, 6);
}

#[test]
fn what_was_prepared_of_other_data_is_named_and_kept() {
    let case = Case::new();
    case.prepare("a");
    let before = case.files("a");
    let other = Preparation { seed: 2, hosts_per_virus: 2.0, ..case.options() };
    let error = prepare(&other, &case.path("a"), None).unwrap_err();
    assert!(error.is_checkpoint_issue());
    let Error::Job(vnp_job::Error::OtherIdentity { differences, .. }) = error else { panic!() };
    let said: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["hosts per virus was 1, is now 2", "seed was 1, is now 2"]);
    case.write("groups.tsv", "v0\tsiblings\nv2\tsiblings\n");
    let again = prepare(&case.options(), &case.path("a"), None);
    let Err(Error::Job(vnp_job::Error::OtherIdentity { differences, .. })) = again else {
        panic!()
    };
    assert_eq!(differences[0].field, "records");
    assert_eq!(case.files("a"), before);
}

#[test]
fn damaged_files_are_written_again() {
    let case = Case::new();
    case.prepare("a");
    let before = case.files("a");
    for (name, bytes) in [("virus.fa", ">x\nA\n"), ("prepared.json", "{"), ("chunks.tsv", "")] {
        fs_err::write(case.path("a").join(name), bytes).unwrap();
        let opened = files::open(&case.path("a")).unwrap_err();
        let is_known = matches!(
            opened,
            Error::Job(vnp_job::Error::OtherIdentity { .. }) | Error::Table { .. }
        );
        assert!(is_known, "{opened}");
        case.prepare("a");
        assert_eq!(case.files("a"), before);
    }
}

#[test]
fn a_directory_with_other_things_is_left_alone() {
    let case = Case::new();
    fs_err::create_dir(case.path("mine")).unwrap();
    case.write("mine/notes.txt", "");
    let found = prepare(&case.options(), &case.path("mine"), None);
    let Err(Error::Job(vnp_job::Error::Foreign { .. })) = found else { panic!("{found:?}") };
    assert!(case.path("mine/notes.txt").exists());
}

#[test]
fn impossible_settings_are_refused() {
    let case = Case::new();
    let check = |change: fn(&mut Preparation)| {
        let mut options = case.options();
        change(&mut options);
        let error = prepare(&options, &case.path("never"), None).unwrap_err();
        assert!(!case.path("never").exists());
        error
    };
    let Error::BadSetting { setting: "hosts per virus", .. } = check(|o| o.hosts_per_virus = 0.0)
    else {
        panic!()
    };
    let Error::BadSetting { setting: "test share", .. } = check(|o| o.shares.test = 1.0) else {
        panic!()
    };
    let error = check(|o| o.chunk_length = ChunkLength::new(100_000).unwrap());
    let (Error::EmptyClass { .. } | Error::EmptySplit { .. }) = error else { panic!("{error}") };
}
