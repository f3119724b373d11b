//! Text from outside in a form fit for a terminal or a log: one line, no control characters, and no
//! longer than a message should be.
//!
//! A name in a file, a path or an argument may hold any character: a line end that forges a line of a log,
//! an escape sequence that rewrites the terminal, a direction mark that shows a name backwards. What is
//! shown of it goes through one of these functions, which return something to display and allocate nothing:
//!
//! ```
//! use vnp_escape::{escaped, escaped_bytes, escaped_path, shown};
//!
//! assert_eq!(escaped("read\n1 \x1b[31m").to_string(), "read\\n1 \\u{1b}[31m");
//! assert_eq!(escaped_bytes(b"caf\xe9\x07").to_string(), "caf\\xe9\\u{7}");
//! assert_eq!(escaped_path("Müller/序列.fa").to_string(), "Müller/序列.fa");
//! assert_eq!(escaped("ACGTACGT").cut(4).to_string(), "ACGT…");
//! assert_eq!(shown("a".repeat(1_000_000)).to_string().chars().count(), 201);
//! ```
//!
//! Escaping twice is escaping once: a backslash stays a backslash, so that the writer of a log may escape
//! what a message has escaped already. Escaped text is for people, and not for reading back.

mod adapter;
mod bytes;
mod file_kind;
mod list;
mod plain;

pub use adapter::{Escaped, escaped, sentence, shown};
pub use bytes::{Lossless, escaped_bytes, escaped_path, shown_bytes};
pub use file_kind::FileKind;
pub use list::listed;
pub use plain::is_plain;
