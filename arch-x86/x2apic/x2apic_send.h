/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the x2APIC drivers and the Rust files of this folder use of each other.
 */
#ifndef _X86_APIC_X2APIC_SEND_H
#define _X86_APIC_X2APIC_SEND_H

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/types.h>

/*
 * Rust. As the members of struct apic of the same names. The cluster driver
 * hands over what it alone knows: @dest, the logical APIC ID of a CPU, and
 * @logical_ids, that of each; @scratch, a mask of each CPU for a sender with
 * interrupts off; @clusters, the online CPUs of each CPU's cluster.
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
