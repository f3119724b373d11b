use std::fmt;

/// What was done and found. Whatever was torn, stale or different is an error instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Runs that were killed and resumed.
    pub kills: usize,
    /// Those of them whose resume was killed too, and resumed.
    pub kills_twice: usize,
    /// Those of them that replaced an earlier run with `--force`.
    pub kills_of_force: usize,
    /// Temporaries that lay there between a kill and the resume.
    pub temporaries: usize,
    /// Parts that a resume found.
    pub parts: usize,
    /// Errors and short writes.
    pub errors: usize,
    /// Those after which the run went on to its end, and rightly so.
    pub errors_survived: usize,
    /// Images of a lost disk that were resumed.
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
                 {temporaries} temporaries left and all swept, results identical"
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
