//! Text from outside in messages: a path, a name or the words of a library goes through `vnp-escape`, whoever
//! shows it.

use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Fields, Item, LitStr, Meta, Type};

use super::finding::{Finding, Kind};

/// The crate that may show a path in the way of the standard library.
const ESCAPES: &str = "crates/vnp-escape";

/// Types whose values may be text from outside. An `Error` is one of another library, which quotes what it
/// was given; ours is shown as a source, or by name with its crate.
const OUTSIDE: [&str; 7] = ["String", "PathBuf", "OsString", "Cow", "Value", "Error", "dyn"];

/// Refuses messages of our crates that show text from outside as it is.
pub(super) fn check(file: &Path, text: &str) -> Result<Vec<Finding>> {
    let is_ours =
        file.starts_with("crates") && file.components().any(|part| part.as_os_str() == "src");
    if !is_ours || file.starts_with(ESCAPES) {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for (line, _) in (1..).zip(text.lines()).filter(|(_, line)| line.contains(".display()")) {
        let message = "a path is shown with vnp_escape::escaped_path".to_owned();
        findings.push(Finding::new(Kind::Message, file, line, message));
    }
    if text.contains("thiserror::Error") {
        let syntax = syn::parse_file(text).with_context(|| file.to_string_lossy().into_owned())?;
        let mut errors = Errors { found: Vec::new() };
        errors.visit_file(&syntax);
        findings.extend(
            errors
                .found
                .into_iter()
                .map(|(line, message)| Finding::new(Kind::Message, file, line, message)),
        );
    }
    Ok(findings)
}

/// The messages of errors that show a field as it is, each with its line.
struct Errors {
    found: Vec<(usize, String)>,
}

impl<'ast> Visit<'ast> for Errors {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Enum(item) => {
                for variant in &item.variants {
                    self.message(&variant.attrs, &variant.fields);
                }
            }
            Item::Struct(item) => self.message(&item.attrs, &item.fields),
            _ => visit::visit_item(self, item),
        }
    }
}

impl Errors {
    fn message(&mut self, attributes: &[Attribute], fields: &Fields) {
        let mut metas = attributes.iter().map(|attribute| &attribute.meta);
        let Some(tokens) = metas.find_map(|meta| match meta {
            Meta::List(list) if list.path.is_ident("error") => Some(&list.tokens),
            _ => None,
        }) else {
            return;
        };
        let outside: Vec<String> = (0..)
            .zip(fields)
            .filter(|(_, field)| is_outside(&field.ty))
            .map(|(at, field)| field.ident.as_ref().map_or(at.to_string(), ToString::to_string))
            .collect();
        let line = tokens.clone().into_iter().next().map_or(0, |token| token.span().start().line);
        for name in raw(tokens.clone(), &outside) {
            self.found.push((
                line,
                format!("show `{name}` with shown, sentence or escaped of vnp-escape"),
            ));
        }
    }
}

/// Whether values of a type may be text from outside.
fn is_outside(of: &Type) -> bool {
    struct Names(bool);
    impl<'ast> Visit<'ast> for Names {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            let first = path.segments.first().map(|segment| segment.ident.to_string());
            let last = path.segments.last().map(|segment| segment.ident.to_string());
            // Errors of our crates are escaped where they are defined.
            let is_ours = first.is_some_and(|first| first.starts_with("vnp_"))
                && last.as_deref() == Some("Error");
            self.0 |= !is_ours && last.is_some_and(|last| OUTSIDE.contains(&last.as_str()));
            visit::visit_path(self, path);
        }

        fn visit_type_trait_object(&mut self, _: &'ast syn::TypeTraitObject) {
            self.0 = true;
        }
    }
    let mut names = Names(false);
    names.visit_type(of);
    names.0
}

