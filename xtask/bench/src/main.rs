//! Benches that set `vnp` against the limits of the machine it runs on, and against other tools.
//!
//! Both sides run in turn, so that a machine that is busy, or busier later, slows both. What counts
//! are ratios of the two, not times.

use std::io::Write;

use anyhow::Result;
use clap::Parser;

mod attacked;
mod checkpoint;
mod ckpt;
mod clock;
mod draw;
mod infer;
mod latency;
mod pairs;
mod place;
mod python;
mod stats;
mod validate;

/// Times parts of vnp in an optimised build; `cargo xtask bench-…` starts it.
#[derive(Parser)]
enum Bench {
    Infer(infer::Options),
    Ckpt(ckpt::Options),
    Validate(validate::Options),
    Latency(latency::Options),
    Attacked(attacked::Options),
}

fn main() -> Result<()> {
    let bench = Bench::parse();
    // These two measure other programs.
    let is_of_programs = matches!(bench, Bench::Latency(_) | Bench::Attacked(_));
    if cfg!(debug_assertions) && !is_of_programs {
        writeln!(std::io::stderr(), "this is a debug build: its times mean nothing")?;
    }
    match bench {
        Bench::Infer(options) => infer::run(&options),
        Bench::Ckpt(options) => ckpt::run(&options),
        Bench::Validate(options) => validate::run(&options),
        Bench::Latency(options) => latency::run(&options),
        Bench::Attacked(options) => attacked::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Bench::command().debug_assert();
        for bench in ["ckpt", "validate", "infer"] {
            assert!(Bench::try_parse_from(["bench", bench]).is_ok(), "{bench}");
        }
        assert!(Bench::try_parse_from(["bench", "ckpt", "--pairs", "0"]).is_err());
    }
}
