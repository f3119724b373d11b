//! Disturbs whole runs of `vnp predict`, resumes them, and compares the results.

mod check;
mod counts;
mod setting;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::event::Event;
use crate::fault::{Calls, Errno, Fault, Harm};
use crate::model::{Disk, Image};
use crate::random::Random;
use crate::tracer::{Trace, Tracer};

use check::{broken, finished, is_embedding, nothing_torn, published};
use setting::{OUT, Setting, Start};

pub use counts::Counts;

/// A small run of `vnp predict` with its embedded model, to be disturbed and resumed.
#[derive(Debug)]
pub struct WholeRun {
    setting: Setting,
    random: Random,
    /// What has been done so far.
    pub counts: Counts,
}

impl WholeRun {
    /// Writes inputs, runs the program undisturbed, and keeps its results.
    ///
    /// # Errors
    /// [`Error::Broken`] when the undisturbed run fails, and every error of a trace.
    pub fn new(vnp: &Path, seed: u64) -> Result<Self, Error> {
        Self::in_environment(vnp, seed, Vec::new())
    }

    /// The same with variables of the environment, as for a library that is loaded first.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn in_environment(
        vnp: &Path,
        seed: u64,
        variables: Vec<(&'static str, OsString)>,
    ) -> Result<Self, Error> {
        Ok(Self {
            setting: Setting::new(vnp, variables)?,
            random: Random::new(seed),
            counts: Counts::default(),
        })
    }

    /// Kills a run at a random call, and if asked for its resume too, and then resumes it.
    ///
    /// # Errors
    /// [`Error::Broken`] says which promise was; every error of a trace.
    pub fn kill(&mut self, twice: bool) -> Result<(), Error> {
        let start = self.random.pick(Start::ALL);
        let (killed, first) = loop {
            self.setting.prepare(start)?;
            let fault = self.kill_at(start);
            let trace = self.hurt(&start.arguments(), &fault)?;
            if trace.hurt.is_some() {
                break (trace, fault);
            }
            // Threads took turns in another order, and there were fewer calls.
        };
        let mut after = format!("{first} ({:?}) of a run {start:?}", killed.hurt);
        self.counts.kills += 1;
        self.counts.kills_of_force += usize::from(start != Start::New);
        self.counts.temporaries += nothing_torn(&self.setting, start, &after)?;
        if twice {
            let fault = self.kill_at(start);
            let trace = self.hurt(&Start::RESUME, &fault)?;
            if trace.hurt.is_some() {
                after = format!("{after}, then {fault} ({:?}) of its resume", trace.hurt);
                self.counts.kills_twice += 1;
                self.counts.temporaries += nothing_torn(&self.setting, start, &after)?;
            }
        }
        self.resume(start, &after, |_| false)
    }

    /// Lets a random call of a run fail or do half of its work, and resumes the run.
    ///
    /// # Errors
    /// [`Error::Broken`] says which promise was; every error of a trace.
    pub fn fail(&mut self) -> Result<(), Error> {
        let start = self.random.pick(Start::ALL);
        self.setting.prepare(start)?;
        let harms = [
            Harm::Error(Errno::ENOSPC),
            Harm::Error(Errno::EIO),
            Harm::ErrorFromHereOn(Errno::ENOSPC),
            Harm::ErrorFromHereOn(Errno::EIO),
            Harm::Short,
        ];
        let harm = self.random.pick(harms);
        let name = match harm {
            Harm::Short => "write",
            _ => self.random.pick(["write", "fsync", "rename", "renameat"]),
        };
        let nth = 1 + self.random.below(self.setting.calls(start, Calls::Named(name)));
        let fault = Fault { calls: Calls::Named(name), nth, harm };
        let trace = self.hurt(&start.arguments(), &fault)?;
        let Some(hurt) = &trace.hurt else { return Ok(()) };
        let after = format!("{fault} ({hurt:?}) of a run {start:?}");
        self.counts.errors += 1;
        match (trace.status.code(), harm) {
            (Some(0), _) => {
                // The directory above need not be ours to sync. Any other error costs something.
                let above = hurt.name == "fsync" && hurt.file.as_deref() == Some(Path::new(""));
                if harm != Harm::Short && !above {
                    return Err(broken(&after, "the run went on".to_owned()));
                }
                finished(&self.setting, &after, |_| false)?;
                self.counts.errors_survived += 1;
            }
            (Some(1), Harm::Error(errno) | Harm::ErrorFromHereOn(errno)) => {
                let reason = errno.to_string();
                let reason = reason.split(" (").next().unwrap_or_default();
                if !trace.stderr.contains(reason) {
                    return Err(broken(&after, format!("no {reason:?} in {}", trace.stderr)));
                }
            }
            (code, _) => return Err(broken(&after, format!("exit {code:?}: {}", trace.stderr))),
        }
        nothing_torn(&self.setting, start, &after)?;
        self.resume(start, &after, |_| false)
    }

