//! Weights as they lie about in the field: training checkpoints, wrapped names, broken values, files that
//! are something else, and heads of another chunk length.

use std::path::Path;

use vnp_forge::items::{call, dict, float, int, list, numbers, text, texts};

use crate::heads::{Head, four, numpy_dtype, numpy_random, numpy_scalar};
use crate::import::Import;
use crate::support::{Bench, Ended, Nucleotides, root};

/// Imports a head with the encoders of the fixtures, in place of an earlier import.
pub(crate) fn import(bench: &Bench, head: &Path) -> Ended {
    drop(std::fs::remove_dir_all(bench.path("tiny")));
    Import { head: head.to_owned(), ..Import::new() }.run(bench, "tiny")
}

/// The digest of the head that was imported last.
pub(crate) fn head_digest(bench: &Bench) -> serde_json::Value {
    bench.json("tiny/bundle.json")["digests"]["head"].clone()
}

#[test]
fn of_a_training_checkpoint_the_network_is_taken() {
    let bench = Bench::new();
    let head = Head::new();
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    let check = |key: &str, more: &[(&str, Vec<u8>)], left_out: &[&str]| {
        let entries = [&[(key, head.state_dict(""))], more].concat();
        let file = head.file(&bench, "h.pth", &dict(&entries));
        let ended = import(&bench, &file);
        let listed =
            format!("h.pth: left out, because it is not the network: {}", left_out.join(", "));
        ended.expect(0, &[&listed]);
        assert!(!ended.stderr.contains("run a program"), "{}", ended.stderr);
        assert_eq!(head_digest(&bench), expected);
        let imported = bench.json("tiny/bundle.json")["provenance"]["imported"]["head"].clone();
        assert_eq!(imported["beside"], serde_json::json!(left_out));
        assert_eq!(imported["prefix"], serde_json::json!(format!("{key}.")));
    };
    let moments = dict(&[("exp_avg", four()), ("step", float(3.0))]);
    let state = [&b"}"[..], &int(0), &moments, b"s"].concat();
    let groups = list(&[dict(&[("lr", float(0.1)), ("params", list(&[int(0)]))])]);
    let adam = dict(&[("state", state), ("param_groups", groups)]);
    let epoch = ("epoch", int(3));
    check(
        "model_state_dict",
        &[epoch.clone(), ("optimizer_state_dict", adam)],
        &["epoch", "optimizer_state_dict"],
    );
    check("model_state_dict", &[("loss", four())], &["loss"]);
    check("state_dict", &[("best", numpy_scalar("numpy.core.multiarray"))], &["best"]);
    check("state_dict", &[("best", numpy_scalar("numpy._core.multiarray"))], &["best"]);
    check("state_dict", &[("dev", call("torch", "device", &[text("cuda"), int(0)]))], &["dev"]);
    let path = ["/", "home", "me"].map(text);
    check("state_dict", &[("p", call("pathlib", "PosixPath", &path))], &["p"]);
    check("state_dict", &[("p", call("pathlib._local", "WindowsPath", &path))], &["p"]);
    let milestones =
        call("collections", "Counter", &[[&b"}"[..], &int(30), &int(1), b"s"].concat()]);
    let scheduler = dict(&[("milestones", milestones), ("_last_lr", list(&[float(0.1)]))]);
    check("net", &[("lr_scheduler", scheduler)], &["lr_scheduler"]);
    let random = dict(&[("numpy", numpy_random()), ("torch", four()), ("cuda", list(&[four()]))]);
    check("model", &[("rng_state", random), epoch], &["epoch", "rng_state"]);
    // The state of numpy's newer generator, of 128 bits, and a dict that no JSON could hold.
    let pcg64 = [b"\x8a\x10", &[0x7f; 16][..]].concat();
    let pairs = [&b"}"[..], &numbers(&[1, 2]), &int(3), b"s"].concat();
    let odd = [("pairs", pairs), ("rng", dict(&[("state", pcg64)])), ("version", int(2))];
    check("model", &odd, &["pairs", "rng", "version"]);
    let plain = [
        ("dtype", b"ctorch\nfloat32\n".to_vec()),
        ("factory", call("collections", "defaultdict", &[b"cbuiltins\nlist\n".to_vec()])),
        ("numpy_dtype", numpy_dtype("f4", "<")),
        ("size", call("torch", "Size", &[numbers(&[3, 4])])),
    ];
    check("model", &plain, &["dtype", "factory", "numpy_dtype", "size"]);
}

