//! What the holder of a lock writes about itself.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, Seek, Write};

use fs_err::File;
use serde::{Deserialize, Serialize};

use super::process::{began, host, scope};
use crate::time::rfc3339_now;

/// The holder of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Different for every time that a lock is taken.
    pub(super) nonce: String,
    host: String,
    process: u32,
    since: String,
    /// Where the system reports them: what makes the number of the process unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<u64>,
}

impl Owner {
    /// This process, which takes a lock now.
    pub(super) fn this_process() -> Self {
        let process = std::process::id();
        // Its keys are drawn from the system's random numbers.
        let random = || RandomState::new().hash_one(process);
        Self {
            nonce: format!("{:016x}{:016x}", random(), random()),
            host: host(),
            process,
            since: rfc3339_now(),
            scope: scope(),
            began: began(process).ok().flatten(),
        }
    }

    /// The text of a lock file: a line for people, and one for the next process.
    pub(super) fn text(&self) -> String {
        let Self { host, process, since, .. } = self;
        // A struct of texts and numbers has a JSON form.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("process {process} on {host} since {since}\n{json}\n")
    }

    /// Writes the text to the beginning of a lock file, and brings it to disk: the time at which the file
    /// was changed becomes that of its file system, and other machines see it.
    pub(super) fn write(&self, file: &mut File) -> io::Result<()> {
        file.rewind()?;
        file.write_all(self.text().as_bytes())?;
        file.sync_data()
    }

    /// The holder that a text is about; none for those of versions before, and for half of a text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text.lines().nth(1)?).ok()
    }

    /// Whether the process is known to have ended. Only a process of the same system start and the same
    /// space of process numbers can be known: a host's name says too little.
    pub(super) fn has_ended(&self) -> bool {
        let (Some(theirs), Some(ticks)) = (&self.scope, self.began) else { return false };
        // Copies of one virtual machine have a start in common, and are given names of their own.
        let is_here = self.host == host() && scope().is_some_and(|ours| ours == *theirs);
        is_here && began(self.process).is_ok_and(|found| found != Some(ticks))
    }
}

/// Whether a text can be a nonce.
pub(super) fn is_nonce(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_back_and_no_nonce_comes_twice() {
        let owner = Owner::this_process();
        assert_eq!(Owner::parse(&owner.text()), Some(owner.clone()));
        assert!(is_nonce(&owner.nonce));
        assert_ne!(Owner::this_process().nonce, owner.nonce);
        let text = owner.text();
        for end in 0..text.len() - 1 {
            assert_eq!(Owner::parse(&text[..end]), None, "{end}");
        }
        assert_eq!(Owner::parse("process 1 on elsewhere since 2020-01-01T00:00:00Z\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_process_of_this_scope_is_known_to_have_ended() {
        let owner = Owner::this_process();
        assert!(!owner.has_ended());
        // The number was given to another process.
        assert!(Owner { began: Some(1), ..owner.clone() }.has_ended());
        assert!(Owner { process: u32::MAX, ..owner.clone() }.has_ended());
        let elsewhere = Owner { process: u32::MAX, host: "x".into(), ..owner.clone() };
        assert!(!elsewhere.has_ended());
        let elsewhere = Owner { process: u32::MAX, scope: Some("x".into()), ..owner.clone() };
        assert!(!elsewhere.has_ended());
        assert!(!Owner { process: u32::MAX, scope: None, ..owner }.has_ended());
    }
}
