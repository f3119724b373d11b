//! The peak memory of the process, as Linux reports it.

/// The largest resident size of this process so far, in bytes; files that it maps count as far as
/// they were in memory.
///
/// Linux reports it in `/proc/self/status` (`VmHWM`), which is not part of the environment that a caller
/// sets up. Nothing elsewhere.
pub(crate) fn peak_bytes() -> Option<u64> {
    peak_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_its_line() {
        let status = "Name:\tvnp\nVmPeak:\t  900000 kB\nVmHWM:\t  123456 kB\nVmRSS:\t     1 kB\n";
        assert_eq!(peak_in(status), Some(123_456 * 1024));
        for bad in ["", "VmRSS:\t 1 kB\n", "VmHWM:\t 1 MB\n", "VmHWM:\t kB\n"] {
            assert_eq!(peak_in(bad), None, "{bad:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_on_linux_has_a_peak() {
        assert!(peak_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
