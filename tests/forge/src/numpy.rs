//! Pickled numpy arrays, every part open to a lie.

use super::pickle::Pickle;

/// An array without its data.
#[derive(Clone, Debug)]
pub struct Array {
    /// The module of `_reconstruct`, which numpy 2 renamed.
    pub module: &'static str,
    pub class: &'static str,
    pub shape: Vec<i64>,
    pub dtype: &'static str,
    /// The byte order.
    pub order: &'static str,
}

impl Array {
    /// Three rows of two halves, in native order.
    pub fn good() -> Self {
        Self {
            module: "numpy._core.multiarray",
            class: "ndarray",
            shape: vec![3, 2],
            dtype: "f2",
            order: "<",
        }
    }

    /// The array with what `data` pushes as its bytes.
    pub fn put(&self, p: Pickle, data: impl FnOnce(Pickle) -> Pickle) -> Pickle {
        self.unbuilt(p)
            .tuple(|p| {
                let p = p.int(1).ints(&self.shape).global("numpy", "dtype");
                let p = p.tuple(|p| p.text(self.dtype).bool(false).bool(true)).reduce();
                let version = |p: Pickle| p.int(3).text(self.order).none().none().none();
                let p = p.tuple(|p| version(p).int(-1).int(-1).int(0));
                data(p.build().bool(false))
            })
            .build()
    }

    /// The array before it gets its state.
    pub fn unbuilt(&self, p: Pickle) -> Pickle {
        let p = p.global(self.module, "_reconstruct");
        p.tuple(|p| p.global("numpy", self.class).ints(&[0]).op(b"C\x01b")).reduce()
    }
}
