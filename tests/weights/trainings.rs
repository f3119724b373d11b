//! The checkpoints of trainings, of which the network is taken and nothing else.

use vnp_forge::items::{call, dict, float, int, list, numbers, text, texts};

use super::{head_digest, import};
use crate::heads::{Head, four, numpy_dtype, numpy_random, numpy_scalar};
use crate::support::{Bench, root};

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

/// A list of class names, as some trainings save beside the weights, in a file without an extension.
#[test]
fn texts_beside_the_weights_are_left_out() {
    let bench = Bench::new();
    let head = Head::new();
    let classes = texts(&["others", "virus"]);
    let file = head.file(&bench, "h", &dict(&[("classes", classes), ("sd", head.state_dict(""))]));
    import(&bench, &file).expect(0, &["not the network: classes"]);
}
