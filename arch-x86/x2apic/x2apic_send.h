/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the x2APIC drivers and the Rust files of this directory use of each other.
 */
#ifndef _X86_APIC_X2APIC_SEND_H
#define _X86_APIC_X2APIC_SEND_H

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/types.h>

/*
 * Rust. These do what the members of struct apic with these names do. The cluster
 * driver passes its own variables: @dest is the logical APIC ID of a CPU, and
 * @logical_ids has those of all CPUs; @scratch is a mask of each CPU for a sender
 * with interrupts off; @clusters has the online CPUs of each CPU's cluster.
 */
void x2apic_cluster_send_ipi(u32 dest, int vector);
void x2apic_cluster_send_ipi_mask(const struct cpumask *mask, int vector,
				  cpumask_var_t __percpu *scratch,
				  struct cpumask *__percpu *clusters,
				  u32 *logical_ids);
void x2apic_cluster_send_ipi_mask_allbutself(const struct cpumask *mask,
					     int vector,
					     cpumask_var_t __percpu *scratch,
					     struct cpumask *__percpu *clusters,
					     u32 *logical_ids);
void x2apic_phys_send_ipi(int cpu, int vector);

#endif /* _X86_APIC_X2APIC_SEND_H */
