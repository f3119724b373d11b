//! The files of a preparation.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use vnp_job::{differences, publish};
use vnp_seq::RecordReader;

use crate::data::class::Class;
use crate::data::examples::Group;
use crate::data::prepared::{PreparationRecord, Prepared, PreparedChunk};
use crate::error::Error;
use crate::job::{PREPARATION, UNFINISHED_PREPARED};
use crate::split::Split;

const CHUNKS: &str = "chunks.tsv";
const RECORD: &str = "prepared.json";
const COLUMNS: [&str; 9] =
    ["chunk", "class", "record", "group", "kind", "start", "end", "part", "frames"];

/// Writes the files, as a whole or not at all, in place of an earlier preparation.
pub(super) fn write(prepared: &mut Prepared) -> Result<(), Error> {
    let directory = prepared.directory.clone();
    let write = |root: &Path| write_files(prepared, root);
    // A directory with any other file is an error, and is left alone.
    let clear_way = |old: &Path| Ok(PREPARATION.remove(old)?);
    publish::directory(&directory, UNFINISHED_PREPARED, write, clear_way)
}

fn write_files(prepared: &mut Prepared, root: &Path) -> Result<(), Error> {
    let write = |name: &str, bytes: &[u8]| publish::durable_file(&root.join(name), bytes);
    let mut digests = BTreeMap::new();
    for class in Class::ALL {
        let mut text = Vec::new();
        for (_, chunk) in prepared.of_class(class) {
            for piece in [b">", chunk.id.as_bytes(), b"\n", &chunk.sequence, b"\n"] {
                text.extend_from_slice(piece);
            }
        }
        write(&fasta(class), &text)?;
        digests.insert(fasta(class), digest(&text));
    }
    let table = table(prepared);
    write(CHUNKS, table.as_bytes())?;
    digests.insert(CHUNKS.to_owned(), digest(table.as_bytes()));
    prepared.record.files = digests;
    let record = serde_json::to_string_pretty(&prepared.record).map_err(io::Error::other)?;
    write(RECORD, format!("{record}\n").as_bytes())?;
    Ok(())
}

/// The preparation in the directory, if it is complete and has the same identity.
pub(super) fn reuse(
    directory: &Path,
    identity: &BTreeMap<String, String>,
) -> Result<Option<Prepared>, Error> {
    let record = match fs_err::read(directory.join(RECORD)) {
        Ok(record) => serde_json::from_slice::<PreparationRecord>(&record),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if let Ok(record) = record {
        check(directory, &record.identity, identity)?;
    }
    // Whatever happened to the files, they can be written again.
    match open(directory) {
        Ok(prepared) => Ok(Some(prepared)),
        Err(error) => {
            log::warn!("{error}: the chunks are written again");
            Ok(None)
        }
    }
}

/// Compares two identities; the error names every field that differs.
fn check(
    directory: &Path,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let differences = differences(old, new);
    match differences.is_empty() {
        true => Ok(()),
        false => {
            Err(vnp_job::Error::OtherIdentity { path: directory.to_owned(), differences }.into())
        }
    }
}

pub(super) fn open(directory: &Path) -> Result<Prepared, Error> {
    let path = directory.join(RECORD);
    let record: PreparationRecord =
        serde_json::from_slice(&fs_err::read(&path)?).map_err(|error| Error::Table {
            path: path.clone(),
            line: error.line(),
            expected: "what vnp train writes".to_owned(),
            found: error.to_string(),
        })?;
    let mut found = BTreeMap::new();
    for name in record.files.keys() {
        found.insert(name.clone(), digest(&fs_err::read(directory.join(name))?));
    }
    check(directory, &record.files, &found)?;
    let path = directory.join(CHUNKS);
    let text = fs_err::read_to_string(&path)?;
    let mut groups = Vec::new();
    let mut numbers = HashMap::new();
    let mut chunks = Vec::new();
    for (line, text) in (1..).zip(text.lines()).skip(1) {
        let chunk = parse(text, &mut groups, &mut numbers);
        chunks.push(chunk.ok_or_else(|| Error::Table {
            path: path.clone(),
            line,
            expected: COLUMNS.join(", "),
            found: format!("{text:?}"),
        })?);
    }
    let mut prepared = Prepared { directory: directory.to_owned(), groups, chunks, record };
    read_sequences(&mut prepared)?;
    Ok(prepared)
}

fn read_sequences(prepared: &mut Prepared) -> Result<(), Error> {
    let mut sequences = HashMap::new();
    for class in Class::ALL {
        let mut reader = RecordReader::open(&prepared.fasta(class))?;
        while let Some(record) = reader.next_record()? {
            sequences.insert(record.id, record.sequence);
        }
    }
    for (line, chunk) in (2..).zip(&mut prepared.chunks) {
        chunk.sequence = sequences.remove(&chunk.id).ok_or_else(|| Error::Table {
            path: prepared.directory.join(CHUNKS),
            line,
            expected: "a chunk of virus.fa or others.fa".to_owned(),
            found: chunk.id.clone(),
        })?;
    }
    Ok(())
}

fn table(prepared: &Prepared) -> String {
    let mut text = COLUMNS.join("\t") + "\n";
    for chunk in &prepared.chunks {
        let PreparedChunk { id, record, is_virus, group, start_bp, sequence, frames } = chunk;
        let class = Class::of(*is_virus).name();
        let (name, kind, split) = match prepared.groups.get(*group) {
            Some(group) => (group.name.as_str(), group.kind.as_str(), group.split.name()),
            None => ("", "", ""),
        };
        let (start, end) = ((start_bp + 1).to_string(), (start_bp + sequence.len()).to_string());
        let frames: Vec<&str> = frames.iter().map(|frame| frame.as_str()).collect();
        let frames = frames.join(",");
        let cells = [id, class, record, name, kind, &start, &end, split, &frames];
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}

/// Parses a line of the table; the sequence is read later.
fn parse(
    line: &str,
    groups: &mut Vec<Group>,
    numbers: &mut HashMap<String, usize>,
) -> Option<PreparedChunk> {
    let cells: Vec<&str> = line.split('\t').collect();
    let &[id, class, record, name, kind, start, _, split, frames] = cells.as_slice() else {
        return None;
    };
    let split = Split::parse(split)?;
    let group = *numbers.entry(name.to_owned()).or_insert_with(|| {
        groups.push(Group { name: name.to_owned(), kind: kind.to_owned(), split });
        groups.len() - 1
    });
    let frames = frames.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(PreparedChunk {
        id: id.to_owned(),
        record: record.to_owned(),
        is_virus: Class::ALL.into_iter().find(|known| known.name() == class)? == Class::Virus,
        group,
        start_bp: start.parse::<usize>().ok()?.checked_sub(1)?,
        sequence: Vec::new(),
        frames,
    })
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn fasta(class: Class) -> String {
    format!("{class}.fa")
}
