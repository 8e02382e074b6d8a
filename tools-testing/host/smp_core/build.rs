// SPDX-License-Identifier: GPL-2.0

//! The kernel configuration under which kernel-smp/ is compiled.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cfg=CONFIG_SMP_RUST_POLLING_WAIT");
    if std::env::var_os("CARGO_FEATURE_DEBUG").is_some() {
        println!("cargo:rustc-cfg=CONFIG_CSD_LOCK_WAIT_DEBUG");
        println!("cargo:rustc-cfg=CONFIG_PRINTK");
        println!("cargo:rustc-cfg=CONFIG_SMP_STATS");
    }
}
