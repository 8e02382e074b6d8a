// SPDX-License-Identifier: GPL-2.0

//! Which CPUs are reached by one write of the register.

use crate::{
    cluster::each_destination,
    hw::Clusters, //
};
use kernel::{
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    prelude::*, //
};

/// The largest number of CPUs that is tried: all sets of them are.
const MOST: u32 = 6;

/// How the CPUs of a made-up machine share clusters.
#[derive(Clone, Copy)]
enum Layout {
    /// So many neighbours share one.
    Neighbours(u32),
    /// There are so many, and CPUs take turns.
    Turns(u32),
}

impl Layout {
    const ALL: [Self; 5] = [
        Self::Neighbours(1),
        Self::Neighbours(2),
        Self::Neighbours(4),
        Self::Turns(2),
        Self::Turns(3),
    ];

    fn cluster(self, cpu: u32) -> u32 {
        match self {
            Self::Neighbours(n) => cpu / n,
            Self::Turns(n) => cpu % n,
        }
    }

    fn id(self, cpu: u32) -> u32 {
        let place = match self {
            Self::Neighbours(n) => cpu % n,
            Self::Turns(n) => cpu / n,
        };
        (self.cluster(cpu) << 16) | (1 << place)
    }
}

/// A made-up machine.
struct Made {
    layout: Layout,
    members: KVec<CpumaskVar>,
    none: CpumaskVar,
}

impl Made {
    /// Makes a machine whose CPUs of the set of bits `online` are online.
    fn new(layout: Layout, cpus: u32, online: u32) -> Result<Self> {
        let mut members = KVec::new();

        for cpu in 0..cpus {
            let cluster = layout.cluster(cpu);
            let set = set_of((0..cpus).filter(|&c| layout.cluster(c) == cluster)) & online;
            members.push(mask_of(set)?, GFP_KERNEL)?;
        }
        Ok(Self {
            layout,
            members,
            none: mask_of(0)?,
        })
    }
}

impl Clusters for Made {
    unsafe fn members(&self, cpu: CpuId) -> &Cpumask {
        self.members
            .get(cpu.as_u32() as usize)
            .unwrap_or(&self.none)
    }

    unsafe fn id(&self, cpu: CpuId) -> u32 {
        self.layout.id(cpu.as_u32())
    }
}

fn set_of(cpus: impl Iterator<Item = u32>) -> u32 {
    cpus.fold(0, |set, cpu| set | (1 << cpu))
}

fn mask_of(set: u32) -> Result<CpumaskVar> {
    let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;

    for cpu in (0..u32::BITS).filter(|cpu| set & (1 << cpu) != 0) {
        mask.set(CpuId::from_u32(cpu).ok_or(EINVAL)?);
    }
    Ok(mask)
}

/// Returns the destinations for the CPUs `targets`, in order.
fn sent(machine: &Made, targets: u32) -> Result<KVec<u32>> {
    let mut left = mask_of(targets)?;
    let mut sent = KVec::with_capacity(MOST as usize, GFP_KERNEL)?;
    let mut result = Ok(());

    let send = |ids| {
        if let Err(e) = sent.push(ids, GFP_KERNEL) {
            result = Err(e);
        }
    };
    // SAFETY: A made-up machine takes any CPU.
    unsafe { each_destination(&mut left, machine, send) };
    result?;
    Ok(sent)
}

/// Says whether `sent` has each cluster of `targets` once, with the CPUs of `targets` in it.
fn is_exact(layout: Layout, cpus: u32, targets: u32, sent: &[u32]) -> bool {
    let mut expected = [0u32; MOST as usize];
    let mut clusters = 0;

    for cpu in (0..cpus).filter(|cpu| targets & (1 << cpu) != 0) {
        if let Some(ids) = expected.get_mut(layout.cluster(cpu) as usize) {
            clusters += usize::from(*ids == 0);
            *ids |= layout.id(cpu);
        }
    }
    sent.len() == clusters
        && expected
            .iter()
            .filter(|ids| **ids != 0)
            .all(|ids| sent.contains(ids))
}

/// Tries all layouts and all sets of CPUs, with the CPUs of `online` online.
fn all_sets_are_exact(online: u32) -> Result<bool> {
    let cpus = nr_cpu_ids().min(MOST);
    let online = online & set_of(0..cpus);

    for layout in Layout::ALL {
        let machine = Made::new(layout, cpus, online)?;

        for targets in 0..1 << cpus {
            if !is_exact(layout, cpus, targets & online, &sent(&machine, targets)?) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[kunit_tests(x2apic_cluster)]
mod cases {
    use super::*;

    #[test]
    fn each_cluster_is_sent_once_to_the_cpus_that_are_meant() -> Result {
        assert!(all_sets_are_exact(u32::MAX)?);
        Ok(())
    }

    #[test]
    fn cpus_that_are_not_online_are_passed_over() -> Result {
        for online in 0..1 << nr_cpu_ids().min(MOST) {
            assert!(all_sets_are_exact(online)?);
        }
        Ok(())
    }

    #[test]
    fn no_cpu_no_write() -> Result {
        let cpus = nr_cpu_ids().min(MOST);

        for layout in Layout::ALL {
            assert!(sent(&Made::new(layout, cpus, set_of(0..cpus))?, 0)?.is_empty());
        }
        Ok(())
    }
}
