//! Saves a checkpoint over an older one, correctly or not, and prints the outcome.
//!
//! `saver old|save|publish|publish-directory|claim|in-place|rename-without-fsync|rename-without-directory-fsync TARGET`,
//! `saver check TARGET`, `saver sweep DIRECTORY`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fs_err as fs;
use vnp_ckpt::{
    Error, ErrorKind, Limits, atomic_save, load_with_compatibility, sweep_stale_temporaries,
};
use vnp_faults::{Which, sample};
use vnp_job::publish::{self, Output, UNPUBLISHED};
use vnp_job::{Claim, STALE_AFTER};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [how, path] = words.as_slice() else {
        return failed("saver HOW PATH");
    };
    match run(how, Path::new(path)) {
        Ok(said) => match writeln!(io::stdout(), "{said}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(error),
        },
        Err(error) => {
            // The message of an error does not repeat that of its source.
            let sources = std::iter::successors(error.source(), |cause| cause.source());
            let texts = std::iter::once(error.to_string()).chain(sources.map(ToString::to_string));
            failed(texts.collect::<Vec<_>>().join(": "))
        }
    }
}

fn failed(error: impl std::fmt::Display) -> ExitCode {
    drop(writeln!(io::stderr(), "{error}"));
    ExitCode::FAILURE
}

fn run(how: &str, path: &Path) -> Result<String, Box<dyn std::error::Error>> {
    match how {
        "old" => atomic_save(path, &sample(Which::Old)?)?,
        "check" => return Ok(check(path)?),
        "sweep" => return Ok(sweep_stale_temporaries(path)?.len().to_string()),
        "save" => {
            let checkpoint = sample(Which::New)?;
            writeln!(io::stdout(), "saving")?;
            if let Err(error) = atomic_save(path, &checkpoint) {
                match error.kind() {
                    ErrorKind::NotCommitted { .. } => writeln!(io::stdout(), "not committed")?,
                    ErrorKind::DurabilityUncertain { .. } => writeln!(io::stdout(), "uncertain")?,
                    _ => {}
                }
                return Err(error.into());
            }
        }
        how => {
            // Serialised elsewhere: only the calls that save the bytes are to be traced.
            let elsewhere = tempfile::tempdir()?;
            let serialised = elsewhere.path().join("new.vnp");
            atomic_save(&serialised, &sample(Which::New)?)?;
            let bytes = fs::read(serialised)?;
            writeln!(io::stdout(), "saving")?;
            match how {
                "publish" => {
                    let mut output = Output::create(path.to_owned())?;
                    output.write_all(&bytes)?;
                    output.finish()?.publish()?;
                }
                // The same as on a file system without locks.
                "claim" => {
                    let claim = Claim::take(&path.with_file_name("claim"), STALE_AFTER)?;
                    let mut output = Output::create(path.to_owned())?;
                    output.write_all(&bytes)?;
                    let complete = output.finish()?;
                    claim.check()?;
                    complete.publish()?;
                }
                "publish-directory" => {
                    let name = path.file_name().unwrap_or_default();
                    publish::directory(
                        directory(path),
                        UNPUBLISHED,
                        |root| publish::durable_file(&root.join(name), &bytes),
                        vnp_job::remove_if_there,
                    )?;
                }
                control => save_wrongly(control, path, &bytes)?,
            }
        }
    }
    Ok("saved".to_owned())
}

/// The controls: each breaks one promise, and the harness must detect it.
fn save_wrongly(how: &str, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    match how {
        "in-place" => {
            let mut file = fs::File::create(path)?;
            for part in bytes.chunks(16 << 10) {
                file.write_all(part)?;
            }
            file.sync_all()
        }
        "rename-without-fsync" => {
            fs::write(&temporary, bytes)?;
            fs::rename(&temporary, path)?;
            fs::File::open(directory(path))?.sync_all()
        }
        "rename-without-directory-fsync" => {
            let mut file = fs::File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        }
        _ => Err(io::Error::other(format!("{how}: no such way to save"))),
    }
}

fn temporary(path: &Path) -> PathBuf {
    path.with_extension("tmp")
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the name leads to: `old`, `new`, `other`, `missing`, or `torn` with the reason.
fn check(path: &Path) -> Result<String, Error> {
    if !path.exists() {
        return Ok("missing".to_owned());
    }
    let read = match load_with_compatibility(path, &Limits::default()) {
        Ok(read) => read,
        Err(error) if matches!(error.kind(), ErrorKind::Io { .. }) => return Err(error),
        Err(error) => return Ok(format!("torn: {error}")),
    };
    for (which, name) in [(Which::Old, "old"), (Which::New, "new")] {
        if read == sample(which)? {
            return Ok(name.to_owned());
        }
    }
    Ok("other".to_owned())
}
