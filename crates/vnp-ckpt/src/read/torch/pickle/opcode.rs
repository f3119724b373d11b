//! The opcodes, by their names in Python's `pickletools`.

/// `pub(crate) const NAME: u8` for each, and the name for a byte.
macro_rules! opcodes {
    ($($name:ident = $byte:literal),* $(,)?) => {
        $(pub(crate) const $name: u8 = $byte;)*

        /// The name of an opcode of any protocol.
        pub(crate) fn name(byte: u8) -> &'static str {
            match byte {
                $($byte => stringify!($name),)*
                b'0' => "POP",
                b'1' => "POP_MARK",
                b'2' => "DUP",
                b'F' => "FLOAT",
                b'I' => "INT",
                b'L' => "LONG",
                b'P' => "PERSID",
                b'S' => "STRING",
                b'T' => "BINSTRING",
                b'U' => "SHORT_BINSTRING",
                b'V' => "UNICODE",
                b'd' => "DICT",
                b'g' => "GET",
                b'i' => "INST",
                b'l' => "LIST",
                b'o' => "OBJ",
                b'p' => "PUT",
                0x82 => "EXT1",
                0x83 => "EXT2",
                0x84 => "EXT4",
                0x8b => "LONG4",
                0x8d => "BINUNICODE8",
                0x8e => "BINBYTES8",
                0x91 => "FROZENSET",
                0x92 => "NEWOBJ_EX",
                0x96 => "BYTEARRAY8",
                0x97 => "NEXT_BUFFER",
                0x98 => "READONLY_BUFFER",
                _ => "none",
            }
        }
    };
}

opcodes! {
    PROTO = 0x80,
    FRAME = 0x95,
    STOP = b'.',
    MARK = b'(',
    NONE = b'N',
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    BININT = b'J',
    BININT1 = b'K',
    BININT2 = b'M',
    LONG1 = 0x8a,
    BINFLOAT = b'G',
    BINUNICODE = b'X',
    SHORT_BINUNICODE = 0x8c,
    BINBYTES = b'B',
    SHORT_BINBYTES = b'C',
    EMPTY_LIST = b']',
    APPEND = b'a',
    APPENDS = b'e',
    EMPTY_TUPLE = b')',
    TUPLE = b't',
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    EMPTY_DICT = b'}',
    SETITEM = b's',
    SETITEMS = b'u',
    EMPTY_SET = 0x8f,
    ADDITEMS = 0x90,
    BINPUT = b'q',
    LONG_BINPUT = b'r',
    MEMOIZE = 0x94,
    BINGET = b'h',
    LONG_BINGET = b'j',
    GLOBAL = b'c',
    STACK_GLOBAL = 0x93,
    REDUCE = b'R',
    BUILD = b'b',
    NEWOBJ = 0x81,
    BINPERSID = b'Q',
}
