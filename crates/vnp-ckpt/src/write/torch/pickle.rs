//! The pickle of a PyTorch file, protocol 2: the opcodes and globals that `torch.save` uses and
//! that `torch.load(weights_only=True)` lets through, and no others.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::value::Value;

pub(crate) mod tensor;

/// This many items go between a mark and its `APPENDS`, as Python does it.
const BATCH: usize = 1000;

/// A value that later ones may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memo(u32);

/// Writes values one after the other; the caller nests them.
pub(crate) struct Pickler<W> {
    out: W,
    memos: u32,
    /// How many values were written, floats in lists not counted.
    values: u64,
    /// Globals, and texts that come again.
    known: BTreeMap<(&'static str, &'static str), Memo>,
    storages: BTreeMap<usize, Memo>,
}

impl<W: Write> Pickler<W> {
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"\x80\x02")?;
        let (known, storages) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { out, memos: 0, values: 0, known, storages })
    }

    /// Ends the pickle; gives back the writer and the number of values.
    pub(crate) fn finish(mut self) -> io::Result<(W, u64)> {
        self.out.write_all(b".")?;
        Ok((self.out, self.values))
    }

    /// A text.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.values += 1;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        self.out.write_all(b"X")?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(text.as_bytes())
    }

    /// An integer, in the shortest form.
    pub(crate) fn int(&mut self, number: impl Into<i128>) -> io::Result<()> {
        self.values += 1;
        let number = number.into();
        if let Ok(byte) = u8::try_from(number) {
            self.out.write_all(&[b'K', byte])
        } else if let Ok(short) = u16::try_from(number) {
            self.out.write_all(b"M")?;
            self.out.write_all(&short.to_le_bytes())
        } else if let Ok(int) = i32::try_from(number) {
            self.out.write_all(b"J")?;
            self.out.write_all(&int.to_le_bytes())
        } else {
            // Two's complement in as few bytes as keep the sign.
            let bytes = number.to_le_bytes();
            let magnitude_bits = 128 - (if number < 0 { !number } else { number }).leading_zeros();
            let length = magnitude_bits as usize / 8 + 1;
            self.out.write_all(&[b'\x8a', length as u8])?;
            self.out.write_all(bytes.get(..length).unwrap_or(&bytes))
        }
    }

    /// A size or an offset.
    pub(crate) fn size(&mut self, size: usize) -> io::Result<()> {
        self.int(size as u64)
    }

    /// A float.
    pub(crate) fn float(&mut self, number: f64) -> io::Result<()> {
        self.values += 1;
        self.float_bits(number.to_bits())
    }

    /// A boolean.
    pub(crate) fn truth(&mut self, truth: bool) -> io::Result<()> {
        self.values += 1;
        self.out.write_all(if truth { b"\x88" } else { b"\x89" })
    }

    /// Bytes, which protocol 2 knows only as a text to encode.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.global("_codecs", "encode")?;
        let text: String = bytes.iter().copied().map(char::from).collect();
        self.text(&text)?;
        self.shared_text("latin1")?;
        self.out.write_all(b"\x86R")
    }

    /// A value of the metadata.
    pub(crate) fn value(&mut self, value: &Value) -> io::Result<()> {
        match value {
            Value::Null => {
                self.values += 1;
                self.out.write_all(b"N")
            }
            Value::Bool(truth) => self.truth(*truth),
            Value::Int(number) => self.int(*number),
            Value::Float(number) => self.float(*number),
            Value::String(text) => self.text(text),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::List(list) => self.list(list.iter(), |pickler, value| pickler.value(value)),
            Value::Map(map) => self.map(map),
        }
    }

    /// Values by name.
    pub(crate) fn map(&mut self, map: &BTreeMap<String, Value>) -> io::Result<()> {
        self.dict(|pickler| pickler.entries(map))
    }

    /// The entries of a map, into the dict that is being written.
    pub(crate) fn entries(&mut self, map: &BTreeMap<String, Value>) -> io::Result<()> {
        map.iter().try_for_each(|(key, value)| {
            self.text(key)?;
            self.value(value)
        })
    }

    /// A dict of the keys and values that `entries` writes.
    pub(crate) fn dict(
        &mut self,
        entries: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.values += 1;
        self.out.write_all(b"}(")?;
        entries(self)?;
        self.out.write_all(b"u")
    }

    /// A list; `each` writes one value for each of `items`.
    pub(crate) fn list<T>(
        &mut self,
        mut items: impl ExactSizeIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.values += 1;
        self.out.write_all(b"]")?;
        while items.len() > 0 {
            let batch = items.len().min(BATCH);
            let (start, end): (&[u8], _) = if batch > 1 { (b"(", b"e") } else { (b"", b"a") };
            self.out.write_all(start)?;
            for item in items.by_ref().take(batch) {
                each(self, item)?;
            }
            self.out.write_all(end)?;
        }
        Ok(())
    }

    /// A list of floats, each of which is the `f32` to the bit: also a NaN keeps its payload,
    /// which a conversion would make quiet.
    pub(crate) fn floats(&mut self, row: &[f32]) -> io::Result<()> {
        self.list(row.iter(), |pickler, number| pickler.float_bits(widened(*number)))
    }

    /// Makes the value just written one that [`get`](Self::get) can repeat.
    pub(crate) fn put(&mut self) -> io::Result<Memo> {
        let memo = self.memos;
        match u8::try_from(memo) {
            Ok(byte) => self.out.write_all(&[b'q', byte])?,
            Err(_) => {
                self.out.write_all(b"r")?;
                self.out.write_all(&memo.to_le_bytes())?;
            }
        }
        self.memos = memo.checked_add(1).ok_or_else(|| io::Error::other("too many values"))?;
        Ok(Memo(memo))
    }

    /// The very same value once more.
    pub(crate) fn get(&mut self, memo: Memo) -> io::Result<()> {
        self.values += 1;
        match u8::try_from(memo.0) {
            Ok(byte) => self.out.write_all(&[b'h', byte]),
            Err(_) => {
                self.out.write_all(b"j")?;
                self.out.write_all(&memo.0.to_le_bytes())
            }
        }
    }

    fn global(&mut self, module: &'static str, name: &'static str) -> io::Result<()> {
        if let Some(&memo) = self.known.get(&(module, name)) {
            return self.get(memo);
        }
        self.values += 1;
        self.out.write_all(format!("c{module}\n{name}\n").as_bytes())?;
        let memo = self.put()?;
        self.known.insert((module, name), memo);
        Ok(())
    }

    /// A text that comes again and again.
    pub(crate) fn shared_text(&mut self, text: &'static str) -> io::Result<()> {
        if let Some(&memo) = self.known.get(&("", text)) {
            return self.get(memo);
        }
        self.text(text)?;
        let memo = self.put()?;
        self.known.insert(("", text), memo);
        Ok(())
    }

    fn float_bits(&mut self, bits: u64) -> io::Result<()> {
        let [a, b, c, d, e, f, g, h] = bits.to_be_bytes();
        self.out.write_all(&[b'G', a, b, c, d, e, f, g, h])
    }
}

