//! `vnp embed` that is killed, hurt and cut from its power at system calls chosen at random.

use std::io::Write as _;
use std::process::Command;

use vnp_ckpt::{Limits, load_with_compatibility};
use vnp_faults::{Calls, Disk, Errno, Fault, Harm, Image, Random, Tracer, skip_reason};

use crate::support::{Bench, Nucleotides};

/// Disturbances of each kind; a release asks for more.
fn times() -> usize {
    let full = std::env::var_os("VNP_FAULTS").is_some_and(|value| value == "full");
    if full { 100 } else { 8 }
}

/// A small run into `work/x.pt`, or `work/x.vnp`, and the contents of its output when nothing disturbs it.
struct Setting {
    bench: Bench,
    output: &'static str,
    undisturbed: String,
}

impl Setting {
    /// None where system calls cannot be traced.
    fn new(output: &'static str) -> Option<Self> {
        if let Some(reason) = skip_reason() {
            drop(writeln!(std::io::stderr(), "skipped: {reason}"));
            return None;
        }
        let bench = Bench::new();
        bench.write("in.fa", Nucleotides::new(4).fasta(50, 200) + ">empty\n");
        std::fs::create_dir(bench.path("work")).unwrap();
        let mut setting = Self { bench, output, undisturbed: String::new() };
        setting.resume("nothing");
        setting.undisturbed = setting.contents();
        Some(setting)
    }

    fn root(&self) -> std::path::PathBuf {
        self.bench.path("work")
    }

    fn command(&self) -> Command {
        self.command_with("--resume")
    }

    fn command_with(&self, start: &str) -> Command {
        let words = ["embed", "in.fa", "--encoder", "dnabert-s", "--weights", "mini", start];
        let output = ["-d", "cpu", "--checkpoint-rows", "16", "-o", self.output];
        self.bench.command(&[&words[..], &output].concat())
    }

    fn reset(&self, image: &Image) {
        std::fs::remove_dir_all(self.root()).unwrap();
        std::fs::create_dir(self.root()).unwrap();
        image.write(&self.root()).unwrap();
    }

    /// Everything of the output but the time at which it was written.
    fn contents(&self) -> String {
        let checkpoint =
            load_with_compatibility(&self.bench.path(self.output), &Limits::default()).unwrap();
        let tensors: Vec<_> =
            checkpoint.tensors().map(|(name, tensor)| (name, tensor.bytes().to_vec())).collect();
        format!("{:?} {:?} {tensors:?}", checkpoint.ids(), checkpoint.metadata())
    }

    /// Puts the output of another input in place, and returns what it holds.
    fn put_earlier(&self) -> String {
        self.reset(&Image::default());
        std::fs::copy(self.bench.path("earlier"), self.bench.path(self.output)).unwrap();
        self.contents()
    }

    /// Kills `--force` over an earlier output: it stays until the new one takes its name, and a resume goes on.
    fn disturb_force(&self, seed: u64) {
        let force = || self.command_with("--force");
        let mut random = Random::new(seed);
        let earlier = self.put_earlier();
        let trace = Tracer::new(&self.root()).run(&force()).unwrap();
        assert_eq!(self.contents(), self.undisturbed);
        let changes = trace.calls.iter().filter(|call| call.is_among(Calls::Changes)).count();
        for _ in 0..times() {
            let nth = 1 + random.below(changes);
            let fault = Fault { calls: Calls::Changes, nth, harm: Harm::Kill };
            self.put_earlier();
            let trace = Tracer::new(&self.root()).fault(fault).run(&force()).unwrap();
            let after = format!("{fault} ({:?})", trace.hurt);
            let found = self.contents();
            assert!(found == earlier || found == self.undisturbed, "{after}");
            let resumed = crate::support::ended(&mut self.command());
            assert!(matches!(resumed.code, Some(2 | 3)), "{after}: {}", resumed.stderr);
            if resumed.code == Some(3) {
                // Killed before it had begun to replace anything.
                assert_eq!(self.contents(), earlier, "{after}");
                assert!(
                    self.bench.parts(&format!("{}.parts", self.output), "nucleotide").is_empty()
                );
                crate::support::ended(&mut force()).expect(2, &[]);
            }
            self.resume(&after);
            assert_eq!(self.contents(), self.undisturbed, "{after}");
        }
    }

