//! The guide in docs/guide runs as written.

#[test]
fn every_command_of_the_guide_does_what_it_says() {
    trycmd::TestCases::new()
        .register_bin("vnp", std::path::Path::new(env!("CARGO_BIN_EXE_vnp")))
        .case(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/*.md"));
}