/// The bits of the `f64` that is this `f32`; the payload of a NaN goes to the upper bits.
fn widened(number: f32) -> u64 {
    if !number.is_nan() {
        return f64::from(number).to_bits();
    }
    let bits = u64::from(number.to_bits());
    (bits >> 31 << 63) | (0x7ff << 52) | ((bits & 0x007f_ffff) << 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Pickler<Vec<u8>>) -> io::Result<()>, expected: &[u8]) {
        let mut pickler = Pickler::new(Vec::new()).unwrap();
        write(&mut pickler).unwrap();
        let (bytes, _) = pickler.finish().unwrap();
        let expected = [b"\x80\x02", expected, b"."].concat();
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[track_caller]
    fn check_int(number: i128, expected: &[u8]) {
        check(|pickler| pickler.int(number), expected);
    }

    #[test]
    fn whole_numbers_are_short() {
        check_int(0, b"K\0");
        check_int(255, b"K\xff");
        check_int(256, b"M\0\x01");
        check_int(65535, b"M\xff\xff");
        check_int(65536, b"J\0\0\x01\0");
        check_int(-1, b"J\xff\xff\xff\xff");
        check_int(-(1 << 31), b"J\0\0\0\x80");
        check_int(1 << 31, b"\x8a\x05\0\0\0\x80\0");
        check_int(-(1 << 31) - 1, b"\x8a\x05\xff\xff\xff\x7f\xff");
        check_int((1 << 39) - 1, b"\x8a\x05\xff\xff\xff\xff\x7f");
        check_int(1 << 39, b"\x8a\x06\0\0\0\0\x80\0");
        check_int(-(1 << 39), b"\x8a\x05\0\0\0\0\x80");
        check_int(i128::from(i64::MAX), b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f");
        check_int(i128::from(i64::MIN), b"\x8a\x08\0\0\0\0\0\0\0\x80");
        check_int(i128::from(u64::MAX), b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0");
    }

    #[track_caller]
    fn check_value(value: impl Into<Value>, expected: &[u8]) {
        let value = value.into();
        check(|pickler| pickler.value(&value), expected);
    }

    #[test]
    fn values() {
        check_value(Value::Null, b"N");
        check_value(true, b"\x88");
        check_value(-0.0, b"G\x80\0\0\0\0\0\0\0");
        check_value("", b"X\0\0\0\0");
        check_value("\u{e9}", b"X\x02\0\0\0\xc3\xa9");
        let encode = b"c_codecs\nencode\nq\0X\x03\0\0\0a\xc3\xbfX\x06\0\0\0latin1q\x01\x86R";
        check_value(b"a\xff".to_vec(), encode);
        check_value(Value::List(vec![]), b"]");
        check_value(Value::List(vec![1.into()]), b"]K\x01a");
        check_value(Value::List(vec![1.into(), 2.into()]), b"](K\x01K\x02e");
        check_value(BTreeMap::from([("k".to_owned(), Value::Null)]), b"}(X\x01\0\0\0kNu");
    }

    #[test]
    fn lists_go_out_in_batches() {
        let mut pickler = Pickler::new(Vec::new()).unwrap();
        pickler.list(0..2001, |pickler, number| pickler.int(number % 2)).unwrap();
        let (bytes, values) = pickler.finish().unwrap();
        let batch = [&b"("[..], &b"K\0K\x01".repeat(500), b"e"].concat();
        let expected = [b"\x80\x02]", &batch[..], &batch, b"K\0a."].concat();
        assert!(bytes == expected);
        assert_eq!(values, 2002);
    }

    #[test]
    fn memos_above_a_byte_take_four() {
        let mut pickler = Pickler::new(Vec::new()).unwrap();
        pickler.memos = 256;
        pickler.truth(true).unwrap();
        let memo = pickler.put().unwrap();
        pickler.get(memo).unwrap();
        assert_eq!(pickler.finish().unwrap().0, b"\x80\x02\x88r\0\x01\0\0j\0\x01\0\0.");
    }

    #[track_caller]
    fn check_widened(bits: u32, expected: u64) {
        assert_eq!(widened(f32::from_bits(bits)), expected, "{bits:08x}");
    }

    #[test]
    fn widening_keeps_every_bit() {
        check_widened(0x3f80_0000, 1.0_f64.to_bits());
        check_widened(0x8000_0000, (-0.0_f64).to_bits());
        check_widened(0x0000_0001, 2.0_f64.powi(-149).to_bits());
        check_widened(0xff80_0000, f64::NEG_INFINITY.to_bits());
        check_widened(0x7fc0_0000, 0x7ff8_0000_0000_0000);
        check_widened(0x7f80_0001, 0x7ff0_0000_2000_0000);
        check_widened(0xffff_ffff, 0xffff_ffff_e000_0000);
    }
}
