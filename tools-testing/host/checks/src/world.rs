// SPDX-License-Identifier: GPL-2.0

//! A machine with something to do on each CPU.

use bindings::{
    machine::{self, Machine},
    thread, Arc, Mutex,
};

/// What runs on a CPU.
pub type Body = Box<dyn FnOnce() + Send>;

/// A check.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How many CPUs it needs.
    pub cpus: usize,
    /// Whether several tasks share a CPU.
    pub shared_cpus: bool,
    /// How often loom takes the CPU from a thread that could go on.
    #[cfg_attr(not(feature = "loom"), expect(dead_code))]
    pub preemptions: usize,
    /// How often it is repeated, where not all executions are gone through.
    #[cfg_attr(feature = "loom", expect(dead_code))]
    pub repeat: usize,
    /// What runs on which CPU, and what has to be true at the end.
    pub build: fn(&Arc<Machine>) -> Plan,
    /// What it has to tell about all runs.
    pub tells: fn() -> String,
}

/// What runs on which CPU, and what has to be true at the end.
pub type Plan = (Vec<(u32, Body)>, Box<dyn FnOnce()>);

impl Check {
    /// A check with a task for each CPU at most, and nothing to tell.
    pub const fn new(
        name: &'static str,
        cpus: usize,
        preemptions: usize,
        build: fn(&Arc<Machine>) -> Plan,
    ) -> Self {
        Self {
            name,
            cpus,
            shared_cpus: false,
            preemptions,
            repeat: 2_000,
            build,
            tells: String::new,
        }
    }

    /// Runs the check once.
    pub fn run_once(&self) {
        let machine = machine::boot(self.cpus, self.shared_cpus);
        let (bodies, verify) = (self.build)(&machine);
        let left = Arc::new(Mutex::new(bodies.len()));
        let mut seen = vec![false; self.cpus];
        let mut threads = Vec::new();

        // A CPU goes on to answer until all have done what they had to do.
        let run = |machine: Arc<Machine>, cpu, body: Option<Body>, idle| {
            let left = left.clone();
            move || {
                if let Some(body) = body {
                    machine.run_on(cpu, body);
                    let mut left = left.lock().unwrap();
                    *left -= 1;
                    if *left == 0 {
                        (0..machine.cpus()).for_each(|cpu| machine.stop(cpu));
                    }
                }
                if idle {
                    machine.idle(cpu);
                }
            }
        };
        let mut first = None;
        for (cpu, body) in bodies {
            let idle = !std::mem::replace(&mut seen[cpu as usize], true);
            let run = run(machine.clone(), cpu, Some(body), idle);

            if first.is_none() {
                first = Some(run);
            } else {
                threads.push(thread::spawn(run));
            }
        }
        for cpu in (0..self.cpus).filter(|cpu| !seen[*cpu]) {
            threads.push(thread::spawn(run(machine.clone(), cpu as u32, None, true)));
        }
        first.expect("there is something to do")();
        for thread in threads {
            thread.join().unwrap();
        }

        assert_eq!(machine.warnings(), [""; 0]);
        verify();
    }
}

/// Nothing has to be true at the end.
pub fn nothing() -> Box<dyn FnOnce()> {
    Box::new(|| ())
}