#[test]
fn of_two_copies_the_averaged_one_is_left_out() {
    let bench = Bench::new();
    let head = Head::new();
    let (good, other) = (head.state_dict(""), Head::new().state_dict("module."));
    let two = |one: &str, other_key: &str| {
        head.file(&bench, "h.pth", &dict(&[(one, good.clone()), (other_key, other.clone())]))
    };
    let said = "the weights of model_state_dict. are taken, the averaged copy ema_state_dict.module. \
                is left out";
    import(&bench, &two("model_state_dict", "ema_state_dict")).expect(0, &[said]);
    let refused = import(&bench, &two("last", "best_so_far"));
    refused.expect(1, &["several networks that fit, below `best_so_far.module.` and `last.`"]);
    assert!(!bench.path("tiny").exists());
}

/// Moments and gradients have the names of the weights: beside averaged weights too they are left out.
#[test]
fn what_a_training_computes_is_never_the_network() {
    let bench = Bench::new();
    let (head, other) = (Head::new(), Head::new().with("bn1.bias", 9.0));
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    let (good, bad) = (head.state_dict(""), other.state_dict(""));
    // The first number of `bn1.bias` is of the other head, in a storage of its own.
    let mut both = Head::new();
    both.tensors.extend(other.tensors.iter().map(|(name, dtype, shape, bytes)| {
        (format!("other.{name}"), *dtype, shape.clone(), bytes.clone())
    }));
    let take = |key: &str| {
        let mut taken = Head { tensors: both.tensors.clone() };
        for (number, (name, ..)) in taken.tensors.iter_mut().enumerate() {
            let bare = name.trim_start_matches("other.").to_owned();
            let is_other = number >= head.tensors.len();
            *name = format!("{}{bare}", if is_other { key } else { "" });
        }
        taken
    };
    for (derived, network) in [
        ("optimizer.master_params.", "ema."),
        ("momentum_buffer.", "ema_state_dict."),
        ("loss.", "ema."),
        ("student_optimizer.w.", "teacher."),
        ("grads.", "model."),
    ] {
        let mut taken = take(derived);
        for (name, ..) in taken.tensors.iter_mut().filter(|(name, ..)| !name.starts_with(derived)) {
            name.insert_str(0, network);
        }
        let key = derived.split('.').next().unwrap();
        let file = taken.file(&bench, "h.pth", &taken.state_dict(""));
        let ended = import(&bench, &file);
        ended.expect(0, &[&format!("h.pth: left out, because it is not the network: {key}")]);
        assert_eq!(head_digest(&bench), expected, "{derived}");
    }
    for key in ["momentum", "grads", "student_optimizer"] {
        let file = head.file(&bench, "h.pth", &dict(&[(key, good.clone())]));
        let said = format!("only below `{key}.`, which a training computes");
        import(&bench, &file).expect(1, &[&said]);
        assert!(!bench.path("tiny").exists());
    }
    let nested = dict(&[("optimizer", dict(&[("master_params", bad)]))]);
    let file = other.file(&bench, "h.pth", &nested);
    import(&bench, &file).expect(1, &["only below `optimizer.master_params.`"]);
}

