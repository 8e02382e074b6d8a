// SPDX-License-Identifier: GPL-2.0

//! Compiles the half in C, with the llist of the kernel tree that `SMP_LINUX` names, and the
//! compiler `SMP_CC`.

use std::{env, path::Path, process::Command};

fn main() {
    let out = env::var("OUT_DIR").unwrap();
    let linux = env::var("SMP_LINUX").expect("SMP_LINUX names the kernel tree");
    let compiler = env::var("SMP_CC").expect("SMP_CC names the compiler");
    let llist = Path::new(&linux).join("lib/llist.c");
    let objects = [
        ("c/half.c".as_ref(), "half.o"),
        (llist.as_path(), "llist.o"),
    ]
    .map(|(source, object)| {
        let object = format!("{out}/{object}");
        run(Command::new(&compiler)
            .args(["-O2", "-Wall", "-c", "-Ic/include", "-I"])
            .arg(Path::new(&linux).join("include"))
            .arg(source)
            .args(["-o", &object]));
        object
    });

    run(Command::new("ar")
        .args(["crs", &format!("{out}/libhalf.a")])
        .args(&objects));
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static=half");
    println!("cargo:rerun-if-env-changed=SMP_LINUX");
    println!("cargo:rerun-if-env-changed=SMP_CC");
    println!("cargo:rerun-if-changed=c");
    println!("cargo:rerun-if-changed={}", llist.display());
}

fn run(command: &mut Command) {
    let status = command.status().expect("the compiler starts");

    assert!(status.success(), "{command:?} failed");
}
