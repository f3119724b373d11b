//! The organism that a record comes from, derived from its line in the lists of sources.

/// Organisms that are kept for other tests and must not be trained on. None is in the data; a record
/// that matches is left out all the same.
pub(crate) const HELD_OUT: [&str; 13] = [
    "dengue",
    "zika",
    "sars-cov-2",
    "severe acute respiratory syndrome coronavirus 2",
    "hiv-1",
    "human immunodeficiency virus 1",
    "enterobacteria phage lambda",
    "escherichia phage lambda",
    "phage t4",
    "mycobacterium tuberculosis",
    "vibrio cholerae",
    "bacillus anthracis",
    "drosophila",
];

pub(crate) fn is_held_out(description: &str) -> bool {
    let description = description.to_lowercase();
    HELD_OUT.iter().any(|name| description.contains(name))
}

/// Families of the viruses of eukaryotes in the data, with words of their records' names or data
/// sets (ICTV taxonomy, release 2024). Their members are kept together.
const FAMILIES: [(&str, &[&str]); 18] = [
    ("Arenaviridae", &["lassa"]),
    ("Filoviridae", &["marburg", "ebola"]),
    ("Flaviviridae", &["west nile", "yellow-fever", "hepatitis c", "/wnv"]),
    ("Hantaviridae", &["andes virus", "hantavirus"]),
    ("Matonaviridae", &["rubella"]),
    ("Mitoviridae", &["mitovirus"]),
    ("Orthoherpesviridae", &["herpesvirus", "/vzv"]),
    ("Orthomyxoviridae", &["influenza", "/flu/"]),
    ("Paramyxoviridae", &["measles", "mumps"]),
    ("Peribunyaviridae", &["oropouche", "/orov"]),
    ("Picornaviridae", &["hepatitis a", "enterovirus", "polio", "coxsackie", "/hav/"]),
    ("Pneumoviridae", &["metapneumo", "hmpv", "syncytial", "/rsv"]),
    ("Poxviridae", &["monkeypox", "mpox", "mpxv"]),
    ("Rhabdoviridae", &["rabies"]),
    ("Sedoreoviridae", &["orungo"]),
    ("Togaviridae", &["chik"]),
    ("Tymoviridae", &["eggplant mosaic"]),
    ("Virgaviridae", &["tomato mosaic"]),
];

/// The family of a viral record, by its name, its data set and its source.
pub(crate) fn family(description: &str, source: &str) -> Option<&'static str> {
    let text = format!("{description} {source}").to_lowercase();
    let named = |words: &[&str]| words.iter().any(|word| text.contains(word));
    FAMILIES.iter().find(|(_, words)| named(words)).map(|(family, _)| *family)
}

/// The names that a viral record goes by: records that share one belong together.
///
/// `NC_004162.2 Chikungunya virus, complete genome [community/v-gen-lab/chikV/genotypes]` goes by
/// its species and by the data set's directory, which also joins the segments of a virus.
pub(crate) fn viral_names(description: &str) -> Vec<String> {
    let (title, set) = split_brackets(description);
    let mut names = Vec::new();
    if let Some(set) = set {
        // The first level names the collection, for `community` the second one too.
        let depth = if set.starts_with("community/") { 3 } else { 2 };
        names.push(set.split('/').take(depth).collect::<Vec<_>>().join("/"));
    }
    let title = title.rsplit_once('|').map_or(title, |(_, title)| title).trim();
    // Accessions may come twice.
    let name = skip_accession(skip_accession(title));
    let end = ["(", ",", " isolate", " strain", " segment", " lineage", " genotype", " subtype"]
        .iter()
        .filter_map(|stop| name.find(stop))
        .min()
        .unwrap_or(name.len());
    let species = name.get(..end).unwrap_or_default().trim();
    let names_one = species.contains("virus") || species.contains("phage");
    if names_one && species.contains(' ') {
        names.push(species.to_lowercase());
    }
    if names.is_empty() {
        names.push(format!("record {description}"));
    }
    names
}

/// The species of a non-viral record of the first list.
pub(crate) fn cellular_species(description: &str) -> String {
    let (title, set) = split_brackets(description);
    match set {
        Some("C. elegans") => return "caenorhabditis elegans".to_owned(),
        Some(set) if set.starts_with("E.Coli") => return "escherichia coli".to_owned(),
        _ => {}
    }
    let title = match title.split_once(" | ") {
        Some((title, _)) => title,
        None => title.rsplit_once('|').map_or(title, |(_, title)| title),
    };
    let title = skip_accession(title.trim());
    let words: Vec<_> = title.split_whitespace().take(2).collect();
    words.join(" ").trim_end_matches(',').to_lowercase()
}

/// What kind of organism a viral record comes from, for the report.
pub(crate) fn viral_kind(family: Option<&str>, source: &str) -> &'static str {
    match family {
        Some("Orthoherpesviridae" | "Poxviridae") => "large DNA viruses",
        Some(_) => "RNA viruses",
        None if source.contains("hundred_microviruses") => "microviruses",
        None => "phages",
    }
}

/// What kind of organism any other record comes from, by its species, its name and the class that a
/// list gives it.
pub(crate) fn cellular_kind(species: &str, description: &str, class: &str) -> &'static str {
    let has = |texts: &[&str]| texts.iter().any(|t| description.contains(t) || class.contains(t));
    match () {
        () if has(&["chloroplast", "mitochondrion", "MtDNA"]) => "organelles",
        () if has(&["archaea"]) => "archaea",
        () if species == "homo sapiens" => "human",
        () if has(&["fungus", "plant", "protist", "nematode", "vertebrate", "C. elegans"])
            || has(&["hum1.dat", "rod.dat", "vrt.dat", "inv.dat", "pln.dat", "fun.dat"]) =>
        {
            "other eukaryotes"
        }
        () => "bacteria",
    }
}

