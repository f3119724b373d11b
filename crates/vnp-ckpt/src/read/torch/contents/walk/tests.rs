//! Values of a pickle as tensors and metadata.

use vnp_forge::items::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::read::container::Container;
use crate::read::torch::forged::*;

fn read(value: &[u8]) -> Checkpoint {
    load_value(value, &[1.0, 2.0]).unwrap()
}

#[track_caller]
fn check_names(value: &[u8], expected: &[&str]) {
    let read = read(value);
    assert_eq!(read.tensors().map(|(name, _)| name).collect::<Vec<_>>(), expected);
    assert_eq!((read.kind(), read.rows().len()), ("weights", 0));
}

#[test]
fn tensors_by_their_paths() {
    let one = || tensor("0", &[2]);
    check_names(&one(), &["tensor"]);
    check_names(&list(&[one(), int(1), one()]), &["0", "2"]);
    check_names(&tuple(&[list(&[one()])]), &["0.0"]);
    check_names(&dict(&[("w", one()), ("m", dict(&[("a.b", one())]))]), &["w", "m.a.b"]);
    check_names(&dict(&[("data", one())]), &["data"]);
}

#[track_caller]
fn check_metadata(value: &[u8], expected: &[(&str, Value)]) {
    let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    assert_eq!(read(value).metadata(), &expected.collect::<BTreeMap<_, _>>());
}

#[test]
fn the_rest_is_metadata() {
    let one = || tensor("0", &[2]);
    check_metadata(&dict(&[("w", one())]), &[]);
    check_metadata(&dict(&[("w", dict(&[("x", one())]))]), &[]);
    check_metadata(&dict(&[("e", dict(&[]))]), &[("e", BTreeMap::new().into())]);
    let mixed = dict(&[("w", list(&[one(), int(5)]))]);
    check_metadata(&mixed, &[("w", vec![Value::Null, Value::Int(5)].into())]);
    check_metadata(&int(7), &[("value", Value::Int(7))]);
    let list = list(&[one(), text("x")]);
    check_metadata(&list, &[("value", vec![Value::Null, "x".into()].into())]);
    let floats = || floats(&[0.5, 1.5]);
    let both = || Value::from(vec![Value::Float(0.5), Value::Float(1.5)]);
    check_metadata(&floats(), &[("value", both())]);
    check_metadata(
        &dict(&[("f", floats()), ("t", tuple(&[float(0.5), float(1.5)]))]),
        &[
            ("f", vec![Value::Float(0.5), Value::Float(1.5)].into()),
            ("t", vec![Value::Float(0.5), Value::Float(1.5)].into()),
        ],
    );
    let bytes = call("_codecs", "encode", &[text("\u{ff}a"), text("latin1")]);
    check_metadata(&dict(&[("b", bytes)]), &[("b", vec![0xff, b'a'].into())]);
    let namespace = [b"cargparse\nNamespace\n)\x81", &dict(&[("arch", text("esm"))])[..], b"b"];
    let map = BTreeMap::from([("arch".to_owned(), "esm".into())]);
    check_metadata(&dict(&[("args", namespace.concat())]), &[("args", Value::Map(map.clone()))]);
    check_metadata(&namespace.concat(), &[("arch", "esm".into())]);
    check_metadata(
        &[&b"}(K\x01K\x02\x88K\x03NK\x04G\x3f\xf8\0\0\0\0\0\0K\x05u"[..]].concat(),
        &[("1", 2.into()), ("True", 3.into()), ("None", 4.into()), ("1.5", 5.into())],
    );
}

