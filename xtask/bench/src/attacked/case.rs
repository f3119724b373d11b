//! One thing that was tried: how its files are made, what is run, and what a good answer is.

use anyhow::Result;

use super::ended::Ended;
use super::finding::Finding;
use super::program::Program;
use crate::place::Place;

/// Writes the files of a case.
type Prepare = Box<dyn Fn(&Place) -> Result<()>>;
/// Runs the program.
type Run = Box<dyn Fn(&Program<'_>) -> Result<Ended>>;

/// One thing that was tried.
pub(crate) struct Case {
    pub(crate) finding: Finding,
    /// Its name, unique.
    pub(crate) name: String,
    /// What is run, as the table shows it.
    pub(crate) command: String,
    /// What is counted besides time and memory.
    pub(crate) wrong: &'static str,
    /// The exit codes of a good answer.
    pub(crate) codes: &'static [i32],
    /// The most that a good answer takes.
    pub(crate) cpu_seconds: f64,
    pub(crate) megabytes: u64,
    pub(crate) prepare: Prepare,
    pub(crate) run: Run,
}

impl Case {
    /// A case that runs one command over what `prepare` wrote.
    pub(crate) fn new(
        finding: Finding,
        name: impl Into<String>,
        command: impl Into<String>,
        prepare: impl Fn(&Place) -> Result<()> + 'static,
    ) -> Self {
        let command = command.into();
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        Self {
            finding,
            name: name.into(),
            command,
            wrong: "",
            codes: &[0, 1, 3],
            cpu_seconds: 2.0,
            megabytes: 256,
            prepare: Box::new(prepare),
            run: Box::new(move |program| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                program.run(&words)
            }),
        }
    }

    pub(crate) fn ends(mut self, codes: &'static [i32]) -> Self {
        self.codes = codes;
        self
    }

    pub(crate) fn within(mut self, cpu_seconds: f64, megabytes: u64) -> Self {
        (self.cpu_seconds, self.megabytes) = (cpu_seconds, megabytes);
        self
    }

    /// Runs something else than the command, and counts what goes wrong.
    pub(crate) fn running(
        mut self,
        wrong: &'static str,
        run: impl Fn(&Program<'_>) -> Result<Ended> + 'static,
    ) -> Self {
        self.wrong = wrong;
        self.run = Box::new(run);
        self
    }
}
