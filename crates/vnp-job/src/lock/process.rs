//! What distinguishes this process from every other one, and whether another one has ended.

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
pub(super) fn began(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program is in parentheses and may hold any character.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_an_ended_one_is_not() {
        let own = std::process::id();
        assert!(scope().is_some());
        assert!(began(own).is_some_and(|ticks| ticks > 0));
        assert_eq!(began(own), began(own));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pause = std::time::Duration::from_millis(10);
        // It ends by itself, and stays in the table until it is waited for.
        for _ in 0..500 {
            if began(child.id()).is_none() {
                break;
            }
            std::thread::sleep(pause);
        }
        assert_eq!(began(child.id()), None);
        child.wait().unwrap();
        assert_eq!(began(child.id()), None);
    }
}
