//! The proteins that a record's annotation says it codes for.

/// The words' length that tells where a protein may lie.
const WORD: usize = 8;

/// The translations of a record's coding sequences, to be searched.
#[derive(Debug, Clone, Default)]
pub struct Coding {
    /// One behind the other, each ended by a letter that no protein holds.
    text: Vec<u8>,
    /// Word and place, sorted.
    places: Vec<(u64, u32)>,
}

impl Coding {
    /// Of these proteins.
    ///
    /// ```
    /// let coding = vnp_train::Coding::new(["MKVLAAGWW", "MSTNPKPQRKTKRN"]);
    /// assert!(coding.confirms("VLAAGWW") && coding.confirms("STNPKPQRK"));
    /// assert!(!coding.confirms("GWWMST") && !coding.confirms("STNPKPQRR"));
    /// ```
    pub fn new<'a>(proteins: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = Vec::new();
        for protein in proteins {
            text.extend(protein.bytes().filter(|letter| !letter.is_ascii_whitespace()));
            text.push(b'\n');
        }
        text.make_ascii_uppercase();
        let words = text.windows(WORD).zip(0..u32::MAX);
        let mut places: Vec<(u64, u32)> =
            words.filter_map(|(letters, at)| Some((word(letters)?, at))).collect();
        places.sort_unstable();
        Self { text, places }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Everything there is to search, for digests.
    pub(crate) fn letters(&self) -> &[u8] {
        &self.text
    }

    /// Whether a frame's protein lies within one of them, which is the original's rule for the
    /// frames to learn from.
    #[must_use]
    pub fn confirms(&self, protein: &str) -> bool {
        let protein = protein.as_bytes();
        let Some(first) = protein.get(..WORD).and_then(word) else {
            let mut windows = self.text.windows(protein.len().max(1));
            return !protein.is_empty() && windows.any(|window| window == protein);
        };
        let start = self.places.partition_point(|(word, _)| *word < first);
        let here = self.places.get(start..).unwrap_or_default();
        here.iter().take_while(|(word, _)| *word == first).any(|(_, at)| {
            self.text.get(*at as usize..).is_some_and(|text| text.starts_with(protein))
        })
    }
}

fn word(letters: &[u8]) -> Option<u64> {
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
