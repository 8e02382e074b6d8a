// SPDX-License-Identifier: GPL-2.0

//! Checks that report to KUnit, and after which a test goes on.
//!
//! They are for the thread of the test: in a callback or in another thread a failure is printed,
//! but does not fail the test. KUnit allocates memory to report a failure, so the thread must be
//! able to sleep.
//!
//! Tests import the macros from [`super`], by the names that they have there.

use crate::{
    bindings,
    fmt,
    prelude::*, //
};
use core::ptr;

/// Where a check is in the source.
pub struct Place {
    /// The file.
    pub file: &'static CStr,
    /// The line.
    pub line: u32,
}

impl Place {
    /// Reports a failed check, with its context if there is one.
    fn fail(&self, what: fmt::Arguments<'_>, context: Option<fmt::Arguments<'_>>) {
        match context {
            Some(context) => self.report(fmt!("{what}        {context}\n")),
            None => self.report(what),
        }
    }

    /// Reports a failed expectation to KUnit.
    fn report(&self, what: fmt::Arguments<'_>) {
        // SAFETY: May be called in any task.
        let test = unsafe { bindings::kunit_get_current_test() };
        let location = bindings::kunit_loc {
            file: self.file.as_char_ptr(),
            line: self.line as i32,
        };
        let assert = bindings::kunit_assert {};

        if test.is_null() {
            pr_err!("{}:{}: not the thread of a test\n", self.file, self.line);
            pr_err!("{what}");
            return;
        }
        // SAFETY: The test is that of the current task, all pointers are valid during the call, and
        // `%pA` takes a pointer to `fmt::Arguments`.
        unsafe {
            bindings::__kunit_do_failed_assertion(
                test,
                &raw const location,
                bindings::kunit_assert_type_KUNIT_EXPECTATION,
                &raw const assert,
                Some(bindings::kunit_fail_assert_format),
                c"%pA".as_char_ptr(),
                ptr::from_ref(&what).cast::<c_void>(),
            )
        };
    }
}

/// A condition that is expected to be true is false.
#[cold]
pub fn is_false(place: &Place, condition: &str, context: Option<fmt::Arguments<'_>>) {
    place.fail(
        fmt!("    Expected {condition} to be true, but is false\n"),
        context,
    );
}

/// Two values that are expected to be equal are not.
#[cold]
pub fn are_different(
    place: &Place,
    [left, right]: [(&str, &dyn fmt::Debug); 2],
    context: Option<fmt::Arguments<'_>>,
) {
    place.fail(
        fmt!(
            "    Expected {} == {}, but\n        left == {:?}\n        right == {:?}\n",
            left.0,
            right.0,
            left.1,
            right.1
        ),
        context,
    );
}

/// The place of the macro in the source, or of the macro that uses it.
#[doc(hidden)]
#[macro_export]
macro_rules! smp_place {
    () => {
        $crate::smp::testing::checks::Place {
            file: $crate::c_str!(::core::file!()),
            line: ::core::line!(),
        }
    };
}

/// Checks that a condition is true. Evaluates to the condition.
///
/// If it is false, the test is marked as failed, and file, line and condition are printed. More can
/// be given for that, as for `pr_err!`. For the thread of a test.
#[doc(hidden)]
#[macro_export]
macro_rules! smp_check {
    (@ $condition:expr, $context:expr) => {{
        let is_true: bool = $condition;

        if !is_true {
            $crate::smp::testing::checks::is_false(
                &$crate::smp_place!(),
                ::core::stringify!($condition),
                $context,
            );
        }
        is_true
    }};
    ($condition:expr $(,)?) => {
        $crate::smp_check!(@ $condition, None)
    };
    ($condition:expr, $($context:tt)+) => {
        $crate::smp_check!(@ $condition, Some($crate::prelude::fmt!($($context)+)))
    };
}

/// Checks that two values are equal. Evaluates to whether they are.
///
/// If they are not, both are printed. Otherwise as `check!`.
#[doc(hidden)]
#[macro_export]
macro_rules! smp_check_eq {
    (@ $left:expr, $right:expr, $context:expr) => {
        match (&$left, &$right) {
            (left, right) => {
                let are_equal = *left == *right;

                if !are_equal {
                    $crate::smp::testing::checks::are_different(
                        &$crate::smp_place!(),
                        [
                            (::core::stringify!($left), &left),
                            (::core::stringify!($right), &right),
                        ],
                        $context,
                    );
                }
                are_equal
            }
        }
    };
    ($left:expr, $right:expr $(,)?) => {
        $crate::smp_check_eq!(@ $left, $right, None)
    };
    ($left:expr, $right:expr, $($context:tt)+) => {
        $crate::smp_check_eq!(@ $left, $right, Some($crate::prelude::fmt!($($context)+)))
    };
}

/// As `check!`, but returns an error from the function if the condition is false.
///
/// For checks without which the rest of a test makes no sense or takes too long. Only drops tidy
/// up.
#[doc(hidden)]
#[macro_export]
macro_rules! smp_require {
    ($($check:tt)+) => {
        if !$crate::smp_check!($($check)+) {
            return Err($crate::error::code::EINVAL);
        }
    };
}

/// As `check_eq!`, but returns an error from the function if the values are not equal.
///
/// See `require!`.
#[doc(hidden)]
#[macro_export]
macro_rules! smp_require_eq {
    ($($check:tt)+) => {
        if !$crate::smp_check_eq!($($check)+) {
            return Err($crate::error::code::EINVAL);
        }
    };
}
