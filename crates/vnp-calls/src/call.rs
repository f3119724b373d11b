//! The verdict on a contig: its call, how sure that is, and the numbers behind both.

use serde::{Deserialize, Serialize};

/// What a contig or a read is held to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// The weighted delta is above 0.3.
    Viral,
    /// The weighted delta is below -0.3.
    NonViral,
    /// The weighted delta is between the two.
    Ambiguous,
}

impl Call {
    /// The text in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viral => "Viral",
            Self::NonViral => "Non-viral",
            Self::Ambiguous => "Ambiguous",
        }
    }
}

/// How sure a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The weighted delta is beyond 0.6 and enough chunks are confident.
    High,
    /// The weighted delta is beyond 0.3 and enough chunks are confident.
    Moderate,
    /// Too few chunks, or too few of them confident.
    Low,
    /// A person has to decide.
    Review,
}

impl Tier {
    /// The text in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high_confidence",
            Self::Moderate => "moderate_confidence",
            Self::Low => "low_confidence",
            Self::Review => "review",
        }
    }

    /// The tier of a contig of fewer chunks than are needed.
    fn lowered(self) -> Self {
        match self {
            Self::High | Self::Moderate => Self::Low,
            Self::Low | Self::Review => Self::Review,
        }
    }
}

/// What a user may set about calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallOptions {
    /// The least share of confident viral chunks, in 0 to 1, of a viral call above low confidence.
    pub min_viral_proportion: f64,
    /// The least share of confident non-viral chunks, in 0 to 1, of a non-viral call above low confidence.
    pub min_nonviral_proportion: f64,
    /// The least number of scored chunks of a call above low confidence.
    pub min_chunks: u64,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self { min_viral_proportion: 0.1, min_nonviral_proportion: 0.1, min_chunks: 5 }
    }
}

/// The call of one contig, and the columns of its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContigCall {
    /// What the contig is held to be.
    pub call: Call,
    /// How sure that is.
    pub tier: Tier,
    /// The mean of the deltas (score of virus less score of others, -1 to 1), weighted by the root of their size; not rounded.
    pub weighted_delta: f64,
    /// The number of scored chunks.
    pub n_chunks: u64,
    /// The number of chunks whose score of virus is above 0.8 and whose score of others is below 0.3.
    pub n_confident_viral: u64,
    /// The number of chunks whose score of others is above 0.8 and whose score of virus is below 0.3.
    pub n_confident_nonviral: u64,
    /// The number of chunks both of whose scores are above 0.7.
    pub n_ambiguous: u64,
    /// Confident viral chunks per chunk that is not ambiguous, 0 to 1; 0 where every chunk is ambiguous; not rounded.
    pub viral_proportion: f64,
    /// Confident non-viral chunks per chunk that is not ambiguous, 0 to 1; 0 where every chunk is ambiguous; not rounded.
    pub nonviral_proportion: f64,
}

/// The chunks of a contig, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) chunks: u64,
    pub(crate) viral: u64,
    pub(crate) nonviral: u64,
    pub(crate) ambiguous: u64,
}

impl ContigCall {
    /// The call of a contig whose weighted delta and counts are known.
    pub(crate) fn new(weighted_delta: f64, counts: Counts, options: &CallOptions) -> Self {
        let effective = counts.chunks.saturating_sub(counts.ambiguous);
        let viral_proportion = proportion(counts.viral, effective);
        let nonviral_proportion = proportion(counts.nonviral, effective);
        let supported = |confident: u64, proportion: f64, least: f64| {
            if confident == 0 || proportion < least {
                Tier::Low
            } else if weighted_delta.abs() > 0.6 {
                Tier::High
            } else {
                Tier::Moderate
            }
        };
        let (call, tier) = if weighted_delta > 0.3 {
            (Call::Viral, supported(counts.viral, viral_proportion, options.min_viral_proportion))
        } else if weighted_delta < -0.3 {
            let least = options.min_nonviral_proportion;
            (Call::NonViral, supported(counts.nonviral, nonviral_proportion, least))
        } else {
            (Call::Ambiguous, Tier::Review)
        };
        Self {
            call,
            tier: if counts.chunks < options.min_chunks { tier.lowered() } else { tier },
            weighted_delta,
            n_chunks: counts.chunks,
            n_confident_viral: counts.viral,
            n_confident_nonviral: counts.nonviral,
            n_ambiguous: counts.ambiguous,
            viral_proportion,
            nonviral_proportion,
        }
    }
}

/// A share of two counts; both are below 2^53, where doubles are exact.
#[expect(clippy::cast_precision_loss, reason = "no contig has 2^53 chunks")]
fn proportion(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}
