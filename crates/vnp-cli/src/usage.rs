//! Errors of the arguments, which quote what the user typed or a script passed on.

use clap::error::{ContextKind, ContextValue};
use vnp_escape::sentence;

/// The error with every argument that it quotes escaped, and cut where it is long.
pub(crate) fn escaped(mut error: clap::Error) -> clap::Error {
    let quoted: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(sentence(text).into()),
                ContextValue::Strings(texts) => {
                    ContextValue::Strings(texts.iter().map(|text| sentence(text).into()).collect())
                }
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    let mut is_plain = true;
    for (kind, value) in quoted {
        is_plain &= error.insert(kind, value.clone()) == Some(value);
    }
    if !is_plain {
        // The tip repeats the argument as it is, with the colours of a terminal.
        error.remove(ContextKind::Suggested);
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use vnp_escape::is_plain;

    use super::*;
    use crate::args::Args;

    #[track_caller]
    fn check(arguments: &[&str]) {
        let error = Args::try_parse_from([&["vnp"], arguments].concat()).err().unwrap();
        let text = escaped(error).render().to_string();
        assert!(text.lines().all(|line| line.chars().all(is_plain)), "{text:?}");
        assert!(text.contains("x\\n2026\\u{1b}[2J\\u{202e}y"), "{text:?}");
        assert!(text.len() < 4000, "{}", text.len());
    }

    #[test]
    fn an_argument_is_quoted_in_one_line_whichever_it_is() {
        let bad = "x\n2026\u{1b}[2J\u{202e}y";
        check(&[bad]);
        check(&["predict", &format!("--{bad}")]);
        check(&["predict", "a.fa", "-o", "out", "--threads", bad]);
        check(&["predict", "a.fa", "-o", "out", "--precision", bad]);
        check(&["predict", "a.fa", "-o", "out", "--device", bad]);
        check(&["predict", "a.fa", "-o", "out", "--duplicate-ids", bad]);
        check(&["devices", bad]);
        check(&["completions", bad]);
        check(&["devices", &format!("{bad}{}", "z".repeat(100_000))]);
    }

    #[test]
    fn an_option_of_one_letter_is_escaped() {
        let error = Args::try_parse_from(["vnp", "devices", "-\u{9b}"]).err().unwrap();
        let text = escaped(error).render().to_string();
        assert!(text.lines().all(|line| line.chars().all(is_plain)), "{text:?}");
        assert!(text.contains("'-\\u{9b}'"), "{text:?}");
    }

    #[test]
    fn usage_names_the_program_and_not_the_file_that_was_started() {
        let error = Args::try_parse_from(["x/\u{1b}[2J\n", "predict", "--none"]).err().unwrap();
        let text = escaped(error).render().to_string();
        assert!(text.lines().all(|line| line.chars().all(is_plain)), "{text:?}");
        assert!(text.contains("Usage: vnp predict"), "{text:?}");
    }
}
