// SPDX-License-Identifier: GPL-2.0

//! A plugin for QEMU that counts what a call costs hardware: cache lines that move between CPUs, and
//! atomic instructions.
//!
//! The guest marks regions, by instructions that do nothing else. What all CPUs do in a region is
//! counted, and a line is written for each region, in order: its transfers and its atomics. With
//! `moves=FILE` each transfer is written to that file: the number of the region, the CPU, the address
//! of the instruction, that of what it accesses, and whether it writes.
//!
//! A CPU holds a line once it has accessed it, until another CPU writes it. A read of a line that only
//! others hold is a transfer, and so is a write of one that others hold too. An atomic instruction has
//! the line for itself from its read on. No line is ever evicted, and none is fetched ahead.
//!
//! CPUs have to take turns in one thread, as they do where QEMU counts instructions. QEMU then passes
//! the number of the CPU for which code was translated, not of that which executes it. So a CPU is
//! known by its GS base, where a kernel has the address of the CPU's variables.

mod cpu;
mod instruction;
mod lines;

use cpu::Cpus;
use instruction::{Kind, Mark};
use lines::Lines;
use qemu_plugin::{
    Args, CallbackFlags, HasCallbacks, Info, MemRW, PluginId, Register, Result, TranslationBlock,
    VCPUIndex, Value,
};
use std::{
    fs::File,
    io::{BufWriter, Write},
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        Mutex, MutexGuard, OnceLock,
    },
};

/// What is counted in a region.
#[derive(Default)]
struct Counts {
    transfers: u64,
    atomics: u64,
}

/// An instruction that accesses memory.
struct Access {
    pc: u64,
    virtual_address: u64,
    address: u64,
    size: u64,
    writes: bool,
}

struct Counter {
    out: File,
    moves: Option<BufWriter<File>>,
    lines: Lines,
    cpus: Cpus,
    /// The CPU that runs.
    cpu: u32,
    /// How many regions have ended.
    ended: u32,
    /// Of the region that the guest is in.
    region: Option<Counts>,
}

/// Whether a region has begun yet. Until then nothing is looked at.
static BEGUN: AtomicBool = AtomicBool::new(false);
static COUNTER: OnceLock<Mutex<Counter>> = OnceLock::new();

fn counter() -> MutexGuard<'static, Counter> {
    COUNTER.get().unwrap().lock().unwrap()
}

impl Counter {
    fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::Begin => self.region = Some(Counts::default()),
            Mark::End => {
                if let Some(Counts { transfers, atomics }) = self.region.take() {
                    writeln!(self.out, "{transfers} {atomics}").unwrap();
                    self.ended += 1;
                    self.moves
                        .as_mut()
                        .map_or(Ok(()), BufWriter::flush)
                        .unwrap();
                }
            }
        }
    }

    fn access(&mut self, access: &Access) {
        let &Access {
            pc,
            virtual_address,
            address,
            size,
            writes,
        } = access;
        let cpu = self.cpu;
        let moved = self.lines.access(cpu, address, size, writes);

        if let Some(counts) = self.region.as_mut().filter(|_| moved > 0) {
            counts.transfers += moved;
            if let Some(moves) = &mut self.moves {
                let how = if writes { "writes" } else { "reads" };
                writeln!(
                    moves,
                    "{} {cpu} {pc:x} {virtual_address:x} {how}",
                    self.ended
                )
                .unwrap();
            }
        }
    }

    fn atomic(&mut self) {
        if let Some(counts) = &mut self.region {
            counts.atomics += 1;
        }
    }
}

/// Creates the file that an argument names, if there is that argument.
fn create(args: &Args, name: &str) -> Option<File> {
    let path = match args.parsed.get(name) {
        Some(Value::String(path)) => path,
        None => return None,
        Some(_) => panic!("transfers: {name}= names no file"),
    };

    Some(File::create(path).unwrap_or_else(|error| panic!("transfers: {path}: {error}")))
}

struct Plugin;

impl Register for Plugin {
    fn register(&mut self, _id: PluginId, args: &Args, info: &Info) -> Result<()> {
        let cpus = info.system.as_ref().map_or(0, |system| system.max_vcpus);

        assert!(
            (1..=i64::from(lines::CPUS)).contains(&cpus),
            "transfers: {cpus} CPUs, and 1 to {} are known",
            lines::CPUS
        );
        let counter = Counter {
            out: create(args, "out").expect("transfers: out= names no file"),
            moves: create(args, "moves").map(BufWriter::new),
            lines: Lines::default(),
            cpus: Cpus::default(),
            cpu: 0,
            ended: 0,
            region: None,
        };
        assert!(COUNTER.set(Mutex::new(counter)).is_ok());
        Ok(())
    }
}

impl HasCallbacks for Plugin {
    fn on_vcpu_init(&mut self, _id: PluginId, _cpu: VCPUIndex) -> Result<()> {
        cpu::find_registers()
    }

    fn on_translation_block_translate(
        &mut self,
        _id: PluginId,
        block: TranslationBlock<'_>,
    ) -> Result<()> {
        block.register_execute_callback_flags(
            |_cpu| {
                if BEGUN.load(Relaxed) {
                    let counter = &mut *counter();
                    counter.cpu = counter.cpus.current();
                }
            },
            CallbackFlags::QEMU_PLUGIN_CB_R_REGS,
        );
        for instruction in block.instructions() {
            let kind = instruction::kind(&instruction.data());

            match kind {
                Kind::Mark(mark) => instruction.register_execute_callback(move |_cpu| {
                    BEGUN.store(true, Relaxed);
                    counter().mark(mark);
                }),
                Kind::Atomic => instruction.register_execute_callback(|_cpu| {
                    if BEGUN.load(Relaxed) {
                        counter().atomic();
                    }
                }),
                Kind::Other => {}
            }

            let atomic = kind == Kind::Atomic;
            let pc = instruction.vaddr();
            instruction.register_memory_access_callback(
                move |_cpu, info, virtual_address| {
                    if !BEGUN.load(Relaxed) {
                        return;
                    }
                    if let Some(place) = info.hwaddr(virtual_address).filter(|place| !place.is_io())
                    {
                        counter().access(&Access {
                            pc,
                            virtual_address,
                            address: place.hwaddr(),
                            size: 1 << info.size_shift(),
                            writes: atomic || info.is_store(),
                        });
                    }
                },
                MemRW::QEMU_PLUGIN_MEM_RW,
            );
        }
        Ok(())
    }
}

qemu_plugin::register!(Plugin);
