//! The pickle: a program for a small stack machine, of which this runs the part that makes data.
//!
//! Nothing is ever looked up, imported or called: a class or function is one of the [`Global`]s
//! that checkpoints hold, or the file is refused. Values lie in an arena, refer to each other
//! by number and to the pickle by place, so that nothing recurses and nothing is copied.

use super::context::Context;
use crate::Error;

mod extent;
mod global;
mod machine;
mod number;
mod opcode;
mod reduce;
mod tree;

pub(crate) use extent::check as check_extent;
pub(crate) use global::Global;
pub(crate) use machine::{Form, Machine};
pub(crate) use tree::{ArrayState, Handle, Item, Node, StorageNode, TensorNode, Tree};

/// Reads a record that is one pickle and nothing else.
pub(crate) fn unpickle<'p>(
    bytes: &'p [u8],
    name: &'static str,
    context: Context<'_>,
) -> Result<Tree<'p>, Error> {
    let mut machine = Machine::new(bytes, 0, Form::Archive, name, context);
    let tree = machine.run()?;
    let end = machine.position();
    if end != bytes.len() {
        let place = format!("byte {end} of {name}");
        let found = format!("{} bytes", bytes.len() - end);
        return Err(context.bad_pickle(place, "nothing after STOP", found));
    }
    Ok(tree)
}
