//! Any bytes, and files forged by what the bytes decide, through the reader of PyTorch files.

#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::check(&vnp_forge::mutate::torch(data)));
