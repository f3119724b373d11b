//! Calls the reads of a PAF file: `reads CALLS PAF OUTPUT`.

use std::path::PathBuf;

use vnp_calls::{AlignmentFormat, ReadsOptions, call_reads};
use vnp_job::{Input, StopFlag};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [calls, paf, output] = paths.as_slice() else {
        return Err("usage: reads CALLS PAF OUTPUT".into());
    };
    let (input, options) = (Input::File(paf.clone()), ReadsOptions::default());
    let paf = AlignmentFormat::Paf;
    call_reads(calls, input, paf, &options, output, None, &StopFlag::default())?;
    Ok(())
}
