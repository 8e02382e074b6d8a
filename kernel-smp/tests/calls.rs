// SPDX-License-Identifier: GPL-2.0

//! The entry points: targets, contexts, warnings.

mod any;
mod api;
mod async_csd;
mod condition;
mod context;
mod exemptions;
mod kick;
mod many;
mod mask;
mod mask_changes;
mod no_function;
mod on_cpu;
mod single;
mod storm;
