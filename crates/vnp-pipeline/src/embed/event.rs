//! What a run that embeds records reports while it works.

use vnp_ckpt::RowRange;

/// What a run that embeds records reports while it works, in order, on the thread that called
/// [`embed`](crate::embed::embed).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EmbedEvent<'a> {
    /// The input was read once.
    Surveyed {
        /// Its records: one row each.
        records: u64,
        /// Those that cannot be embedded.
        failed: u64,
    },
    /// What is to be computed; comes before anything is.
    Planned {
        /// Rows of the output.
        rows: u64,
        /// Rows that good parts of earlier sessions hold.
        present: u64,
        /// Bad parts, which are quarantined.
        bad_parts: u64,
    },
    /// The encoder is being loaded.
    LoadingEncoder,
    /// The encoder is ready on this device.
    EncoderReady {
        /// The device, as parts record it.
        device: &'a str,
    },
    /// These rows were computed, and are not yet saved.
    Computed(RowRange),
    /// A part with these rows is durable.
    Saved(RowRange),
    /// Every row is computed; the output is being written.
    Publishing,
}