#[test]
fn prefixes_are_removed_only_together() {
    let bench = Bench::new();
    let head = Head::new();
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    for prefix in ["module.", "_orig_mod.", "module._orig_mod.", "model.module.", "classifier."] {
        let file = head.file(&bench, "h.pth", &head.state_dict(prefix));
        import(&bench, &file).expect(0, &[]);
        assert_eq!(head_digest(&bench), expected, "{prefix}");
    }
    let mut mixed = Head::new();
    for (name, ..) in mixed.tensors.iter_mut().filter(|(name, ..)| name != "bn1.bias") {
        name.insert_str(0, "module.");
    }
    let file = mixed.file(&bench, "h.pth", &mixed.state_dict(""));
    import(&bench, &file).expect(1, &["tensor bn1.bias is not below module."]);
}

#[test]
fn values_that_no_network_has_are_refused() {
    let bench = Bench::new();
    let check = |name: &str, value: f32, messages: &[&str]| {
        let head = Head::new().with(name, value);
        let file = head.file(&bench, "h.pth", &dict(&[("sd", head.state_dict(""))]));
        import(&bench, &file).expect(1, messages);
        assert!(!bench.path("tiny").exists());
        let out = ["predict", "reads.fa", "-p", "h.pth", "-o", "out"];
        bench.write("reads.fa", ">a\nACGT\n");
        bench.vnp(&out).expect(1, messages);
    };
    check(
        "hidden_layer.weight",
        f32::NAN,
        &["tensor sd.hidden_layer.weight", "NaN at index [0, 0]"],
    );
    check("bn1.bias", f32::INFINITY, &["tensor sd.bn1.bias holds inf at index [0]"]);
    check("bn1.running_var", -1.0, &["tensor sd.bn1.running_var", "a variance of -1 at index [0]"]);
}

#[test]
fn verify_names_the_value() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let path = bench.path("tiny/head.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let verified = bench.vnp(&["models", "verify", "./tiny"]);
    verified
        .expect(1, &["head.safetensors: tensor output_layer.weight holds NaN at index [1, 31]"]);
    assert!(verified.stdout.contains("BAD"));
}

#[test]
fn a_head_of_f64_is_converted() {
    let bench = Bench::new();
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    let head = Head::new().in_f64();
    import(&bench, &head.file(&bench, "h.pth", &head.state_dict(""))).expect(0, &[]);
    assert_eq!(head_digest(&bench), expected);
    let mut large = Head::new().in_f64();
    large.tensors[0].3[8..16].copy_from_slice(&1e300_f64.to_le_bytes());
    let name = large.tensors[0].0.clone();
    let file = large.file(&bench, "h.pth", &large.state_dict(""));
    let message = format!("tensor {name} holds 1e300, which f32 cannot hold, at index");
    import(&bench, &file).expect(1, &[&message]);
}

#[test]
fn only_what_may_run_a_program_is_an_alarm() {
    let bench = Bench::new();
    let head = Head::new();
    let with = |name: &str, more: Vec<u8>| {
        head.file(&bench, name, &dict(&[("sd", head.state_dict("")), ("more", more)]))
    };
    let file = with("h.pth", call("os", "system", &[text("true")]));
    import(&bench, &file).expect(1, &["`os.system`", "it may run a program"]);
    for class in [("datetime", "datetime"), ("torch.optim.adam", "Adam"), ("mylab", "Config")] {
        let file = with("h.pth", call(class.0, class.1, &[]));
        let ended = import(&bench, &file);
        ended.expect(1, &[&format!("unsupported class `{}.{}`", class.0, class.1)]);
        assert!(!ended.stderr.contains("run a program"), "{}", ended.stderr);
    }
    bench.vnp(&["checkpoint", "inspect", "h.pth"]).expect(3, &["unsupported class `mylab.Config`"]);
    std::fs::create_dir(bench.path("dir")).unwrap();
    std::fs::rename(bench.path("h.pth"), bench.path("dir/h.pth")).unwrap();
    let report = bench.vnp(&["validate-checkpoints", "dir"]);
    assert!(report.expect(3, &[]).stdout.contains("INCOMPATIBLE"), "{}", report.stdout);
}

