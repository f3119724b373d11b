//! The pickle: a program for a small stack machine, of which this runs the part that makes data.
//!
//! Nothing is ever looked up, imported or called: a class or function is one of the [`Global`](global::Global)s
//! that checkpoints hold, or the file is refused. Values lie in an arena, refer to each other
//! by number and to the pickle by place, so that nothing recurses and nothing is copied.

use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::limits::Limits;

mod danger;
pub(crate) mod extent;
pub(crate) mod global;
mod inert;
pub(crate) mod machine;
mod names;
mod number;
mod opcode;
mod reduce;
pub(crate) mod tree;

use machine::{Machine, PickleSource};
use tree::Tree;

/// Reads a record that is one pickle and nothing else.
pub(crate) fn unpickle<'p>(
    bytes: &'p [u8],
    name: &'static str,
    limits: &Limits,
    budget: &'p Budget,
) -> Result<Tree<'p>, ErrorKind> {
    let mut machine = Machine::new(bytes, 0, PickleSource::Archive, name, limits, budget);
    let tree = machine.run()?;
    let end = machine.position();
    if end != bytes.len() {
        let at = format!("byte {end} of {name}");
        let found = format!("{} bytes", bytes.len() - end);
        return Err(ErrorKind::bad_pickle(at, "nothing after STOP", found));
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::limits::Limits;
    use crate::read::torch::pickle::tree::{Item, Node};

    fn run<T>(
        bytes: &[u8],
        limits: &Limits,
        look: impl Fn(&Tree<'_>) -> T,
    ) -> Result<T, ErrorKind> {
        let budget = Budget::new(limits, bytes.len() as u64);
        let tree = unpickle(bytes, "data.pkl", limits, &budget)?;
        extent::check(&tree, limits)?;
        Ok(look(&tree))
    }

    /// A value as Python would print it, more or less.
    fn spelled(tree: &Tree<'_>, item: Item) -> String {
        let all = |items: &[Item]| {
            items.iter().map(|&item| spelled(tree, item)).collect::<Vec<_>>().join(", ")
        };
        match item {
            Item::Int(number) => number.to_string(),
            Item::Float(number) => format!("{number:?}"),
            Item::Floats { .. } => {
                tree.floats(item).map(|float| format!("{float:?}")).collect::<Vec<_>>().join(", ")
            }
            Item::Text { .. } => format!("{:?}", tree.text(item).unwrap()),
            Item::Bytes { .. } => format!("b{:?}", tree.raw(item)),
            Item::Latin1 { .. } => format!("latin1 {:?}", tree.latin1(item).unwrap()),
            Item::Node(handle) => match tree.node(handle).unwrap() {
                Node::List(items) => format!("[{}]", all(items)),
                Node::Tuple(_) => format!("({})", all(tree.tuple(handle).unwrap())),
                Node::Set(items) => format!("{{{}}}", all(items)),
                Node::Dict { entries, .. } => {
                    let entries = entries.iter().map(|&(key, value)| {
                        format!("{}: {}", spelled(tree, key), spelled(tree, value))
                    });
                    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
                }
                other => format!("{other:?}"),
            },
            other => format!("{other:?}"),
        }
    }

    #[track_caller]
    fn check(value: &[u8], expected: &str) {
        let found = run(&pickle(value), &Limits::default(), |tree| spelled(tree, tree.root()));
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn every_opcode_that_makes_data() {
        check(b"N", "None");
        check(b"\x88", "Bool(true)");
        check(b"\x89", "Bool(false)");
        check(b"K\xff", "255");
        check(b"M\xff\xff", "65535");
        check(b"J\xff\xff\xff\xff", "-1");
        check(b"\x8a\x00", "0");
        check(b"\x8a\x05\x00\x00\x00\x80\x00", "2147483648");
        check(&float(-0.0), "-0.0");
        check(b"X\x02\0\0\0\xc3\xbc", "\"\u{fc}\"");
        check(b"\x8c\x01a", "\"a\"");
        check(b"C\x01\xff", "b[255]");
        check(b"B\x01\0\0\0\xff", "b[255]");
        check(b"]", "[]");
        check(b"]K\x01a", "[1]");
        check(b"](K\x01K\x02e(K\x03e", "[1, 2, 3]");
        check(b")", "()");
        check(b"(K\x01K\x02K\x03K\x04t", "(1, 2, 3, 4)");
        check(b"K\x01\x85", "(1)");
        check(b"K\x01K\x02\x86", "(1, 2)");
        check(b"K\x01K\x02K\x03\x87", "(1, 2, 3)");
        check(b"}", "{}");
        check(b"}K\x01NsK\x02Ns", "{1: None, 2: None}");
        check(b"}(K\x01NK\x02Nu", "{1: None, 2: None}");
        check(b"\x8f(K\x01\x90", "{1}");
        check(b"]q\0(K\x01q\x01h\x01j\x01\0\0\0e", "[1, 1, 1]");
        check(b"]r\0\0\0\0(K\x01\x94h\x01e", "[1, 1]");
        check(&call("collections", "OrderedDict", &[]), "{}");
        check(&call("__builtin__", "set", &[list(&[int(1)])]), "[1]");
        check(&call("_codecs", "encode", &[text("\u{ff}"), text("latin1")]), "latin1 \"\u{ff}\"");
        check(b"\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R", "{}");
    }

    #[test]
    fn floats_stay_together_and_come_apart() {
        let [one, two, three] = [1.0, 2.0, 3.0].map(float);
        check(&floats(&[1.0, 2.0, 3.0]), "[1.0, 2.0, 3.0]");
        check(&tuple(&[one.clone(), two.clone(), int(5)]), "(1.0, 2.0, 5)");
        check(&[&b"]"[..], &one, &two, b"\x86a"].concat(), "[(1.0, 2.0)]");
        check(&[&b"](K\x01"[..], &one, &two, &three, b"\x87e"].concat(), "[1, (1.0, 2.0, 3.0)]");
        check(&[&b"("[..], &one, &two, &three, b"\x86t"].concat(), "(1.0, (2.0, 3.0))");
        check(&[&b"}("[..], &one, &two, b"u"].concat(), "{1.0: 2.0}");
        check(&[&b"}"[..], &one, &two, b"s"].concat(), "{1.0: 2.0}");
        check(&[&b"]("[..], &one, &two, b"q\0h\0e"].concat(), "[1.0, 2.0, 2.0]");
    }

    #[track_caller]
    fn check_bad(bytes: &[u8], expected_place: &str, expected: &str) {
        match run(bytes, &Limits::default(), |tree| spelled(tree, tree.root())) {
            Err(ErrorKind::BadPickle { position, expected: found, .. }) => {
                assert_eq!((position.as_str(), found.as_str()), (expected_place, expected));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn programs_that_make_no_data() {
        check_bad(b"", "byte 0 of data.pkl", "2 bytes more");
        check_bad(b"}.", "byte 0 of data.pkl", "PROTO first");
        check_bad(b"\x80\x01.", "byte 0 of data.pkl", "protocol 2 to 5");
        check_bad(b"\x80\x06.", "byte 0 of data.pkl", "protocol 2 to 5");
        check_bad(b"\x80\x02}", "byte 3 of data.pkl", "1 bytes more");
        check_bad(b"\x80\x02.", "byte 2 of data.pkl", "one value at STOP");
        check_bad(b"\x80\x02}}.", "byte 4 of data.pkl", "one value at STOP");
        check_bad(b"\x80\x02}(.", "byte 4 of data.pkl", "one value at STOP");
        check_bad(b"\x80\x02}.N", "byte 4 of data.pkl", "nothing after STOP");
        check_bad(b"\x80\x020.", "byte 2 of data.pkl", "an opcode that torch.save writes");
        check_bad(b"\x80\x02\xff.", "byte 2 of data.pkl", "an opcode that torch.save writes");
        check_bad(b"\x80\x02}\x80\x02.", "byte 3 of data.pkl", "an opcode that torch.save writes");
        check_bad(b"\x80\x02Xaaaa.", "byte 2 of data.pkl", "1633771873 bytes more");
        check_bad(b"\x80\x02\x8c\x01\xff.", "byte 2 of data.pkl", "a text in UTF-8");
        check_bad(b"\x80\x02G\0\0.", "byte 2 of data.pkl", "8 bytes more");
        check_bad(b"\x80\x02]N(a.", "byte 5 of data.pkl", "a value on the stack");
        check_bad(b"\x80\x02N(e.", "byte 4 of data.pkl", "a list to append to");
        check_bad(b"\x80\x02}(K\x01K\x02s.", "byte 8 of data.pkl", "a dict to put items into");
        check_bad(b"\x80\x02}]Ns.", "byte 5 of data.pkl", "a key of a dict");
        check_bad(b"\x80\x02}(Nu.", "byte 5 of data.pkl", "pairs of keys and values");
    }

    #[test]
    fn memo_indices_are_in_order() {
        check_bad(b"\x80\x02}q\x01.", "byte 3 of data.pkl", "index 0 of the memo");
        check_bad(b"\x80\x02}q\0q\0.", "byte 5 of data.pkl", "index 1 of the memo");
        check_bad(b"\x80\x02}r\xff\xff\xff\xff.", "byte 3 of data.pkl", "index 0 of the memo");
        check_bad(b"\x80\x02h\0.", "byte 2 of data.pkl", "an index of the memo below 0");
        check_bad(b"\x80\x02q\0.", "byte 2 of data.pkl", "a value on the stack");
    }

    #[test]
    fn frames_hold_whole_opcodes() {
        let framed =
            |length: u64, rest: &[u8]| [b"\x80\x04\x95", &length.to_le_bytes()[..], rest].concat();
        let good = framed(3, b"K\x01.");
        let found = run(&good, &Limits::default(), |tree| spelled(tree, tree.root())).unwrap();
        assert_eq!(found, "1");
        check_bad(&framed(4, b"K\x01."), "byte 2 of data.pkl", "a frame of at most 3 bytes");
        check_bad(&framed(u64::MAX, b"N."), "byte 2 of data.pkl", "a frame of at most 2 bytes");
        check_bad(&framed(1, b"K\x01."), "byte 11 of data.pkl", "1 bytes more");
        let nested = framed(11, &framed(2, b"N.")[2..]);
        check_bad(&nested, "byte 11 of data.pkl", "the end of the frame at byte 22");
        let two = [&framed(1, b"N")[..], b"\x95\x01\0\0\0\0\0\0\0."].concat();
        assert!(run(&two, &Limits::default(), |tree| spelled(tree, tree.root())).is_ok());
    }

    #[test]
    fn a_value_does_not_hold_itself() {
        check_bad(&pickle(b"]q\0h\0a"), "data.pkl", "values");
        check_bad(&pickle(b"}q\0Nh\0s"), "data.pkl", "values");
        check_bad(&pickle(b"]q\0]h\0aa"), "data.pkl", "values");
    }

    #[track_caller]
    fn check_limit(bytes: &[u8], limits: &Limits, expected: &str) {
        match run(bytes, limits, |_| ()) {
            Err(ErrorKind::LimitExceeded { limit, .. }) => assert_eq!(limit, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_deep_or_large_is_refused() {
        let limits = Limits::default();
        let lists = |depth: usize| pickle(&[vec![b']'; depth], vec![b'a'; depth - 1]].concat());
        assert!(run(&lists(64), &limits, |_| ()).is_ok());
        check_limit(&lists(65), &limits, "pickle_depth");
        check_limit(&lists(1_000_000), &limits, "pickle_depth");
        let tuples = pickle(&[&b")"[..], &[0x85; 1_000_000]].concat());
        check_limit(&tuples, &limits, "pickle_depth");
        let few = Limits { pickle_nodes: 100, ..Limits::default() };
        assert!(run(&pickle(&[&b"]("[..], &[b'N'; 90], b"e"].concat()), &few, |_| ()).is_ok());
        check_limit(&pickle(&[&b"]("[..], &[b'N'; 100], b"e"].concat()), &few, "pickle_nodes");
        let floats = floats(&[0.5; 1000]);
        assert!(run(&pickle(&floats), &few, |_| ()).is_ok());
    }

    #[test]
    fn a_billion_laughs_are_counted_not_made() {
        let mut laughs = b"]q\0Na".to_vec();
        for level in 0..40 {
            laughs.extend([b']', b'q', level + 1, b'h', level, b'a', b'h', level, b'a']);
        }
        let value = [&b"]("[..], &laughs, b"e"].concat();
        // Places of the memo are in order here: the outer list has none.
        check_limit(&pickle(&value), &Limits::default(), "pickle_nodes");
    }

    #[track_caller]
    fn check_forbidden(value: &[u8], expected: &str) {
        match run(&pickle(value), &Limits::default(), |_| ()) {
            Err(ErrorKind::ForbiddenGlobal { global, .. }) => assert_eq!(global, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_known_names_are_taken() {
        check_forbidden(b"cos\nsystem\n", "os.system");
        check_forbidden(b"\x8c\x02os\x8c\x06system\x93", "os.system");
        check_forbidden(b"ctorch\nload\n", "torch.load");
        check_forbidden(b"ctorch\n\xff\n", "torch.\\xff");
        let tensor = view(storage("0", "Float", 1, &[]), 0, &[1], &[1]);
        let after = [&b"]"[..], &tensor, b"acposix\nsystem\n"].concat();
        check_forbidden(&after, "posix.system");
    }

    #[test]
    fn nothing_is_done_to_a_tensor() {
        let tensor = view(storage("0", "Float", 1, &[]), 0, &[1], &[1]);
        let build = pickle(&[&tensor[..], b"}b"].concat());
        let Err(ErrorKind::BadPickle { .. }) = run(&build, &Limits::default(), |_| ()) else {
            panic!("a tensor was built upon")
        };
        let set = pickle(&[&tensor[..], b"NNs"].concat());
        let Err(ErrorKind::BadPickle { .. }) = run(&set, &Limits::default(), |_| ()) else {
            panic!("an item of a tensor was set")
        };
    }
}
