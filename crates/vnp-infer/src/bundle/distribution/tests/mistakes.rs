//! Files under other names, and what is given by mistake in place of weights.

use super::*;

/// Every form under the name of another: the first bytes decide.
#[test]
fn names_of_files_decide_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let head = random_head(4, 2, 1);
    write_torch(&path("a.pt"), &head, &[]);
    write_safetensors(&path("a.safetensors"), &head);
    let loaded = vnp_ckpt::load_with_compatibility(&path("a.pt"), &vnp_ckpt::Limits::default());
    vnp_ckpt::atomic_save(&path("a.vnp"), &loaded.unwrap()).unwrap();
    let digest_of = |path: &Path| head_digest(&read_head(path).unwrap()).unwrap();
    let expected = digest_of(&path("a.pt"));
    for form in ["a.pt", "a.safetensors", "a.vnp"] {
        for name in ["b.pt", "b.safetensors", "b.vnp", "b.pth", "b.bin", "b", "b.json", "b.ckpt"] {
            fs_err::copy(path(form), path(name)).unwrap();
            assert_eq!(digest_of(&path(name)), expected, "{form} as {name}");
        }
    }
    let old = fixture("torch/t113_legacy.pt");
    fs_err::copy(old, path("old.safetensors")).unwrap();
    let Err(Error::Checkpoint(_) | Error::MissingTensor { .. }) =
        read_head(&path("old.safetensors"))
    else {
        panic!("a pre-1.6 file is known by its first bytes")
    };
}

#[test]
fn what_lies_where_weights_should_is_named() {
    let (directory, config, tensors) = esm2(false);
    let path = |name: &str| directory.path().join(name);
    let message = |path: &Path| read_esm2(path).unwrap_err().to_string();
    fs_err::create_dir_all(path("cache/snapshots/0a")).unwrap();
    let good = path("cache/snapshots/0a");
    write_safetensors(&good.join("model.safetensors"), &hf(&tensors));
    let config_json = serde_json::to_vec(&config).unwrap();
    fs_err::write(good.join("config.json"), [b"\xef\xbb\xbf", &config_json[..]].concat()).unwrap();
    let expected = esm2_digest(&good);
    let above = message(&path("cache"));
    assert!(
        above.contains("such files are in") && above.contains("snapshots/0a, give that"),
        "{above}"
    );
    fs_err::create_dir(good.join("1_Pooling")).unwrap();
    let below = message(&good.join("1_Pooling"));
    assert!(below.contains("snapshots/0a, give that"), "{below}");
    let json = message(&good.join("config.json"));
    assert!(json.contains("not an index of weights: give the file or the directory"), "{json}");
    let head = read_head(&good).unwrap_err().to_string();
    assert!(
        head.contains(
            "a directory, not a file: give a file in it, such as model.safetensors or config.json"
        ),
        "{head}"
    );

    for (text, expected) in [
        ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("<!DOCTYPE html>\n<html>", "a web page"),
        ("", "an empty file"),
        ("Invalid username or password.", "a text"),
    ] {
        for name in ["config.json", "model.safetensors"] {
            let (file, saved) = (good.join(name), fs_err::read(good.join(name)).unwrap());
            fs_err::write(&file, text).unwrap();
            let message = message(&good);
            assert!(message.contains(name) && message.contains(expected), "{message}");
            fs_err::write(&file, saved).unwrap();
        }
    }
    assert_eq!(esm2_digest(&good), expected);
    #[cfg(unix)]
    for name in ["config.json", "model.safetensors"] {
        let (file, saved) = (good.join(name), fs_err::read(good.join(name)).unwrap());
        fs_err::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("../../blobs/0b", &file).unwrap();
        let message = message(&good);
        let expected = format!("{name} is a link to ../../blobs/0b, which does not exist");
        assert!(message.contains(&expected), "{message}");
        fs_err::remove_file(&file).unwrap();
        fs_err::write(&file, saved).unwrap();
    }
}

#[test]
fn a_pointer_is_not_a_file_of_weights() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "pytorch_model.bin"] {
        let path = directory.path().join(name);
        let text = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
        fs_err::write(&path, text).unwrap();
        let Err(Error::LfsPointer { path: found }) = read_esm2(&path) else { panic!("{name}") };
        assert_eq!(found, path);
    }
}