/// `title [set]`
fn split_brackets(description: &str) -> (&str, Option<&str>) {
    match description.rsplit_once(" [") {
        Some((title, set)) => (title, set.strip_suffix(']')),
        None => (description, None),
    }
}

/// Drops a first word that holds a digit.
fn skip_accession(text: &str) -> &str {
    match text.split_once(' ') {
        Some((first, rest)) if first.contains(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_viral(description: &str, expected: &[&str]) {
        assert_eq!(viral_names(description), expected, "{description}");
    }

    fn check_cellular(description: &str, expected: &str) {
        assert_eq!(cellular_species(description), expected);
    }

    #[test]
    fn segments_and_strains_of_a_virus_share_a_name() {
        check_viral(
            "PP154170.1 Oropouche virus isolate ILMD_TF29 segment S, complete sequence [community/itps/orov/S/tefe]",
            &["community/itps/orov", "oropouche virus"],
        );
        check_viral(
            "CY121680.1 Influenza A virus (A/California/07/2009(H1N1)) (HA) gene [nextstrain/flu/h1n1pdm/ha/CY121680]",
            &["nextstrain/flu", "influenza a virus"],
        );
        check_viral(
            "NC_063383 NC_063383.1 Monkeypox virus, complete genome [nextstrain/mpox/all-clades]",
            &["nextstrain/mpox", "monkeypox virus"],
        );
        check_viral("D90232 [nextstrain/mumps/sh]", &["nextstrain/mumps"]);
        check_viral(
            "JQ610684.1 Orungo virus isolate UGMP 359 segment 10, complete sequence",
            &["orungo virus"],
        );
        check_viral(
            "gi|23343512|ref|NC_004297.1| Lassa virus segment L, complete sequence",
            &["lassa virus"],
        );
        check_viral("phage_comp_9_cycle_1", &["record phage_comp_9_cycle_1"]);
        check_viral(
            "k149_27590 flag=1 multi=13.0000 len=32680",
            &["record k149_27590 flag=1 multi=13.0000 len=32680"],
        );
    }

    #[test]
    fn cellular_records_go_by_their_species() {
        check_cellular("K-12-MG1655 [E.Coli MG1655-K12]", "escherichia coli");
        check_cellular("CHROMOSOME_MtDNA [C. elegans]", "caenorhabditis elegans");
        check_cellular(
            "Z11115 Caenorhabditis elegans | Caenorhabditis elegans Cosmid ZK637 [EMBL inv.dat]",
            "caenorhabditis elegans",
        );
        check_cellular(
            "gi|383749063|ref|NC_017063.1| Helicobacter pylori ELS37 chromosome, complete genome [H.Pylori ELS37]",
            "helicobacter pylori",
        );
        check_cellular(
            "X59796 Homo sapiens (human) | H.sapiens mRNA for cadherin-5 [EMBL hum1.dat]",
            "homo sapiens",
        );
        check_cellular(
            "NC_000932.1 Arabidopsis thaliana chloroplast, complete genome. [Arabidopsis chloroplast]",
            "arabidopsis thaliana",
        );
    }

    #[test]
    fn viruses_of_a_family_share_its_name() {
        let check = |description, source, expected| {
            let found = family(description, source);
            assert_eq!((found, viral_kind(found, source)), expected, "{description}");
        };
        check("JQ685920", "ref-rabies-JQ685920.fasta", (Some("Rhabdoviridae"), "RNA viruses"));
        check("D90232 [nextstrain/mumps/sh]", "", (Some("Paramyxoviridae"), "RNA viruses"));
        check("x [nextstrain/mpox/clade-i]", "", (Some("Poxviridae"), "large DNA viruses"));
        check("Family1_X60323", "hundred_microviruses.fasta", (None, "microviruses"));
        check("NC_007458.1 Bacillus phage Gamma, complete genome", "pharokka", (None, "phages"));
    }

    #[test]
    fn kinds_follow_the_lists() {
        let check = |species, description, class, expected| {
            assert_eq!(cellular_kind(species, description, class), expected, "{description}");
        };
        check("homo sapiens", "X59796 Homo sapiens (human) [EMBL hum1.dat]", "", "human");
        check("homo sapiens", "humanMito:1-16571 Homo sapiens", "mitochondrion", "organelles");
        check("mus musculus", "mm10_region:1-2 Mus musculus", "vertebrate", "other eukaryotes");
        check("caenorhabditis elegans", "CHROMOSOME_I [C. elegans]", "", "other eukaryotes");
        check("escherichia coli", "K-12-MG1655 [E.Coli MG1655-K12]", "", "bacteria");
        check("x", "gtdbtk_genome_2 x", "bacteria_MAG", "bacteria");
        check("x", "y", "archaea_MAG", "archaea");
    }

    #[test]
    fn held_out_organisms_are_recognised() {
        assert!(is_held_out("NC_001477.1 Dengue virus 1, complete genome"));
        assert!(is_held_out("NC_000866.4 Enterobacteria phage T4, complete genome"));
        assert!(!is_held_out("NC_007458.1 Bacillus phage Gamma, complete genome"));
        assert!(!is_held_out("X59796 Homo sapiens (human) | clones lambda-hINSR-(1-13)"));
    }
}
