//! Small values beside the tensors of a training checkpoint: numpy scalars, sizes, devices, counters,
//! paths. Each is kept as the arguments that its class would be called with; none is constructed.

use crate::error::kind::ErrorKind;
use crate::read::torch::pickle::global::Global;
use crate::read::torch::pickle::machine::Machine;
use crate::read::torch::pickle::tree::{Handle, Item, Node};

impl Machine<'_, '_> {
    /// REDUCE of one of these classes and a tuple of arguments; `None` for any other class.
    pub(super) fn inert(
        &mut self,
        class: Global,
        arguments: Handle,
    ) -> Option<Result<(), ErrorKind>> {
        let items = self.tree.tuple(arguments)?;
        let all_texts = || items.iter().all(|item| matches!(item, Item::Text { .. }));
        let fits = match (class, items) {
            // The tuple and the dict themselves: a copy would be one more for each call.
            (Global::Size, &[size @ Item::Node(handle)]) if self.tree.tuple(handle).is_some() => {
                return Some(self.push(size));
            }
            (Global::Counter, &[counts]) if self.tree.dict(counts).is_some() => {
                return Some(self.push(counts));
            }
            (Global::Layout, &[name @ Item::Text { .. }]) => return Some(self.push(name)),
            (Global::DefaultDict, [] | [Item::None | Item::Global(_)]) => {
                let is_plain = matches!(
                    items,
                    [] | [Item::None
                        | Item::Global(
                            Global::PlainType
                                | Global::Set
                                | Global::OrderedDict
                                | Global::Counter
                                | Global::DefaultDict
                        )]
                );
                if is_plain {
                    let node = Node::Dict { entries: Vec::new(), ordered: false };
                    return Some(self.push_node(node, 1));
                }
                false
            }
            (Global::Scalar, &[Item::Node(dtype), data]) => {
                matches!(self.tree.node(dtype), Some(Node::ArrayType { order: Some(_), .. }))
                    && matches!(data, Item::Bytes { .. } | Item::Latin1 { .. })
            }
            (Global::Device, [Item::Text { .. }] | [Item::Text { .. }, Item::Int(_)]) => true,
            (Global::Path { .. }, _) => all_texts(),
            (
                Global::Size
                | Global::Counter
                | Global::Layout
                | Global::DefaultDict
                | Global::Scalar
                | Global::Device,
                _,
            ) => false,
            _ => return None,
        };
        if !fits {
            let found = format!("{} for {class:?}, or of other types", items.len());
            return Some(self.bad("the arguments that Python writes", found));
        }
        let height = 1 + self.height(Item::Node(arguments));
        Some(self.push_node(Node::Inert { class, arguments }, height))
    }
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use crate::budget::Budget;
    use crate::error::kind::ErrorKind;
    use crate::limits::Limits;
    use crate::read::torch::pickle::{extent, unpickle};

    fn run(value: &[u8], limits: &Limits) -> Result<(), ErrorKind> {
        let budget = Budget::new(limits, value.len() as u64);
        extent::check(&unpickle(&pickle(value), "data.pkl", limits, &budget)?, limits)
    }

    #[track_caller]
    fn check_bad(module: &str, name: &str, arguments: &[Vec<u8>]) {
        let Err(ErrorKind::BadPickle { expected, .. }) =
            run(&call(module, name, arguments), &Limits::default())
        else {
            panic!("{module}.{name} of other arguments")
        };
        assert_eq!(expected, "the arguments that Python writes");
    }

    #[test]
    fn arguments_of_other_types() {
        check_bad("torch", "Size", &[]);
        check_bad("torch", "Size", &[list(&[int(1)])]);
        check_bad("torch", "device", &[]);
        check_bad("torch", "device", &[text("cuda"), text("0")]);
        check_bad("torch", "device", &[text("cuda"), int(0), int(0)]);
        check_bad("pathlib", "PosixPath", &[text("/"), int(0)]);
        check_bad("pathlib", "PosixPath", &[list(&[])]);
        check_bad("collections", "Counter", &[list(&[])]);
        check_bad("collections", "Counter", &[]);
        check_bad("collections", "defaultdict", &[int(1)]);
        check_bad("collections", "defaultdict", &[b"ctorch\ndevice\n".to_vec()]);
        check_bad("collections", "defaultdict", &[b"N".to_vec(), list(&[])]);
        check_bad("numpy.core.multiarray", "scalar", &[text("f8"), text("x")]);
        let unbuilt = call("numpy", "dtype", &[text("f8"), b"\x89".to_vec(), b"\x88".to_vec()]);
        check_bad("numpy.core.multiarray", "scalar", &[unbuilt, b"C\x00".to_vec()]);
    }

    #[test]
    fn types_are_not_called() {
        for value in [call("builtins", "int", &[]), call("torch", "float32", &[])] {
            let Err(ErrorKind::BadPickle { .. }) = run(&value, &Limits::default()) else {
                panic!("a type was called")
            };
        }
    }

    /// A path of many parts, many times: counted as often as it is referred to.
    #[test]
    fn what_is_shared_is_counted() {
        let parts = vec![b"h\x00".to_vec(); 1000];
        let path = call("pathlib", "PosixPath", &parts);
        let value = [&b"](X\x01\0\0\0aq\x00"[..], &path, b"q\x01", &b"h\x01".repeat(1000), b"e"];
        let few = Limits { pickle_nodes: 100_000, ..Limits::default() };
        let Err(ErrorKind::LimitExceeded { limit: "pickle_nodes", .. }) =
            run(&value.concat(), &few)
        else {
            panic!("a million parts were let in")
        };
        assert!(run(&value.concat(), &Limits::default()).is_ok());
    }
}