/// The fields among `outside` that the message of an `#[error(…)]` shows without a function around them.
fn raw(tokens: TokenStream, outside: &[String]) -> Vec<String> {
    let mut arguments: Vec<Vec<TokenTree>> = vec![Vec::new()];
    for token in tokens {
        match (&token, arguments.last_mut()) {
            (TokenTree::Punct(sign), _) if sign.as_char() == ',' => arguments.push(Vec::new()),
            (_, Some(argument)) => argument.push(token),
            _ => {}
        }
    }
    let mut arguments = arguments.into_iter();
    let first = arguments.next().unwrap_or_default();
    let format = first.first().and_then(|token| syn::parse2::<LitStr>(token.clone().into()).ok());
    let Some(format) = format.map(|text| text.value()) else {
        // `transparent`: the only field displays itself.
        return outside.to_vec();
    };
    let mut bound = Vec::new();
    let mut found = Vec::new();
    for argument in arguments {
        let is_named =
            matches!(argument.get(1), Some(TokenTree::Punct(sign)) if sign.as_char() == '=');
        if is_named {
            bound.extend(argument.first().map(ToString::to_string));
        }
        let value = argument.get(if is_named { 2 } else { 0 }..).unwrap_or_default();
        found.extend(root(value).filter(|name| outside.contains(name)));
    }
    let format = format.replace("{{", "");
    let named = format.split('{').skip(1).filter_map(|rest| {
        let name = rest.split(['}', ':']).next().unwrap_or_default();
        outside.iter().find(|field| *field == name && !bound.iter().any(|known| known == name))
    });
    found.extend(named.cloned());
    found
}

/// The field that a value is, or whose method it is; none for the call of a function.
fn root(value: &[TokenTree]) -> Option<String> {
    let is_sign = |token: &TokenTree, signs: &str| matches!(token, TokenTree::Punct(sign) if signs.contains(sign.as_char()));
    let mut tokens = value.iter().skip_while(|token| is_sign(token, "*&.")).peekable();
    let first = tokens.next()?;
    let is_method = tokens.peek().is_some_and(|next| is_sign(next, "."));
    let is_called = tokens.any(|token| {
        matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
    });
    (is_method || !is_called).then(|| first.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(file: &str, text: &str, expected: &[&str]) {
        let findings = check(Path::new(file), text).unwrap();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.contains(expected), "{line} is not about {expected}");
        }
    }

    /// The fields refused of one variant.
    #[track_caller]
    fn check_variant(variant: &str, expected: &[&str]) {
        let text = format!("#[derive(thiserror::Error)]\nenum Error {{ {variant} }}\n");
        check_file("crates/vnp-job/src/error.rs", &text, expected);
    }

    #[test]
    fn paths_are_shown_by_the_crate_for_it() {
        check_file("crates/vnp-job/src/a.rs", "fn f() {\n    a.display();\n}", &["a.rs:2: "]);
        check_file("crates/vnp-escape/src/a.rs", "a.display()", &[]);
        check_file("crates/vnp-job/tests/a.rs", "a.display()", &[]);
        check_file("xtask/src/a.rs", "a.display()", &[]);
    }

    #[test]
    fn fields_with_text_are_refused_as_they_are() {
        check_variant("#[error(\"{a}\")] A { a: String }", &["`a`"]);
        check_variant(
            "#[error(\"{a:?}, {b}\")] A { a: Vec<String>, b: std::io::Error }",
            &["`a`", "`b`"],
        );
        check_variant("#[error(\"{}\", a)] A { a: PathBuf }", &["`a`"]);
        check_variant("#[error(\"{}\", a.join(\", \"))] A { a: Vec<String> }", &["`a`"]);
        check_variant("#[error(\"{b}\", b = a)] A { a: Box<dyn E> }", &["`a`"]);
        check_variant("#[error(\"{0}\")] A(String)", &["`0`"]);
        check_variant("#[error(transparent)] A(#[from] io::Error)", &["`0`"]);
    }

    #[test]
    fn what_is_escaped_and_what_is_ours_is_not() {
        check_variant("#[error(\"{a}\", a = shown(a))] A { a: String }", &[]);
        check_variant("#[error(\"{}\", vnp_escape::escaped(.0))] A(io::Error)", &[]);
        check_variant("#[error(\"{a} {{b}}\")] A { a: u64, b: String }", &[]);
        check_variant("#[error(\"{}\", a.name())] A { a: Stage, b: String }", &[]);
        check_variant("#[error(\"none\")] A { a: String }", &[]);
        check_variant("#[error(transparent)] A(#[from] vnp_ckpt::Error)", &[]);
    }
}
