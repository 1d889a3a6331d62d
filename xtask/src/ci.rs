//! `cargo xtask ci`: what CI runs, in its order.

use std::{path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};

use crate::{cargo, say};

/// One step of CI; its command can be pasted into a shell.
struct Step {
    name: &'static str,
    command: &'static str,
    environment: &'static [(&'static str, &'static str)],
}

/// The tests come last, so that their summary ends the output.
const STEPS: &[Step] = &[
    Step { name: "format", command: "cargo fmt --all --check", environment: &[] },
    Step { name: "lint", command: "cargo clippy --workspace --all-targets -- -D warnings", environment: &[] },
    Step {
        name: "features",
        command: "cargo clippy -p ideogram-client --no-default-features --features rustls-no-provider,blocking -- -D warnings",
        environment: &[],
    },
    Step { name: "derived-files", command: "cargo xtask regen --check", environment: &[] },
    Step { name: "docs", command: "cargo doc --workspace --no-deps", environment: &[("RUSTDOCFLAGS", "-D warnings")] },
    Step { name: "contract", command: "cargo xtask contract", environment: &[] },
    Step { name: "packages", command: "cargo xtask package --test", environment: &[] },
    Step { name: "test", command: "cargo test --workspace", environment: &[] },
];

/// Runs the steps up to the first that fails.
pub fn ci(root: &Path) -> Result<()> {
    let start = Instant::now();
    for Step { name, command, environment } in STEPS {
        let variables: String = environment.iter().map(|(key, value)| format!("{key}='{value}' ")).collect();
        say(&format!("--- {name} (after {} s): {variables}{command}", start.elapsed().as_secs()));
        let mut process = cargo();
        process.args(command.split(' ').skip(1)).envs(environment.iter().copied()).current_dir(root);
        let status = process.status().with_context(|| format!("cannot run `{command}`"))?;
        ensure!(status.success(), "the step `{name}` fails; run `{variables}{command}` and correct what it reports");
    }
    Ok(())
}