#[test]
fn files_that_are_something_else_are_named() {
    let bench = Bench::new();
    let check = |import: Import, messages: &[&str]| {
        import.run(&bench, "tiny").expect(1, messages);
        assert!(!bench.path("tiny").exists());
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    let head = bench.write("300_model.pth", pointer);
    check(Import { head, ..Import::new() }, &["300_model.pth", "git lfs pull"]);
    let tokenizer = bench.write("tokenizer.json", pointer);
    check(Import { tokenizer, ..Import::new() }, &["tokenizer.json", "git lfs pull"]);
    let tokenizer = bench.write("tokenizer.json", "<html><body>404</body></html>");
    check(Import { tokenizer, ..Import::new() }, &["tokenizer.json is a web page"]);
    let head = bench.write("h.pth", "");
    check(Import { head, ..Import::new() }, &["h.pth is an empty file"]);
    let head = root().join("tests/fixtures/torch");
    check(Import { head, ..Import::new() }, &["torch is a directory, not a file"]);
    let esm2 = root().join("tests/fixtures/parity/cases.json");
    check(Import { esm2, ..Import::new() }, &["cases.json is a JSON file without a weight_map"]);
    let dnabert = root().join("tests/fixtures/parity");
    check(
        Import { dnabert, ..Import::new() },
        &["such files are in", "parity/dnabert", "parity/esm2, give the right one"],
    );
    #[cfg(unix)]
    {
        let head = bench.path("link.pth");
        std::os::unix::fs::symlink("nowhere.pth", &head).unwrap();
        check(
            Import { head, ..Import::new() },
            &["link.pth is a link to nowhere.pth, which does not exist"],
        );
        let inspect = ["checkpoint", "inspect", "link.pth"];
        bench.vnp(&inspect).expect(1, &["it is a link to nowhere.pth, which does not exist"]);
        let predict = ["predict", "300_model.pth", "-m", "link.pth", "-o", "out"];
        bench.vnp(&predict).expect(1, &["is a link to nowhere.pth, which does not exist"]);
    }
    bench.vnp(&["checkpoint", "inspect", "300_model.pth"]).expect(3, &["git lfs pull"]);
    let model = |name: &str, messages: &[&str]| {
        bench.vnp(&["predict", "300_model.pth", "-m", name, "-o", "out"]).expect(1, messages);
    };
    Import::new().run(&bench, "models/tiny").expect(0, &[]);
    model(
        "./models",
        &["./models is not a model: it has no bundle.json", "models/tiny, give that"],
    );
    model("./models/tiny/esm2", &["is not a model", "models/tiny, give that"]);
    model("./models/tiny/bundle.json", &["is a file, not the directory of a model"]);
}

/// The commands on checkpoints too go by first bytes.
#[test]
fn checkpoints_under_other_names() {
    let bench = Bench::new();
    let head = root().join("tests/fixtures/torch/head.pth");
    let plain = bench.path("head.dat");
    std::fs::copy(&head, &plain).unwrap();
    let inspected = bench.vnp(&["checkpoint", "inspect", "head.dat"]);
    assert!(inspected.expect(0, &[]).stdout.contains("hidden_layer.weight"));
    bench.vnp(&["checkpoint", "convert", "head.dat", "head.vnp"]).expect(0, &[]);
    import(&bench, &head).expect(0, &[]);
    let expected = head_digest(&bench);
    for name in ["head.dat", "head.vnp"] {
        import(&bench, &bench.path(name)).expect(0, &[]);
        assert_eq!(head_digest(&bench), expected);
    }
    bench.write("reads.fa", Nucleotides::new(1).fasta(1, 700));
    let predict = ["predict", "reads.fa", "-m", "./tiny", "-p", "head.vnp", "-o", "out"];
    bench.vnp(&predict).expect(0, &[]);
}

/// A tokenizer with a byte order mark is the same tokenizer.
#[test]
fn a_byte_order_mark_changes_nothing() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let digests = || bench.json("tiny/bundle.json")["digests"].clone();
    let expected = digests();
    let with_mark = |path: &Path| [b"\xef\xbb\xbf", &std::fs::read(path).unwrap()[..]].concat();
    let tokenizer = bench.write("tokenizer.json", with_mark(&Import::new().tokenizer));
    std::fs::remove_dir_all(bench.path("tiny")).unwrap();
    Import { tokenizer, ..Import::new() }.run(&bench, "tiny").expect(0, &[]);
    assert_eq!(digests(), expected);
    for name in ["bundle.json", "esm2/config.json", "dnabert/tokenizer.json"] {
        let path = bench.path("tiny").join(name);
        let marked = with_mark(&path);
        std::fs::write(&path, marked).unwrap();
    }
    bench.vnp(&["models", "verify", "./tiny"]).expect(0, &[]);
}

