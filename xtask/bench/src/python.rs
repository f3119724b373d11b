//! A Python process that answers each line of its input with a line of its output.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running process.
pub(crate) struct Python {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Python {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().display().to_string();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context(program)?;
        let input = child.stdin.take().context("the input of Python")?;
        let output = BufReader::new(child.stdout.take().context("the output of Python")?).lines();
        Ok(Self { child, input, output })
    }

    pub(crate) fn send(&mut self, line: impl std::fmt::Display) -> Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// Waits for the next line.
    pub(crate) fn receive(&mut self) -> Result<String> {
        match self.output.next() {
            Some(line) => Ok(line?),
            None => bail!("Python ended early, with {}", self.child.wait()?),
        }
    }

    /// Ends the input, and waits for the end of the process.
    pub(crate) fn stop(mut self) -> Result<()> {
        drop(self.input);
        self.child.wait()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_answered_until_the_process_ends() {
        let mut cat = Python::start(&mut Command::new("cat")).unwrap();
        cat.send("a line").unwrap();
        assert_eq!(cat.receive().unwrap(), "a line");
        cat.stop().unwrap();
        let mut ended = Python::start(&mut Command::new("true")).unwrap();
        assert!(ended.receive().unwrap_err().to_string().contains("ended early"));
    }
}
