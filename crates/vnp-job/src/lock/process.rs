//! What distinguishes this process from every other one, and whether another one has ended.

use std::io;
use std::path::Path;

/// The name of this machine, or of its container.
pub(super) fn host() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    return "this machine".to_owned();
}

/// The start of the system and the space of process numbers in which a number means one process. Two
/// containers may share a host's name, and two machines too; they do not share both of these. None
/// where the system does not report them, or reports those of another space.
pub(super) fn scope() -> Option<String> {
    let shown = std::fs::read_link("/proc/self").ok()?;
    if shown != Path::new(&std::process::id().to_string()) {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.to_str()?))
}

/// When a process of this scope began, in ticks since the system started, which distinguishes it from a
/// later one of the same number; none if there is no such process, or it has ended and was not waited for.
///
/// # Errors
/// Anything else that keeps the system from saying so: then nothing is known of the process.
pub(super) fn began(process: u32) -> io::Result<Option<u64>> {
    let stat = match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => stat,
        // A process that ends while it is asked about is "no such process".
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_no_process(&error) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // The name of the program is in parentheses and may hold any character.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_ascii_whitespace());
    let mut fields = fields.ok_or(io::ErrorKind::InvalidData)?;
    if matches!(fields.next(), Some("Z" | "X")) {
        return Ok(None);
    }
    let ticks = fields.nth(18).and_then(|ticks| ticks.parse().ok());
    ticks.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn is_no_process(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error());
    #[cfg(not(unix))]
    return false;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_an_ended_one_is_not() {
        let own = std::process::id();
        assert!(scope().is_some());
        assert!(began(own).unwrap().is_some_and(|ticks| ticks > 0));
        assert_eq!(began(own).unwrap(), began(own).unwrap());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pause = std::time::Duration::from_millis(10);
        // It ends by itself, and stays in the table until it is waited for.
        for _ in 0..500 {
            if began(child.id()).unwrap().is_none() {
                break;
            }
            std::thread::sleep(pause);
        }
        assert_eq!(began(child.id()).unwrap(), None);
        child.wait().unwrap();
        assert_eq!(began(child.id()).unwrap(), None);
    }
}