#[test]
fn another_chunk_length_is_recorded() {
    let bench = Bench::new();
    let said = "that it was trained on chunks of 500 bp was stated when it was imported";
    Import::new().run(&bench, "tiny").expect(0, &[said]);
    let manifest = bench.json("tiny/bundle.json");
    assert_eq!(manifest["expected_length_source"], "stated");
    bench.vnp(&["models", "verify", "./tiny"]).expect(0, &[said]);
    let blob = &manifest["provenance"]["imported"]["head"]["git_blob"];
    assert_eq!(blob.as_str().map(str::len), Some(40));
    bench.write("reads.fa", Nucleotides::new(1).fasta(1, 700));
    let run = |out: &str, words: &[&str]| {
        bench.vnp(&[&["predict", "reads.fa", "-m", "./tiny", "-o", out][..], words].concat())
    };
    let warning =
        "the model was trained on chunks of 500 bp: its scores of 300 bp may be unreliable";
    run("other", &["-e", "300"]).expect(0, &[warning]);
    assert_eq!(bench.json("other/run.json")["warnings"], serde_json::json!([warning]));
    let plain = run("plain", &[]);
    assert!(!plain.expect(0, &[]).stderr.contains("unreliable"));
    assert!(bench.json("plain/run.json").get("warnings").is_none());
}

/// Of a head that is given by itself nothing says for which length it was trained.
#[test]
fn a_head_of_unknown_length_is_a_warning() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let head = Head::new().with("bn1.bias", 0.25);
    head.file(&bench, "h.pth", &head.state_dict(""));
    bench.write("reads.fa", Nucleotides::new(1).fasta(1, 700));
    for (length, words) in [("500", &[][..]), ("300", &["-e", "300"])] {
        let run = ["predict", "reads.fa", "-m", "./tiny", "-p", "h.pth", "-o", length];
        let warning = format!(
            "the chunk length that the head of --model-path was trained on is not known: the run uses \
             {length} bp"
        );
        let ended = bench.vnp(&[&run[..], words].concat());
        assert!(!ended.expect(0, &[&warning]).stderr.contains("unreliable"), "{}", ended.stderr);
        let recorded = bench.json(&format!("{length}/run.json"))["warnings"].clone();
        assert_eq!(recorded, serde_json::json!([warning]));
    }
    // The bundle's own head is known as far as the bundle's is.
    let own = ["predict", "reads.fa", "-m", "./tiny", "-p", "tiny/head.safetensors", "-o", "own"];
    bench.vnp(&own).expect(0, &[]);
    assert!(bench.json("own/run.json").get("warnings").is_none());
}

/// Keys that our checkpoints have too.
#[test]
fn keys_of_ours_in_other_files_are_left_out() {
    let bench = Bench::new();
    let head = Head::new();
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    let more = [
        ("version", text("1.2.3")),
        ("ids", numbers(&[1, 2])),
        ("proteins", texts(&["a"])),
        ("embeddings", four()),
        ("vnp", int(1)),
        ("status", text("done")),
    ];
    for (key, value) in more {
        let entries = [("model", head.state_dict("")), (key, value)];
        let file = head.file(&bench, "h.pth", &dict(&entries));
        let listed = format!("left out, because it is not the network: {key}");
        import(&bench, &file).expect(0, &[&listed]);
        assert_eq!(head_digest(&bench), expected, "{key}");
    }
}

