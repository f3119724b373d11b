//! Augmentation: changes to a sequence that keep its class.

use std::borrow::Cow;
use std::collections::BTreeMap;

use vnp_seq::find_orfs;

use crate::joint::recipe::Augmentation;
use crate::rng::Rng;

/// Replaces a share of the bases by other ones.
pub(super) fn mutate<'a>(window: &'a [u8], share: f64, rng: &mut Rng) -> Cow<'a, [u8]> {
    if share <= 0.0 {
        return Cow::Borrowed(window);
    }
    let mut mutated = window.to_vec();
    for letter in &mut mutated {
        if rng.uniform() < share {
            let others = b"ACGT".iter().filter(|base| **base != *letter);
            *letter = others.copied().nth(rng.below(3)).unwrap_or(*letter);
        }
    }
    Cow::Owned(mutated)
}

/// Masks a share of the tokens, except the first and the last.
pub(super) fn mask(tokens: &mut [u32], hidden: u32, share: f64, rng: &mut Rng) {
    let [_, inner @ .., _] = tokens else { return };
    for token in inner {
        if rng.uniform() < share {
            *token = hidden;
        }
    }
}

/// The codons of each amino acid.
pub(super) struct Codons {
    synonyms: BTreeMap<[u8; 3], Vec<[u8; 3]>>,
}

impl Codons {
    pub(super) fn new() -> Self {
        let mut by_residue: BTreeMap<String, Vec<[u8; 3]>> = BTreeMap::new();
        for number in 0..64 {
            let base = |place: usize| b"ACGT".get(number >> (2 * place) & 3).copied();
            let (Some(a), Some(b), Some(c)) = (base(2), base(1), base(0)) else { continue };
            // A stop codon has no ORF, and no synonym is needed for it.
            let frames = find_orfs(&[a, b, c]);
            if let Some(first) = frames.first().filter(|frame| !frame.frame.is_reverse()) {
                by_residue.entry(first.protein.clone()).or_default().push([a, b, c]);
            }
        }
        let of_one = |codons: &Vec<[u8; 3]>| {
            codons.iter().map(|codon| (*codon, codons.clone())).collect::<Vec<_>>()
        };
        Self { synonyms: by_residue.values().flat_map(of_one).collect() }
    }

    /// With the probability `recode`, replaces every codon by a synonym, with G and C preferred
    /// or avoided to a degree drawn for this frame; an incomplete last codon stays.
    pub(super) fn recode(&self, nucleotide: &str, how: Augmentation, rng: &mut Rng) -> String {
        if rng.uniform() >= how.recode {
            return nucleotide.to_owned();
        }
        let bias = how.recode_bias * f64::from(rng.normal());
        let mut recoded = Vec::with_capacity(nucleotide.len());
        for codon in nucleotide.as_bytes().chunks(3) {
            let synonyms = <[u8; 3]>::try_from(codon).ok().and_then(|c| self.synonyms.get(&c));
            match synonyms.and_then(|synonyms| draw(synonyms, bias, rng)) {
                Some(synonym) => recoded.extend(synonym),
                None => recoded.extend(codon),
            }
        }
        String::from_utf8(recoded).unwrap_or_else(|_| nucleotide.to_owned())
    }
}

/// Draws a codon with the weight exp(`bias` times its number of G and C).
fn draw<'a>(codons: &'a [[u8; 3]], bias: f64, rng: &mut Rng) -> Option<&'a [u8; 3]> {
    let weight = |codon: &[u8; 3]| {
        let strong = codon.iter().filter(|base| matches!(base, b'G' | b'C')).count();
        (bias * strong as f64).exp()
    };
    rng.choose(codons, weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rng() -> Rng {
        Rng::new(1, "test")
    }

    #[test]
    fn recoding_keeps_the_protein() {
        let how = Augmentation { recode: 1.0, ..Augmentation::default() };
        let nucleotide = "ATGGCACTGTCACGAAGCTTGTGGA".repeat(4);
        let protein = |text: &str| find_orfs(text.as_bytes())[0].protein.clone();
        let (codons, mut rng) = (Codons::new(), rng());
        assert_eq!(codons.synonyms.len(), 61);
        let recoded: Vec<_> = (0..20).map(|_| codons.recode(&nucleotide, how, &mut rng)).collect();
        for text in &recoded {
            assert_eq!((protein(text), text.len()), (protein(&nucleotide), nucleotide.len()));
            assert_ne!(*text, nucleotide);
        }
        let strong = |text: &String| text.chars().filter(|base| "GC".contains(*base)).count();
        let counts: Vec<_> = recoded.iter().map(strong).collect();
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() > 8, "{counts:?}");
        let off = Augmentation { recode: 0.0, ..how };
        assert_eq!(codons.recode(&nucleotide, off, &mut rng), nucleotide);
        // A codon with an unknown letter has no synonyms.
        assert_eq!(codons.recode("NTGAT", how, &mut rng), "NTGAT");
    }

    #[test]
    fn a_share_of_the_bases_mutates() {
        let window = b"ACGT".repeat(500);
        let mutated = mutate(&window, 0.1, &mut rng());
        let changed = window.iter().zip(mutated.iter()).filter(|(a, b)| a != b).count();
        assert!((150..250).contains(&changed), "{changed}");
        assert_eq!(*mutate(&window, 0.0, &mut rng()), window);
    }

    #[test]
    fn the_frame_is_never_hidden() {
        let mut tokens = vec![7; 1000];
        mask(&mut tokens, 0, 0.3, &mut rng());
        let hidden = tokens.iter().filter(|token| **token == 0).count();
        assert!((250..350).contains(&hidden), "{hidden}");
        let mut all = vec![7; 5];
        mask(&mut all, 0, 1.0, &mut rng());
        assert_eq!(all, [7, 0, 0, 0, 7]);
        mask(&mut [], 0, 1.0, &mut rng());
    }
}
