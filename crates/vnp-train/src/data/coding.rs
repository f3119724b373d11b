//! The proteins that a record's annotation states.

/// The length of the k-mers by which a protein is looked up.
const K: usize = 8;

/// The translations of a record's coding sequences, indexed for search.
#[derive(Debug, Clone, Default)]
pub struct Coding {
    /// All translations, each ended by a byte that occurs in none.
    text: Vec<u8>,
    /// K-mers with their offsets in the text, sorted.
    offsets: Vec<(u64, u32)>,
}

impl Coding {
    /// Indexes these proteins.
    pub fn new<'a>(proteins: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = Vec::new();
        for protein in proteins {
            text.extend(protein.bytes().filter(|letter| !letter.is_ascii_whitespace()));
            text.push(b'\n');
        }
        text.make_ascii_uppercase();
        let kmers = text.windows(K).zip(0..u32::MAX);
        let mut offsets: Vec<(u64, u32)> =
            kmers.filter_map(|(letters, at)| Some((kmer(letters)?, at))).collect();
        offsets.sort_unstable();
        Self { text, offsets }
    }

    /// Whether there are no translations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The indexed text, for digests.
    pub(crate) fn letters(&self) -> &[u8] {
        &self.text
    }

    /// Whether the protein of an ORF lies within one of the translations, which is the original's
    /// rule for ORFs to learn from.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "offsets lie within the text")]
    pub fn confirms(&self, protein: &str) -> bool {
        let protein = protein.as_bytes();
        let Some(first) = protein.get(..K).and_then(kmer) else {
            let mut windows = self.text.windows(protein.len().max(1));
            return !protein.is_empty() && windows.any(|window| window == protein);
        };
        let start = self.offsets.partition_point(|(kmer, _)| *kmer < first);
        let here = &self.offsets[start..];
        here.iter()
            .take_while(|(kmer, _)| *kmer == first)
            .any(|(_, at)| self.text[*at as usize..].starts_with(protein))
    }
}

fn kmer(letters: &[u8]) -> Option<u64> {
    letters.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(protein: &str, expected: bool) {
        let coding = Coding::new(["mkvlaagwwmkvlaagww", "MSTN PKPQ\nRKTKRN", "MK"]);
        assert_eq!(coding.confirms(protein), expected, "{protein}");
    }

    #[test]
    fn a_protein_within_one_translation_is_confirmed() {
        check("MKVLAAGWWMKVLAAGWW", true);
        check("AAGWWMKVLAAG", true);
        check("TNPKPQRKTKRN", true);
        check("TNPKPQRKTKRNM", false);
        check("GWWMKVLAAGWWM", false);
        check("KVLAAGWA", false);
        check("STN", true);
        check("NM", false);
        check("", false);
        assert!(Coding::default().is_empty() && !Coding::default().confirms("M"));
    }
}
