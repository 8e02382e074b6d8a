// SPDX-License-Identifier: GPL-2.0

//! Comparing and printing masks.

use super::{
    Cpumask,
    CpumaskVar, //
};
use crate::{
    bindings,
    fmt, //
};

impl PartialEq for Cpumask {
    /// Compares the CPUs of two masks.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::{Cpumask, CpumaskVar};
    ///
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// assert!(*mask != *Cpumask::possible());
    /// mask.or_assign(Cpumask::possible());
    /// assert!(*mask == *Cpumask::possible());
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "cpumask_equal")]
    fn eq(&self, other: &Self) -> bool {
        // SAFETY: By the type invariants, both are valid arguments to `cpumask_equal`.
        unsafe { bindings::cpumask_equal(self.as_raw(), other.as_raw()) }
    }
}

impl Eq for Cpumask {}

impl fmt::Display for Cpumask {
    /// Prints the CPUs as a list of ranges, for example `0-3,8`, as `%*pbl` does in C.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::Cpumask;
    ///
    /// pr_info!("online: {}\n", Cpumask::online());
    /// ```
    #[doc(alias = "cpumask_pr_args")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().map(|cpu| cpu.as_u32()).peekable();
        let mut comma = "";

        while let Some(first) = cpus.next() {
            let mut last = first;
            while let Some(next) = cpus.next_if_eq(&last.wrapping_add(1)) {
                last = next;
            }

            write!(f, "{comma}{first}")?;
            if last != first {
                write!(f, "-{last}")?;
            }
            comma = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for Cpumask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CpumaskVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for CpumaskVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
