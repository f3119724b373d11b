//! The names of records in tables: the ids of the input, numbered where that was asked for, and the
//! inputs that they come from.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use vnp_seq::{Frame, RecordHead, chunk_suffix};

use crate::duplicates::finder::SuffixReader;

/// The name of a record in tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordName {
    /// The id as it stands in the header, with a number if an earlier record has the same.
    pub(crate) id: Vec<u8>,
    /// The input's name, in a run of several.
    input: Option<Arc<[u8]>>,
}

impl RecordName {
    #[cfg(test)]
    pub(crate) fn of_id(id: &str) -> Arc<Self> {
        Arc::new(Self { id: id.into(), input: None })
    }

    /// Appends the id of a chunk; `index` counts from 0.
    pub(crate) fn write_chunk_id(&self, row: &mut Vec<u8>, index: u32) {
        row.extend_from_slice(&self.id);
        row.extend_from_slice(chunk_suffix(index).as_bytes());
    }

    /// Appends the id of a frame of a chunk.
    pub(crate) fn write_frame_id(&self, row: &mut Vec<u8>, index: u32, frame: Frame) {
        self.write_chunk_id(row, index);
        row.extend_from_slice(frame.as_str().as_bytes());
    }

    /// Appends the last column of a table of ours: the input, in a run of several.
    pub(crate) fn write_input(&self, row: &mut Vec<u8>) {
        if let Some(input) = &self.input {
            row.push(b'\t');
            row.extend_from_slice(input);
        }
    }

    /// The id as a path, as logs of failures have it.
    pub(crate) fn path(&self) -> PathBuf {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt;
            OsString::from_vec(self.id.clone()).into()
        }
        #[cfg(not(unix))]
        OsString::from(String::from_utf8_lossy(&self.id).into_owned()).into()
    }
}

/// Names the records of a run, one after the other.
#[derive(Debug)]
pub(crate) struct RecordNames {
    suffixes: SuffixReader,
    /// The inputs' names in tables; none in a run of one.
    inputs: Vec<Arc<[u8]>>,
    current: Option<(u64, Arc<RecordName>)>,
}

impl RecordNames {
    /// `inputs` are the names of the inputs, as they were given.
    pub(crate) fn new(suffixes: SuffixReader, inputs: &[OsString]) -> Self {
        let several = if inputs.len() > 1 { inputs } else { &[] };
        let inputs = several.iter().map(|name| in_table(name.as_encoded_bytes())).collect();
        Self { suffixes, inputs, current: None }
    }

    /// Whether tables have a column with the input.
    pub(crate) fn have_input(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// The name of a record. Records are asked for in order.
    pub(crate) fn of(&mut self, record: &RecordHead) -> io::Result<Arc<RecordName>> {
        if let Some((number, name)) = &self.current
            && *number == record.number
        {
            return Ok(Arc::clone(name));
        }
        let mut id = record.raw_id().into_owned();
        if let Some(suffix) = self.suffixes.of(record.number)? {
            id.extend(format!(".{suffix}").as_bytes());
        }
        let input = self.inputs.get(record.input).cloned();
        let name = Arc::new(RecordName { id, input });
        self.current = Some((record.number, Arc::clone(&name)));
        Ok(name)
    }
}

/// The name of a file in a table. Tables cannot hold tabs and line ends: in a name with one, they and `%`
/// are percent-encoded.
fn in_table(name: &[u8]) -> Arc<[u8]> {
    let breaks = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
    if !name.iter().any(breaks) {
        return name.into();
    }
    let encode = |byte: &u8| match byte {
        b'%' => b"%25".to_vec(),
        byte if breaks(byte) => format!("%{byte:02X}").into_bytes(),
        byte => vec![*byte],
    };
    name.iter().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(inputs: &[&str], input: usize, expected: &str) {
        let inputs: Vec<OsString> = inputs.iter().map(OsString::from).collect();
        let mut names = RecordNames::new(SuffixReader::default(), &inputs);
        let record = RecordHead { number: 7, input, id: "a".into(), ..RecordHead::default() };
        let name = names.of(&record).unwrap();
        let mut row = b"x\ty".to_vec();
        name.write_input(&mut row);
        assert_eq!(String::from_utf8(row).unwrap(), expected);
        assert_eq!(names.of(&record).unwrap(), name);
    }

    #[test]
    fn a_row_names_its_input_where_there_are_several() {
        check(&["x.fa"], 0, "x\ty");
        check(&["x.fa", "d/y.fa"], 1, "x\ty\td/y.fa");
        check(&["x.fa", "a\tb%\n"], 1, "x\ty\ta%09b%25%0A");
        check(&["x.fa", "a%09b"], 1, "x\ty\ta%09b");
    }

    #[test]
    fn ids_of_chunks_and_frames_keep_every_byte() {
        let record = RecordHead { id: "%E9".into(), id_is_encoded: true, ..RecordHead::default() };
        let name = RecordNames::new(SuffixReader::default(), &[]).of(&record).unwrap();
        let mut row = Vec::new();
        name.write_chunk_id(&mut row, 2);
        assert_eq!(row, b"\xe9_chunk_3");
        row.clear();
        name.write_frame_id(&mut row, 0, Frame::R2);
        assert_eq!(row, b"\xe9_chunk_1R2");
    }
}
