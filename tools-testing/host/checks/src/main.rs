// SPDX-License-Identifier: GPL-2.0

//! Checks of `kernel/smp/` on a machine whose CPUs are threads. `checks list` names them, `checks run
//! NAME...` runs some.
//!
//! A check that fails may end the whole program: the functions under check are called as C calls
//! them, and cannot unwind.

mod calls;
#[cfg(not(feature = "loom"))]
mod chance;
#[cfg(not(feature = "loom"))]
mod differential;
#[cfg(not(feature = "loom"))]
mod entries;
#[cfg(not(feature = "loom"))]
mod ledger;
mod owners;
mod protocols;
mod run;
#[cfg(feature = "debug")]
mod stall;
mod world;

use smp_core as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = protocols::CHECKS.iter().chain(owners::CHECKS);
    #[cfg(not(feature = "loom"))]
    let all = all
        .chain(entries::CHECKS)
        .chain([&ledger::CHECK, &differential::CHECK]);
    #[cfg(feature = "debug")]
    let all = all.chain(stall::CHECKS);
    let all: Vec<_> = all.collect();
    let chosen: Vec<_> = match arguments.split_first() {
        Some((verb, [])) if verb == "list" => {
            all.iter().for_each(|check| println!("{}", check.name));
            return ExitCode::SUCCESS;
        }
        Some((verb, names)) if verb == "run" && !names.is_empty() => names
            .iter()
            .map(|name| {
                all.iter()
                    .copied()
                    .find(|check| check.name == *name)
                    .ok_or(name)
            })
            .collect(),
        _ => {
            eprintln!("usage: checks list | run NAME...");
            return ExitCode::FAILURE;
        }
    };

    for check in chosen {
        match check {
            Ok(check) => println!("{}: {}", check.name, run::explore(check)),
            Err(name) => {
                eprintln!("there is no check {name}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