    /// What has a name is whole; the run is finished by a resume, and nothing else is left.
    #[track_caller]
    fn check(&self, after: &str) {
        if self.bench.path(self.output).exists() {
            assert_eq!(self.contents(), self.undisturbed, "{after}");
        }
        for part in self.bench.parts(&format!("{}.parts", self.output), "nucleotide") {
            load_with_compatibility(&part, &Limits::default()).unwrap();
        }
        self.resume(after);
        assert_eq!(self.contents(), self.undisturbed, "{after}");
        self.resume(after);
    }

    #[track_caller]
    fn resume(&self, after: &str) {
        let ended = crate::support::ended(&mut self.command());
        // One record is empty.
        assert_eq!(ended.code, Some(2), "after {after}: {}", ended.stderr);
        let listing = std::fs::read_dir(self.root()).unwrap();
        let left: Vec<_> = listing.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 1, "after {after}: {left:?}");
    }
}

#[test]
fn a_kill_at_any_call_costs_nothing_that_was_saved() {
    for output in ["work/x.vnp", "work/x.pt"] {
        let Some(setting) = Setting::new(output) else { return };
        let mut random = Random::new(1);
        setting.reset(&Image::default());
        let trace = Tracer::new(&setting.root()).run(&setting.command()).unwrap();
        let changes = trace.calls.iter().filter(|call| call.is_among(Calls::Changes)).count();
        for _ in 0..times() {
            let nth = 1 + random.below(changes);
            let fault = Fault { calls: Calls::Changes, nth, harm: Harm::Kill };
            setting.reset(&Image::default());
            let tracer = Tracer::new(&setting.root()).fault(fault);
            let trace = tracer.run(&setting.command()).unwrap();
            setting.check(&format!("{fault} ({:?})", trace.hurt));
        }
    }
}

#[test]
fn a_kill_while_an_output_is_replaced_leaves_it_or_the_new_one() {
    for output in ["work/x.vnp", "work/x.pt"] {
        let Some(setting) = Setting::new(output) else { return };
        let input = std::fs::read(setting.bench.path("in.fa")).unwrap();
        setting.bench.write("in.fa", Nucleotides::new(5).fasta(3, 200) + ">empty\n");
        setting.reset(&Image::default());
        setting.resume("nothing");
        std::fs::rename(setting.bench.path(output), setting.bench.path("earlier")).unwrap();
        setting.bench.write("in.fa", input);
        setting.disturb_force(4);
    }
}

#[test]
fn a_call_that_fails_ends_the_run_with_its_reason() {
    let Some(setting) = Setting::new("work/x.vnp") else { return };
    let mut random = Random::new(2);
    for _ in 0..times() {
        let errno = random.pick([Errno::ENOSPC, Errno::EIO]);
        let name = random.pick(["write", "fsync", "rename", "renameat"]);
        let fault = Fault {
            calls: Calls::Named(name),
            nth: 1 + random.below(12),
            harm: Harm::ErrorFromHereOn(errno),
        };
        setting.reset(&Image::default());
        let tracer = Tracer::new(&setting.root()).fault(fault);
        let trace = tracer.run(&setting.command()).unwrap();
        let after = format!("{fault} ({:?}): {}", trace.hurt, trace.stderr);
        match trace.status.code() {
            // It failed too late to matter, or never came.
            Some(2) => assert_eq!(setting.contents(), setting.undisturbed, "{after}"),
            Some(1) => {
                let reason = errno.to_string();
                let reason = reason.split(" (").next().unwrap_or_default().to_owned();
                assert!(trace.stderr.contains(&reason), "no {reason:?} after {after}");
            }
            _ => panic!("{:?} after {after}", trace.status),
        }
        setting.check(&after);
    }
}

#[test]
fn a_loss_of_power_leaves_whole_files_and_a_run_to_resume() {
    for output in ["work/x.vnp", "work/x.safetensors"] {
        let Some(setting) = Setting::new(output) else { return };
        let mut random = Random::new(3);
        setting.reset(&Image::default());
        let tracer = Tracer::new(&setting.root()).record();
        let record = tracer.run(&setting.command()).unwrap().record;
        let events = record.events.len();
        let mut points: Vec<usize> = (1..times()).map(|_| random.below(events)).collect();
        points.push(events);
        points.sort_unstable();
        let (mut disk, mut at) = (Disk::new(&record), 0);
        for point in points {
            record.events[at..point].iter().for_each(|(_, event)| disk.apply(event));
            at = point;
            setting.reset(&disk.sample(&mut random));
            if point == events {
                assert_eq!(setting.contents(), setting.undisturbed, "the run had ended");
            }
            setting.check(&format!("a loss of power at event {point} of {events}"));
        }
    }
}