#[track_caller]
fn check_unsupported(value: &[u8], expected: &str) {
    match load_value(value, &[1.0, 2.0]) {
        Err(ErrorKind::Unsupported { what, .. }) => assert_eq!(what, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_no_header_can_hold() {
    let big = b"\x8a\x09\0\0\0\0\0\0\0\0\x40".to_vec();
    check_unsupported(&dict(&[("i", list(&[big]))]), "an int of more than 64 bits at `i.0`");
    check_unsupported(
        &dict(&[("c", b"ctorch\nFloatStorage\n".to_vec())]),
        "a class or function at `c`",
    );
    check_unsupported(&dict(&[("s", storage("0", "Float", 2, &[]))]), "a storage at `s`");
    check_unsupported(b"})Ns", "a dict with a tuple as a key");
    let deep = (0..40).fold(int(1), |inner, _| list(&[inner]));
    check_unsupported(
        &dict(&[("d", deep)]),
        "metadata of more than 30 levels at `d.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.…`",
    );
    let deep = (0..31).fold(int(1), |inner, _| list(&[inner]));
    check_unsupported(&dict(&[("d", deep)]), "metadata of more than 30 levels at `d`");
    let deep = (0..30).fold(int(1), |inner, _| list(&[inner]));
    assert!(load_value(&dict(&[("d", deep)]), &[]).is_ok());
}

#[test]
fn keys_are_there_once() {
    let value = dict(&[("m", dict(&[("a", int(1)), ("a", int(2))]))]);
    let Err(ErrorKind::BadPickle { found, .. }) = load_value(&value, &[]) else {
        panic!("the last of two values held")
    };
    assert_eq!(found, "twice");
}

/// What the checkpoints of trainings hold beside the weights, and no header can.
#[test]
fn where_only_weights_matter_the_rest_is_described() {
    let one = || tensor("0", &[2]);
    let big = b"\x8a\x09\0\0\0\0\0\0\0\0\x40".to_vec();
    let deep = (0..40).fold(int(1), |inner, _| list(&[inner]));
    let keys = [&b"}"[..], &tuple(&[int(1)]), &int(1), b"s", &tuple(&[int(2)]), &int(2), b"s"];
    let value = dict(&[
        ("sd", dict(&[("w", one())])),
        ("seed", dict(&[("state", big)])),
        ("deep", deep),
        ("keys", keys.concat()),
        ("storage", storage("0", "Float", 2, &[])),
        ("version", int(3)),
        ("status", text("stopped early")),
    ]);
    let file = archive(&pickle(&value), &[("0", &bytes(&[1.0, 2.0]))]);
    assert!(load(&file).is_err());
    let read = Box::new(open_as(&file, &Limits::default(), true).unwrap()).load().unwrap();
    assert_eq!(read.tensor("sd.w").unwrap().as_f32().unwrap(), [1.0, 2.0]);
    assert_eq!(read.version().to_string(), "0.x");
    let metadata = read.metadata();
    let keys: Vec<&str> = metadata.keys().map(String::as_str).collect();
    assert_eq!(keys, ["deep", "keys", "seed", "status", "storage", "version"]);
    let seed = metadata["seed"].as_map().unwrap();
    assert_eq!(seed["state"], "an int of more than 64 bits at `seed.state`".into());
    assert_eq!(metadata["storage"], "a storage at `storage`".into());
    assert_eq!(metadata["keys"].as_map().unwrap().len(), 2);
    // A class is no description away.
    let class = dict(&[("sd", one()), ("time", b"cdatetime\ndatetime\n".to_vec())]);
    let file = archive(&pickle(&class), &[("0", &bytes(&[1.0, 2.0]))]);
    let Err(ErrorKind::ForbiddenGlobal { may_run: false, .. }) =
        open_as(&file, &Limits::default(), true).map(drop)
    else {
        panic!("a class was let in")
    };
}

/// Keys that our checkpoints have too, in those of trainings.
#[test]
fn where_only_weights_matter_keys_of_ours_are_ordinary() {
    let one = || tensor("0", &[2]);
    let read = |entries: &[(&str, Vec<u8>)]| {
        let file = archive(&pickle(&dict(entries)), &[("0", &bytes(&[1.0, 2.0]))]);
        Box::new(open_as(&file, &Limits::default(), true)?).load()
    };
    let check = |more: &[(&str, Vec<u8>)], tensors: &[&str], values: &[&str]| {
        let read = read(&[&[("sd", dict(&[("w", one())]))], more].concat()).unwrap();
        assert_eq!(read.tensors().map(|(name, _)| name).collect::<Vec<_>>(), tensors);
        assert_eq!(read.metadata().keys().map(String::as_str).collect::<Vec<_>>(), values);
        assert_eq!((read.kind(), read.version().to_string().as_str()), ("weights", "0.x"));
    };
    for version in ["1.2.3", "2.0", "1.0", "v3"] {
        check(&[("version", text(version)), ("data", int(1))], &["sd.w"], &["data", "version"]);
    }
    check(&[("status", text("done"))], &["sd.w"], &["status"]);
    check(&[("ids", numbers(&[1, 2]))], &["sd.w"], &["ids"]);
    check(&[("ids", numbers(&[1])), ("data", one())], &["sd.w", "data"], &["ids"]);
    check(&[("proteins", texts(&["a"]))], &["sd.w"], &["proteins"]);
    check(&[("embeddings", one())], &["sd.w", "embeddings"], &[]);
    let network = [("embeddings", dict(&[("t", one())])), ("encoder", dict(&[("l", one())]))];
    check(&network, &["sd.w", "embeddings.t", "encoder.l"], &[]);
    for vnp in [int(1), text("a"), dict(&[]), dict(&[("format", text("pt"))])] {
        check(&[("vnp", vnp)], &["sd.w"], &["vnp"]);
    }
    // What says that it is ours is ours, and a file of rows is still known as one.
    let newer = [("vnp", dict(&[("format", int(1))])), ("version", text("2.0"))];
    let Err(ErrorKind::TooNew { .. }) = read(&newer) else { panic!("a newer export was read") };
    let newer = [("ids", texts(&["a"])), ("data", one()), ("version", text("2.0"))];
    let Err(ErrorKind::TooNew { .. }) = read(&newer) else { panic!("a newer file was read") };
    let rows = read(&[("ids", texts(&["a", "b"])), ("data", one())]).unwrap();
    assert_eq!((rows.kind(), rows.ids().len()), ("merged", 2));
}
