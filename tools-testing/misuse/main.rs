// SPDX-License-Identifier: GPL-2.0

//! Compiles each case twice. With `--cfg good` it must compile. With `--cfg misuse` it must give
//! the errors that it names, and no others.
//!
//! usage: misuse CASES OUT RUSTC ARGUMENT...

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};
use ui_test::{
    custom_flags::revision_args::RustcRevisionArgs,
    diagnostics::{rustc::rustc_diagnostics_extractor, Diagnostics, Level},
    ignore_output_conflict, run_tests_generic,
    spanned::Spanned,
    status_emitter::Text,
    Config, Revisioned,
};

/// Returns the messages of rustc, with the code of an error before its text: a case asserts both.
fn diagnostics(file: &Path, stderr: &[u8]) -> Diagnostics {
    let mut found = rustc_diagnostics_extractor(file, stderr);

    for message in found
        .messages
        .iter_mut()
        .flatten()
        .chain(&mut found.messages_from_unknown_file_or_line)
    {
        if let Some(code) = &message.code {
            message.message = format!("{code}: {}", message.message);
        }
    }
    found
}

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let mut next = || args.next().expect("an argument is missing");
    let (cases, out, rustc) = (PathBuf::from(next()), next(), next());

    let mut config = Config::rustc(&cases);
    config.out_dir = out.into();
    config.program.program = rustc.into();
    config
        .program
        .args
        .extend(args.chain([OsString::from("--cap-lints=allow")]));
    config.output_conflict_handling = ignore_output_conflict;
    config.diagnostic_extractor = diagnostics;

    // The edition is among the arguments, and no fixes are tried.
    let base = config.comment_defaults.base();
    base.custom.clear();
    base.add_custom("rustc-revision-args", RustcRevisionArgs);
    base.require_annotations_for_level = Spanned::dummy(Level::Error).into();

    // Each case has both revisions.
    let mut good = Revisioned::default();
    good.exit_status = Spanned::dummy(0).into();
    good.require_annotations = Spanned::dummy(false).into();
    config.comment_defaults.revisions = Some(vec!["good".into(), "misuse".into()]);
    config
        .comment_defaults
        .revisioned
        .insert(vec!["good".into()], good);

    // Files in subdirectories are not cases of this run.
    let is_case = move |path: &Path, _: &Config| {
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        (rust && path.parent() == Some(&cases)).then_some(true)
    };
    match run_tests_generic(vec![config], is_case, |_, _| (), Text::verbose()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
