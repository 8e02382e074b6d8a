// SPDX-License-Identifier: GPL-2.0

//! The attribute that the kernel's `macros` crate gives to functions which C calls.

use proc_macro::TokenStream;

/// Gives a function the name that C, here the checks, calls it by.
#[proc_macro_attribute]
pub fn export(_: TokenStream, function: TokenStream) -> TokenStream {
    let mut exported: TokenStream = "#[no_mangle]".parse().expect("this is an attribute");

    exported.extend(function);
    exported
}
