//! Signals that this process was started to ignore, as under `nohup`: its children inherit that, and `vnp` goes on
//! ignoring them, so tests that send one start it as a terminal would.

use std::io::Write as _;
use std::process::Command;
use std::sync::LazyLock;

/// The signals that tests send, with their numbers on Linux.
const SENT: [(u32, &str); 4] = [(1, "HUP"), (2, "INT"), (15, "TERM"), (24, "XCPU")];

/// The names of those that this process ignores.
static IGNORED: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status)
});

/// Whether `env` of this system can undo that.
static CAN_RESET: LazyLock<bool> = LazyLock::new(|| {
    let output = Command::new("env").args(["--default-signal=HUP", "true"]).output();
    output.is_ok_and(|output| output.status.success())
});

fn ignored(status: &str) -> Vec<&'static str> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let is_ignored = |&&(number, _): &&(u32, _)| mask >> (number - 1) & 1 == 1;
    SENT.iter().filter(is_ignored).map(|(_, name)| *name).collect()
}

/// `vnp`, which ignores none of the signals that tests send if that can be had.
pub(crate) fn vnp() -> Command {
    let own = env!("CARGO_BIN_EXE_vnp");
    if IGNORED.is_empty() || !*CAN_RESET {
        return Command::new(own);
    }
    // Its place is taken by the program, with the same process id.
    let mut command = Command::new("env");
    command.arg(format!("--default-signal={}", IGNORED.join(","))).arg(own);
    command
}

/// Whether `vnp` hears a signal such as `-HUP` here; if not, why its test is skipped is printed.
pub(crate) fn is_heard(signal: &str) -> bool {
    let is_heard = *CAN_RESET || !IGNORED.contains(&signal.trim_start_matches('-'));
    if !is_heard {
        let reason = "these tests were started with it ignored, as nohup does, and env has no --default-signal";
        let _ = writeln!(std::io::stderr(), "skipped: SIG{}: {reason}", &signal[1..]);
    }
    is_heard
}

#[test]
fn signals_are_found_in_the_mask_of_a_process() {
    let check = |mask: &str, expected: &[&str]| {
        assert_eq!(ignored(&format!("Name:\tx\nSigIgn:\t{mask}\nSigCgt:\t0\n")), expected);
    };
    check("0000000000000000", &[]);
    check("0000000000000001", &["HUP"]);
    check("0000000001000003", &["HUP", "INT"]);
    check("0000000000804001", &["HUP", "TERM", "XCPU"]);
    assert_eq!(ignored("Name:\tx\n"), [""; 0]);
}

/// A command that was started under `nohup` hears the signals of tests.
#[test]
fn what_is_ignored_is_heard_again() {
    if !*CAN_RESET {
        let _ = writeln!(std::io::stderr(), "skipped: env has no --default-signal");
        return;
    }
    let line = "trap '' HUP; exec env --default-signal=HUP grep SigIgn /proc/self/status";
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let status = String::from_utf8(output.stdout).unwrap();
    assert!(status.starts_with("SigIgn:") && !ignored(&status).contains(&"HUP"), "{status}");
}