    /// Kills `kills` runs, `twice` of them twice.
    ///
    /// # Errors
    /// Those of [`kill`](Self::kill).
    pub fn kill_many(&mut self, kills: usize, twice: usize) -> Result<(), Error> {
        while self.counts.kills_twice < twice {
            self.kill(true)?;
        }
        while self.counts.kills < kills {
            self.kill(false)?;
        }
        Ok(())
    }

    /// Lets `errors` runs meet an error or a short write.
    ///
    /// # Errors
    /// Those of [`fail`](Self::fail).
    pub fn fail_many(&mut self, errors: usize) -> Result<(), Error> {
        while self.counts.errors < errors {
            self.fail()?;
        }
        Ok(())
    }

    /// Records runs and resumes from `images` of what losses of power may leave of them, a sixth of
    /// them after the end, when everything must be there.
    ///
    /// # Errors
    /// [`Error::Broken`] says which promise was; every error of a trace.
    pub fn lose_power(&mut self, images: usize) -> Result<(), Error> {
        self.lose(images, |_| true)
    }

    /// The control: the same on a disk that only says that it has written. Returns what was found.
    ///
    /// # Errors
    /// Every error of a trace; [`Error::Broken`] when nothing was found.
    pub fn lose_power_of_a_liar(&mut self, images: usize) -> Result<String, Error> {
        let counts = self.counts;
        let found = self.lose(images, |event| !matches!(event, Event::SyncEnds { .. }));
        self.counts = counts;
        match found {
            Err(error @ Error::Broken { .. }) => Ok(error.to_string()),
            Err(other) => Err(other),
            Ok(()) => Err(broken("no sync was applied", "and nothing was torn".to_owned())),
        }
    }

    fn lose(&mut self, images: usize, happens: impl Fn(&Event) -> bool) -> Result<(), Error> {
        for start in Start::ALL {
            self.setting.prepare(start)?;
            let command = self.setting.command(&start.arguments());
            let record = Tracer::new(self.setting.root()).record().run(&command)?.record;
            let events = record.events.len();
            let share = images.div_ceil(Start::ALL.len());
            let mut points: Vec<usize> = (0..share).map(|_| self.random.below(events)).collect();
            let ends = share.div_ceil(6);
            points.iter_mut().take(ends).for_each(|point| *point = events);
            points.sort_unstable();
            let (mut disk, mut at) = (Disk::new(&record), 0);
            for point in points {
                for (_, event) in record.events.iter().take(point).skip(at) {
                    if happens(event) {
                        disk.apply(event);
                    }
                }
                at = point;
                let image = disk.sample(&mut self.random);
                self.resume_image(start, &image, point, events)?;
            }
        }
        Ok(())
    }

    fn resume_image(
        &mut self,
        start: Start,
        image: &Image,
        point: usize,
        events: usize,
    ) -> Result<(), Error> {
        let after = format!("a loss of power at event {point} of {events} of a run {start:?}");
        self.setting.reset(image)?;
        if point == events {
            // Removals are not synced: embeddings and temporaries may exist again.
            published(&self.setting, &after)?;
        }
        nothing_torn(&self.setting, start, &after)?;
        self.counts.losses += 1;
        self.resume(start, &after, is_embedding)
    }

    /// Resumes the run, and checks every file after that.
    fn resume(
        &mut self,
        start: Start,
        after: &str,
        allowed: fn(&Path) -> bool,
    ) -> Result<(), Error> {
        self.counts.parts += check::parts(&self.setting)?.len();
        let mut ended = self.setting.run(&Start::RESUME)?;
        if ended.status.code() == Some(3) && start == Start::OtherInput {
            // The earlier run still exists, in part or whole: it has to be replaced again.
            ended = self.setting.run(&start.arguments())?;
        }
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr);
            return Err(broken(after, format!("the resume ended with {}: {said}", ended.status)));
        }
        finished(&self.setting, after, allowed)?;
        let before = Image::read(&self.setting.root().join(OUT))?;
        let again = self.setting.run(&Start::RESUME)?;
        let same = Image::read(&self.setting.root().join(OUT))? == before;
        match again.status.success() && same {
            true => Ok(()),
            false => Err(broken(after, "a second resume changed something".to_owned())),
        }
    }

    fn hurt(&self, arguments: &[&str], fault: &Fault) -> Result<Trace, Error> {
        let command: Command = self.setting.command(arguments);
        Tracer::new(self.setting.root()).fault(*fault).run(&command)
    }

    /// A kill at any call, or at one that changes a file: those are rare, and matter most.
    fn kill_at(&mut self, start: Start) -> Fault {
        let calls = self.random.pick([Calls::Any, Calls::Changes]);
        let nth = 1 + self.random.below(self.setting.calls(start, calls));
        Fault { calls, nth, harm: Harm::Kill }
    }
}
