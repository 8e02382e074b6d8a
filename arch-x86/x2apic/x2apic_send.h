/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the x2APIC drivers and the Rust files of this folder use of each other.
 */
#ifndef _X86_APIC_X2APIC_SEND_H
#define _X86_APIC_X2APIC_SEND_H

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* Rust. As the members of struct apic of the same names. */
void x2apic_cluster_send_ipi(int cpu, int vector);
void x2apic_cluster_send_ipi_mask(const struct cpumask *mask, int vector);
void x2apic_cluster_send_ipi_mask_allbutself(const struct cpumask *mask,
					     int vector);
void x2apic_phys_send_ipi(int cpu, int vector);

/*
 * x2apic_cluster.c. The logical APIC ID of each CPU; a mask for a sender with
 * interrupts off; the online CPUs of each CPU's cluster.
 */
extern u32 *x86_cpu_to_logical_apicid;
DECLARE_PER_CPU(cpumask_var_t, ipi_mask);
DECLARE_PER_CPU_READ_MOSTLY(struct cpumask *, cluster_masks);

#endif /* _X86_APIC_X2APIC_SEND_H */
