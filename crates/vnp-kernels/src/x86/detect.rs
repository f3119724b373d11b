//! Detects the instructions that CPU and operating system provide.
#![allow(unsafe_code, reason = "CPUID is an intrinsic, AMX is requested by a system call")]

use std::sync::OnceLock;

use crate::level::Level;

/// The levels of this machine, best first.
pub(crate) fn levels() -> Vec<Level> {
    static FOUND: OnceLock<Vec<Level>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> Vec<Level> {
    let avx512 = std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && std::arch::is_x86_feature_detected!("fma");
    let bf16 = avx512 && std::arch::is_x86_feature_detected!("avx512bf16");
    let vnni = avx512 && std::arch::is_x86_feature_detected!("avx512vnni");
    let mut levels = [
        (bf16 && has_amx() && may_use_amx(), Level::Amx),
        (bf16, Level::Avx512Bf16),
        (vnni, Level::Avx512Vnni),
        (avx512, Level::Avx512),
    ];
    // `VDPBF16PS` takes four times as long as `VPDPWSSD` on Intel's cores of 2023 (measured), and as
    // long on AMD's.
    if is_intel() {
        levels.swap(1, 2);
    }
    levels.into_iter().filter(|(is_there, _)| *is_there).map(|(_, level)| level).collect()
}

/// The name of the portable level on this CPU.
pub(crate) fn portable_name() -> &'static str {
    if std::arch::is_x86_feature_detected!("fma") { "avx2+fma" } else { std::env::consts::ARCH }
}

/// The vendor of CPUID leaf 0.
fn is_intel() -> bool {
    let id = std::arch::x86_64::__cpuid(0);
    [id.ebx, id.edx, id.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
}

/// AMX-BF16, AMX-TILE and AMX-INT8 of CPUID leaf 7 (Intel SDM, volume 2A, "CPUID").
fn has_amx() -> bool {
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    const AMX_INT8: u32 = 1 << 25;
    let edx = std::arch::x86_64::__cpuid_count(7, 0).edx;
    edx & (AMX_BF16 | AMX_TILE | AMX_INT8) == AMX_BF16 | AMX_TILE | AMX_INT8
}

/// On Linux a process must request the use of the tile registers.
#[cfg(target_os = "linux")]
fn may_use_amx() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: this call takes two numbers and accesses no memory of this process.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn may_use_amx() -> bool {
    false
}
