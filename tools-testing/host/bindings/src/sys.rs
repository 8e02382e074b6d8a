// SPDX-License-Identifier: GPL-2.0

//! What runs the threads: the system, loom or shuttle.

pub use std::sync::Arc;

#[cfg(feature = "loom")]
pub use loom::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Condvar, Mutex,
    },
    thread, thread_local,
};
#[cfg(feature = "shuttle")]
pub use shuttle::{
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        Condvar, Mutex,
    },
    thread, thread_local,
};
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
pub use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Condvar, Mutex,
    },
    thread, thread_local,
};
