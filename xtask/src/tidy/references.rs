//! The paths that a source file names outside its tests: in `use`, in code and in macros.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Meta, Token, UseTree, punctuated::Punctuated};

/// A path that code names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The names of the inline modules of the file that surround it.
    pub(super) within: Vec<String>,
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

/// The references of one file, in the order of its text, and the macros that it defines.
#[derive(Debug, Default)]
pub(super) struct References {
    pub(super) found: Vec<Reference>,
    pub(super) macros: BTreeSet<String>,
    within: Vec<String>,
}

impl References {
    pub(super) fn of(file: &syn::File) -> Self {
        let mut references = Self::default();
        references.visit_file(file);
        references
    }

    fn add(&mut self, segments: Vec<String>, line: usize) {
        let is_path = segments.len() > 1;
        if is_path {
            self.found.push(Reference { within: self.within.clone(), segments, line });
        }
    }

    /// Adds every path of a `use` whose outer part is `prefix`.
    fn use_tree(&mut self, tree: &UseTree, prefix: &[String]) {
        let with = |name: &Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self.add(with(&name.ident), line(&name.ident)),
            UseTree::Rename(rename) => self.add(with(&rename.ident), line(&rename.ident)),
            UseTree::Glob(glob) => {
                let segments = [prefix, &["*".to_owned()]].concat();
                self.add(segments, glob.star_token.spans[0].start().line);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.use_tree(tree, prefix))
            }
        }
    }

    /// Adds the paths in the arguments of a macro, which syn leaves as tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == sign);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let is_fresh = at < 2 || ![':', '$', '.'].iter().any(|sign| is(at - 2, *sign));
                    let mut segments = vec![first.to_string()];
                    while is(at, ':')
                        && is(at + 1, ':')
                        && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
                    {
                        segments.push(next.to_string());
                        at += 3;
                    }
                    if is_fresh {
                        self.add(segments, line(first));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for References {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let is_test = matches!(item, ImplItem::Fn(function) if is_test(&function.attrs));
        if !is_test {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.within.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.within.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.use_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string());
            self.add(segments.collect(), line(&first.ident));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.tokens(invocation.tokens.clone());
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        self.macros.extend(item.ident.as_ref().map(ToString::to_string));
        visit::visit_item_macro(self, item);
    }

    /// `pub(super)` and `pub(in …)` name modules but import nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// Whether an item with these attributes exists in tests only.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args().is_ok_and(|condition| needs_test(&condition))
        }
        _ => false,
    })
}

/// Whether the condition of a `cfg` is false outside of tests.
fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let parts = parts.unwrap_or_default();
    (list.path.is_ident("all") && parts.iter().any(needs_test))
        || (list.path.is_ident("any") && parts.iter().all(needs_test))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn line(name: &Ident) -> usize {
    name.span().start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let references = References::of(&syn::parse_file(text).unwrap());
        let found = references.found.iter().map(|path| {
            let inline: String = path.within.iter().map(|name| format!("[{name}]")).collect();
            format!("{inline}{}@{}", path.segments.join("::"), path.line)
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn paths_of_imports_code_and_macros_are_found() {
        check(
            "use crate::a::{self, B as C,\n d::*};",
            &["crate::a::self@1", "crate::a::B@1", "crate::a::d::*@2"],
        );
        check("pub use a::b;\nuse ::c::d;", &["a::b@1"]);
        check("fn f() -> a::B { super::c::D(e) }", &["a::B@1", "super::c::D@1"]);
        check("fn f() { g!(\"{}\", [self::a(), b.c::<D>(), $crate::e::f]) }", &["self::a@1"]);
        check("mod a { fn f() { b::c() } }", &["[a]b::c@1"]);
        check("pub(in crate::a) fn f() {}", &[]);
    }

    #[test]
    fn tests_are_left_out() {
        check("#[cfg(test)] use a::b;\n#[test] fn f() { a::b() }", &[]);
        check("#[cfg(all(test, unix))] mod t { use a::b; }", &[]);
        check("impl A { #[cfg(test)] fn f() { a::b() } }", &[]);
        check("#[cfg(not(test))] use a::b;", &["a::b@1"]);
        check("#[cfg(any(test, unix))] use a::b;", &["a::b@1"]);
    }
}
