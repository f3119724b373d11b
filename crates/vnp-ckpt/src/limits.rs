//! Bounds on the work that a file can cause a reader to do.

use crate::error::kind::ErrorKind;

/// Bounds that are checked before anything is allocated.
///
/// Whatever the limits, a reader never allocates more than a small multiple of the file's own
/// length: a declared size that the file cannot hold is refused first. The defaults admit every
/// file that this crate writes by default; lower them for files from strangers.
///
/// Exceeding one is [`ErrorKind::LimitExceeded`], which names the field; nothing was allocated then.
///
/// ```
/// use vnp_ckpt::{Checkpoint, Error, ErrorKind, Limits, RowRange, atomic_save};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("part.vnp");
/// # let ids = (0..1000).map(|row| row.to_string()).collect();
/// # let rows = RowRange::new(0, 1000);
/// # atomic_save(&path, &Checkpoint::builder("k").rows(rows).ids(ids).build()?)?;
/// // A stranger's file may have at most 100 ids and 1 MiB.
/// let small = Limits { ids: 100, total_bytes: 1 << 20, ..Limits::default() };
/// let error = Checkpoint::open(&path, &small).unwrap_err();
/// let ErrorKind::LimitExceeded { limit: "ids", allowed: 100, found: 1000 } = error.kind() else {
///     panic!("1000 ids were taken")
/// };
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the encoded header, in bytes.
    pub header_bytes: u64,
    /// Number of values in the header: every number, text, list and map counts as one.
    pub header_values: u64,
    /// Number of sections: the ids and each tensor.
    pub sections: u64,
    /// Number of ids.
    pub ids: u64,
    /// Length of all ids together, in bytes.
    pub id_bytes: u64,
    /// Number of dimensions of a tensor.
    pub tensor_rank: u64,
    /// Length of the whole file, in bytes.
    pub total_bytes: u64,
    /// Number of records in the archive of a PyTorch file: one per tensor, and a few.
    pub records: u64,
    /// Length of the pickle of a PyTorch file, in bytes; a list of floats takes nine bytes each.
    pub pickle_bytes: u64,
    /// Number of values that a pickle makes, floats in lists not counted.
    pub pickle_nodes: u64,
    /// How deep the lists, dicts and modules of a pickle may be nested.
    pub pickle_depth: u64,
    /// Length of what tensors repeat of their storages, in bytes, all together: a tensor of
    /// PyTorch may be expanded from one element.
    pub expanded_bytes: u64,
    /// Memory for what a file describes beside the bytes of its payloads, in bytes: the values of its
    /// header, of a pickle and of a directory, ids, and what tensors repeat. Whatever this is, a file has
    /// at most four times `header_bytes` for its header, and 48 MiB and eight times its own length for the
    /// rest.
    pub memory_bytes: u64,
    /// Work that a file causes beyond reading it once, in units of about a nanosecond: texts that are
    /// checked again at each reference, entries that are searched again. Whatever this is, a file has at
    /// most 2^28 units and 16 for each of its bytes.
    pub work_units: u64,
}

impl Default for Limits {
    /// 16 MiB and 2^20 values of header, 4096 sections, 2^28 ids of 4 GiB, 8 dimensions, 64 GiB.
    ///
    /// Of PyTorch files: 2^22 records, a pickle of 8 GiB and 2^26 values, 64 levels, 256 MiB of
    /// expanded tensors. Memory and work are what a file of its length may have.
    fn default() -> Self {
        Self {
            header_bytes: 16 << 20,
            header_values: 1 << 20,
            sections: 4096,
            ids: 1 << 28,
            id_bytes: 4 << 30,
            tensor_rank: 8,
            total_bytes: 64 << 30,
            records: 1 << 22,
            pickle_bytes: 8 << 30,
            pickle_nodes: 1 << 26,
            pickle_depth: 64,
            expanded_bytes: 256 << 20,
            memory_bytes: u64::MAX,
            work_units: u64::MAX,
        }
    }
}

/// Refuses `found` when it is above `allowed`, which is the field `limit` of [`Limits`]. A size that
/// 64 bits do not hold is above every limit.
pub(crate) fn check(
    limit: &'static str,
    allowed: u64,
    found: impl TryInto<u64>,
) -> Result<(), ErrorKind> {
    let found = found.try_into().unwrap_or(u64::MAX);
    if found > allowed {
        return Err(ErrorKind::LimitExceeded { limit, allowed, found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        assert!(check("ids", 3, 3).is_ok());
        let Err(ErrorKind::LimitExceeded { limit: "ids", allowed: 3, found: 4 }) =
            check("ids", 3, 4)
        else {
            panic!("4 of 3 was allowed")
        };
    }
}