/// A model that cannot be read is neither passed over by `models verify` nor by `models list`.
#[test]
fn models_that_cannot_be_read_are_named() {
    let bench = Bench::new();
    Import::new().run(&bench, "models/good").expect(0, &[]);
    let run = |words: &[&str], models: &str| {
        let mut command = bench.command(words);
        let output = command.env("VNP_MODELS", bench.path(models)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, log) = run(&["models", "verify"], "models");
    assert_eq!(code, Some(0), "{log}");
    let whole = std::fs::read_to_string(bench.path("models/good/bundle.json")).unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    std::fs::create_dir(bench.path("models/bad")).unwrap();
    for (manifest, reason) in [
        (&whole[..whole.len() / 2], "not the JSON expected"),
        (pointer, "git lfs pull"),
        ("", "an empty file"),
        ("<html>404</html>", "a web page"),
        ("{\"format\": 2}", "upgrade vnp"),
    ] {
        bench.write("models/bad/bundle.json", manifest);
        let (code, table, log) = run(&["models", "verify"], "models");
        assert_eq!(code, Some(1), "{table}{log}");
        assert!(table.contains("bad: BAD") && table.contains("good: OK"), "{table}");
        assert!(log.contains(reason), "{log}");
        let (code, table, log) = run(&["models", "list"], "models");
        assert_eq!(code, Some(0), "{log}");
        let line = table.lines().find(|line| line.starts_with("bad ")).unwrap();
        assert!(line.ends_with("bad: cannot be read"), "{line}");
        assert!(log.contains(reason), "{log}");
    }
    bench.write("file", "x");
    for models in ["file", "nowhere"] {
        let (code, _, log) = run(&["models", "list"], models);
        assert_eq!(code, Some(0), "{log}");
        let said = format!("{models} cannot be searched for models");
        assert_eq!(log.matches(&said).count(), 1, "{log}");
    }
}

/// Weights that are finite may give scores that are not.
#[test]
fn a_head_without_finite_scores_is_the_reason() {
    let bench = Bench::new();
    let mut head = Head::new();
    let output = head.tensors.iter_mut().find(|(name, ..)| name == "output_layer.weight").unwrap();
    output.3 = vec![f32::MAX; 64].into_iter().flat_map(f32::to_le_bytes).collect();
    let file = head.file(&bench, "h.pth", &head.state_dict(""));
    import(&bench, &file).expect(0, &[]);
    bench.write("reads.fa", Nucleotides::new(1).fasta(2, 700));
    let run = ["predict", "reads.fa", "-m", "./tiny", "-o", "out"];
    bench.vnp(&run).expect(2, &[]);
    let table = std::fs::read_to_string(bench.path("out/sequences.tsv")).unwrap();
    let reason = "a score that is not finite from embeddings that are: the head is the cause";
    assert!(table.lines().skip(1).any(|line| line.contains(reason)), "{table}");
    assert!(!table.contains("gave an embedding that is not finite"), "{table}");
    let failed = std::fs::read_to_string(bench.path("out/checkpoints/failed_files.txt")).unwrap();
    assert!(failed.contains("the head is the cause"), "{failed}");
    // The words stay the same when the run is read again.
    std::fs::remove_file(bench.path("out/run.json")).unwrap();
    bench.vnp(&[&run[..], &["--resume"]].concat()).expect(2, &[]);
    assert_eq!(std::fs::read_to_string(bench.path("out/sequences.tsv")).unwrap(), table);
}

/// A list of class names, as some trainings save beside the weights, in a file without an extension.
#[test]
fn texts_beside_the_weights_are_left_out() {
    let bench = Bench::new();
    let head = Head::new();
    let classes = texts(&["others", "virus"]);
    let file = head.file(&bench, "h", &dict(&[("classes", classes), ("sd", head.state_dict(""))]));
    import(&bench, &file).expect(0, &["not the network: classes"]);
}
