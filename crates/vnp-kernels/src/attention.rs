//! Multi-head self-attention of one sequence.

pub(crate) mod alibi;
pub(crate) mod heads;
pub(crate) mod rotary;

use crate::error::{Error, check};
use crate::{native, portable};
use heads::{Attention, AttentionScratch, Position};

impl Attention {
    /// The attention of one sequence: `qkv` is `[length, 3 * heads * size]` with rows `q | k | v`,
    /// each head by head; `output` is `[length, heads * size]`.
    ///
    /// # Errors
    /// [`Error::Length`] for slices of other lengths, another number of slopes than heads, and a
    /// sequence longer than the rotary tables.
    pub fn attend(
        &self,
        qkv: &[f32],
        output: &mut [f32],
        scratch: &mut AttentionScratch,
    ) -> Result<(), Error> {
        self.attend_unless(qkv, output, scratch, &|| false)
    }

    /// The same, given up soon after `is_interrupted` answers yes: `output` is of no use then. It is asked
    /// once for some queries, because the work grows with the square of the length.
    ///
    /// # Errors
    /// As [`attend`](Self::attend).
    pub fn attend_unless(
        &self,
        qkv: &[f32],
        output: &mut [f32],
        scratch: &mut AttentionScratch,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Error> {
        let hidden = self.heads * self.size;
        if hidden == 0 {
            return Err(Error::Shape { outputs: self.heads, inputs: self.size });
        }
        check("a row of queries, keys and values", qkv.len() % (3 * hidden), 0)?;
        check("the output of attention", output.len(), qkv.len() / 3)?;
        match &self.position {
            Position::Rotary(rotary) => rotary.check(qkv.len() / (3 * hidden), self.size)?,
            Position::Alibi(slopes) => check("the slopes of heads", slopes.len(), self.heads)?,
        }
        if qkv.is_empty() || native::attend(self, qkv, output, scratch, is_interrupted) {
            return Ok(());
        }
        portable::attend::attend(qkv, output, self, is_interrupted)
    }
}

#[cfg(test)]
mod tests;
