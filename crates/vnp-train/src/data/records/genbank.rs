//! Reads GenBank records with the translations of their coding sequences.

use std::io::Read;
use std::path::Path;

use gb_io::reader::{GbParserError, SeqReader};
use gb_io::seq::Seq;
use vnp_seq::Record;

use crate::data::coding::Coding;
use crate::error::Error;

/// The records of a GenBank file, each with the translations of its coding sequences.
pub(super) fn records(
    path: &Path,
    text: Box<dyn Read + Send>,
) -> impl Iterator<Item = Result<(Record, Coding), Error>> {
    let path = path.to_owned();
    let mut failed = false;
    (1..).zip(SeqReader::new(text)).map_while(move |(number, seq)| {
        // The parser would report the same fault again, forever.
        if failed {
            return None;
        }
        let fault = |reason| Error::GenBank { path: path.clone(), record: number, reason };
        let read = match seq {
            Ok(seq) if seq.seq.is_empty() && seq.len != Some(0) => {
                Err(fault("it has no sequence (ORIGIN)".to_owned()))
            }
            Ok(seq) => Ok(record(&seq)),
            Err(GbParserError::Io(source)) => {
                Err(vnp_seq::Error::Io { path: path.clone(), cause: source }.into())
            }
            Err(GbParserError::SyntaxError(reason)) => {
                Err(fault(reason.split_whitespace().collect::<Vec<_>>().join(" ")))
            }
        };
        failed = read.is_err();
        Some(read)
    })
}

/// The record under its version, or else its accession or locus name, as in NCBI's FASTA.
fn record(seq: &Seq) -> (Record, Coding) {
    let names = [&seq.version, &seq.accession, &seq.name];
    let id = names.into_iter().flatten().find_map(|name| name.split_whitespace().next());
    let rna = |letter: &u8| if *letter | 0x20 == b'u' { letter - 1 } else { *letter };
    let record = Record {
        id: id.unwrap_or_default().to_owned(),
        sequence: seq.seq.iter().map(rna).collect(),
        ..Record::default()
    };
    let coding = seq.features.iter().filter(|feature| feature.kind == "CDS");
    let proteins = coding.flat_map(|feature| feature.qualifier_values("translation"));
    (record, Coding::new(proteins))
}

/// Whether a text begins as GenBank records do.
pub(super) fn is_genbank(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    start.starts_with(b"LOCUS ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
LOCUS       TEST1                     30 bp    RNA     linear   VRL 01-JAN-2020
DEFINITION  A made-up virus.
ACCESSION   TEST1
VERSION     TEST1.2
FEATURES             Location/Qualifiers
     source          1..30
                     /organism=\"Made up\"
     CDS             1..12
                     /gene=\"a\"
                     /translation=\"MK
                     VL\"
     CDS             complement(13..24)
                     /note=\"no translation\"
ORIGIN
        1 augaaaguuc uuaaaaaaaa aaaaaaaaaa
//
";

    fn read(text: &str) -> Vec<Result<(Record, Coding), Error>> {
        let text = text.to_owned().into_bytes();
        records(Path::new("a.gb"), Box::new(std::io::Cursor::new(text))).collect()
    }

    #[test]
    fn records_come_with_their_translations() {
        let records = read(&TEXT.repeat(2));
        assert_eq!(records.len(), 2);
        let (record, coding) = records[1].as_ref().unwrap();
        assert_eq!(record.id, "TEST1.2");
        assert_eq!(record.sequence, b"atgaaagttcttaaaaaaaaaaaaaaaaaa");
        assert!(coding.confirms("MKVL") && !coding.confirms("KK"));
    }

    #[test]
    fn a_faulty_record_is_numbered() {
        let text = TEXT.to_owned() + &TEXT.replace("30 bp", "31 bp");
        let records = read(&(text + TEXT));
        assert_eq!(records.len(), 2, "nothing is read behind a fault");
        let Err(Error::GenBank { path, record, reason }) = &records[1] else { panic!() };
        assert_eq!((path.to_str(), *record), (Some("a.gb"), 2));
        assert!(reason.contains("31"), "{reason}");
        let Err(Error::GenBank { .. }) = &read(TEXT.split("ORIGIN").next().unwrap())[0] else {
            panic!("cut")
        };
    }
}
