//! The reader in docs/FORMAT.md really reads the fixtures.

use std::io::Write;
use std::process::{Command, Stdio};

use fs_err as fs;

use crate::support::{fixtures, python, repository};

/// Compares what the reader gives with the table of expected values.
const CHECK: &str = r#"
import sys
folder = sys.argv[1]
expected = {}
for line in open(folder + "/expected.tsv", encoding="ascii"):
    name, what, value = line.rstrip("\n").split("\t")
    expected.setdefault(name, {})[what] = value
for name, values in expected.items():
    header, ids, tensors = read(folder + "/" + name)
    found = {k: header[k] for k in ("version", "status", "kind", "created")}
    found["rows"] = "%d..%d" % tuple(header["rows"])
    found.update(("id.%d" % i, x.encode().hex()) for i, x in enumerate(ids))
    for x, array in tensors.items():
        if values["tensor.%s.dtype" % x] == "bf16":
            assert array.dtype == "<f4"
            array = (array.view("<u4") >> 16).astype("<u2")
        else:
            assert str(array.dtype).replace("float", "f").replace("uint", "u").replace("int", "i") \
                == values["tensor.%s.dtype" % x]
        found["tensor.%s.shape" % x] = "x".join(map(str, array.shape))
        found["tensor.%s.bytes" % x] = array.tobytes().hex()
    left = {k: v for k, v in values.items() if k.split(".")[0] in ("id", "tensor", "rows", "version",
            "status", "kind", "created") and not k.endswith((".dtype", ".per_row"))}
    assert found == left, (name, found, left)
for name in expected:
    data = bytearray(open(folder + "/" + name, "rb").read())
    data[10] = 1
    open(sys.argv[2], "wb").write(data)
    try:
        read(sys.argv[2])
    except ValueError as error:
        assert "upgrade" in str(error), error
    else:
        raise AssertionError("a newer file was read")
print("read", len(expected))
"#;

#[test]
fn the_documented_reader_reads_every_fixture() {
    let format = fs::read_to_string(repository().join("docs/FORMAT.md")).unwrap();
    let code = format
        .split("```python\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .find(|block| block.contains("def read("))
        .expect("docs/FORMAT.md has no Python reader");
    assert!(code.lines().count() <= 36, "the reader is {} lines long", code.lines().count());

    let Some(python) = python("msgpack, numpy") else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(python)
        .arg("-")
        .arg(fixtures().join("v1.0"))
        .arg(directory.path().join("newer.vnp"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{code}\n{CHECK}").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the documented reader failed: see above");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("read "));
}
