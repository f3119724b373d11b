//! The program under attack: started in the directory of a case, watched, and killed when it takes too long.

use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::ended::Ended;
use crate::place::Place;

/// A text whose beginning is a line of its own where line ends are not escaped.
pub(crate) const FORGED: &str = "1999-01-01";

/// A program, its directory, and the time that it has.
pub(crate) struct Program<'a> {
    pub(crate) place: &'a Place,
    pub(crate) until: Instant,
}

impl Program<'_> {
    /// Runs it with these words, nothing shown.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Ended> {
        let code = self.end(self.quiet(words).spawn()?)?;
        Ok(Ended { code, wrong: 0 })
    }

    /// The command of [`Self::run`].
    pub(crate) fn quiet(&self, words: &[&str]) -> Command {
        let mut command = self.place.command(words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The command with no more address space than this. Threads reserve some, so there is one.
    pub(crate) fn limited(&self, kibibytes: u64, words: &[&str]) -> Command {
        let vnp = self.quiet(words);
        let mut command = Command::new("sh");
        let script = format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(vnp.get_program()).args(vnp.get_args());
        command.env("RAYON_NUM_THREADS", "1").current_dir(&self.place.dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it, and counts the characters of both streams that a terminal would obey, and the lines that a
    /// text from outside has forged.
    pub(crate) fn count_raw(&self, words: &[&str]) -> Result<Ended> {
        let mut command = self.place.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        std::thread::scope(|scope| {
            let counting = streams.map(|stream| scope.spawn(|| raw_characters(stream)));
            let code = self.end(child)?;
            let mut wrong = 0;
            for count in counting {
                wrong += count.join().ok().context("a thread")??;
            }
            Ok(Ended { code, wrong })
        })
    }

    /// Waits until it has ended, and kills it after its time.
    pub(crate) fn end(&self, mut child: Child) -> Result<Option<i32>> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status.code().unwrap_or_else(|| -status.signal().unwrap_or(0))));
            }
            if Instant::now() > self.until {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// Waits until something is so; false if its time ended, or the child.
    pub(crate) fn wait(&self, child: &mut Child, is_so: impl Fn() -> bool) -> Result<bool> {
        loop {
            if is_so() {
                return Ok(true);
            }
            if Instant::now() > self.until || child.try_wait()?.is_some() {
                return Ok(false);
            }
            sleep(Duration::from_millis(1));
        }
    }
}

fn raw_characters(stream: Option<Box<dyn Read + Send>>) -> Result<u64> {
    let mut bytes = Vec::new();
    stream.context("a stream")?.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let raw = text.chars().filter(|&c| c != '\n' && !vnp_escape::is_plain(c)).count();
    let forged = text.lines().filter(|line| line.starts_with(FORGED)).count();
    Ok((raw + forged) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_counted() {
        let check = |text: &str, expected: u64| {
            let stream = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
            assert_eq!(raw_characters(Some(stream)).unwrap(), expected, "{text:?}");
        };
        check("plain\ntext \\u{1b}[31m\n", 0);
        check("a\u{1b}[31mb\u{9b}c\u{202e}\n", 3);
        check("a\n1999-01-01T00:00:00Z ERROR forged\n", 1);
    }
}
