//! Counts of the faults that whole runs survived, and the summary that is printed.

use std::fmt;

/// What was done and found. A torn, stale or different file is an error instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Runs that were killed and resumed.
    pub kills: usize,
    /// Runs among them whose resume was killed too, and resumed.
    pub kills_twice: usize,
    /// Runs among them that replaced an earlier run with `--force`.
    pub kills_of_force: usize,
    /// Temporaries between a kill and the resume.
    pub temporaries: usize,
    /// Parts that a resume found.
    pub parts: usize,
    /// Errors and short writes.
    pub errors: usize,
    /// Errors after which the run rightly finished.
    pub errors_survived: usize,
    /// Images after a loss of power that were resumed.
    pub losses: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, kills_twice, kills_of_force, temporaries, parts, .. } = self;
        if *kills > 0 {
            writeln!(
                f,
                "{kills} kills of a whole run, {kills_of_force} of them while replacing an earlier \
                 one, {kills_twice} followed by a kill of the resume: 0 torn or stale files, \
                 {temporaries} temporaries left and all removed, results identical"
            )?;
        }
        let Self { errors, errors_survived, losses, .. } = self;
        if *errors > 0 {
            let ended = errors - errors_survived;
            writeln!(
                f,
                "{errors} errors and short writes in a whole run: {errors_survived} survived, \
                 {ended} ended it with exit 1 and their reason; results identical after the resume"
            )?;
        }
        if *losses > 0 {
            writeln!(
                f,
                "{losses} losses of power in a whole run, in the model: 0 torn or stale files, \
                 results identical after the resume"
            )?;
        }
        write!(f, "the resumes found {parts} parts")
    }
}
