//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, for a fixed time.
//!
//! A stable compiler suffices: it has coverage counters; only the sanitizers, which safe Rust needs less, require a
//! nightly compiler. libFuzzer itself is C++ and built from source. Corpus, findings and log stay in
//! `target/fuzz/<target>/`, so that the next run continues where this one ended.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{built_program, cargo, create_folder, say, target_folder};

/// What cargo-fuzz passes to the compiler, without its sanitizer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Further findings of one target in one run are mostly duplicates.
const MAX_FINDINGS: usize = 10;

struct Target {
    name: &'static str,
    max_input_bytes: usize,
    /// The timeout of one input; a slower input is a finding.
    timeout: Duration,
}

const TARGETS: [Target; 2] = [
    Target { name: "decode", max_input_bytes: 8 * 1024, timeout: Duration::from_secs(5) },
    Target { name: "codegen", max_input_bytes: 256 * 1024, timeout: Duration::from_secs(60) },
];

/// The result of one target.
#[derive(Debug, Default)]
struct Outcome {
    executions: u64,
    edges: u64,
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    path: PathBuf,
    message: String,
}

/// Runs every target for its share of the time. Prints each finding with the command that reproduces it; it is an error.
pub fn fuzz(root: &Path, time: Duration) -> Result<()> {
    let folder = target_folder(root).join("fuzz");
    let program = build(root, &folder)?;
    let share = time / u32::try_from(TARGETS.len())?;
    let mut finding_count = 0;
    for target in &TARGETS {
        let outcome = run(root, &folder.join(target.name), &program, target, share)?;
        let Outcome { executions, edges, findings } = &outcome;
        say(&format!(
            "{}: {executions} executions in {} s, {edges} edges reached, {} findings",
            target.name,
            share.as_secs(),
            findings.len()
        ));
        for Finding { path, message } in findings {
            let path = path.strip_prefix(root).unwrap_or(path).display();
            say(&format!(
                "  {message}\n  reproduce it: IDEOGRAM_FUZZ_INPUT='{path}' cargo test -p ideogram-tests --test fuzz {}",
                target.name
            ));
        }
        finding_count += findings.len();
    }
    ensure!(
        finding_count == 0,
        "{finding_count} findings; reproduce each with its command, repair the cause, and add a test for it"
    );
    Ok(())
}

/// Builds the targets with coverage counters in a separate folder, and returns the program.
fn build(root: &Path, folder: &Path) -> Result<PathBuf> {
    say("building the fuzz targets with coverage counters");
    let mut build = cargo();
    build.current_dir(root).args(["test", "-p", "ideogram-tests", "--features", "libfuzzer", "--test", "fuzz_guided"]);
    // With an explicit target, the flags do not apply to build scripts and macros.
    build.args(["--no-run", "--message-format=json-render-diagnostics", "--target", &host()?, "--target-dir"]);
    build.arg(folder.join("build")).env("RUSTFLAGS", COVERAGE).env_remove("CARGO_TARGET_DIR");
    // Optimized, but with the checks of a debug build: an overflow is a finding.
    build.env("CARGO_PROFILE_DEV_OPT_LEVEL", "2").env("CARGO_PROFILE_TEST_OPT_LEVEL", "2").stderr(Stdio::inherit());
    let output = build.output().context("cannot run cargo")?;
    let hint = "if only a C++ compiler is missing, run the targets without guidance: \
                `IDEOGRAM_FUZZ_SECONDS=60 cargo test -p ideogram-tests --test fuzz`";
    ensure!(output.status.success(), "the fuzz targets cannot be built; {hint}");
    built_program(&output.stdout, "fuzz_guided").context("cargo does not say which program it built")
}

/// Returns the target triple of this platform.
fn host() -> Result<String> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Runs one target. libFuzzer ends at a finding, so it is started again until the time is over.
fn run(root: &Path, folder: &Path, program: &Path, target: &Target, time: Duration) -> Result<Outcome> {
    let [corpus, seeds, findings] = ["corpus", "seeds", "findings"].map(|name| folder.join(name));
    for folder in [&corpus, &seeds, &findings] {
        create_folder(folder)?;
    }
    let log = folder.join("log");
    let start = Instant::now();
    let mut outcome = Outcome::default();
    while outcome.findings.len() < MAX_FINDINGS {
        let left = time.saturating_sub(start.elapsed()).as_secs();
        if left == 0 {
            break;
        }
        let known = files(&findings)?;
        let mut fuzzer = Command::new(program);
        fuzzer.current_dir(root).arg(&corpus).arg(&seeds);
        fuzzer.arg(format!("-max_total_time={left}")).arg(format!("-timeout={}", target.timeout.as_secs()));
        fuzzer.arg(format!("-max_len={}", target.max_input_bytes)).arg("-print_final_stats=1");
        fuzzer.arg(format!("-artifact_prefix={}/", findings.display()));
        fuzzer.env("IDEOGRAM_FUZZ_TARGET", target.name).env("IDEOGRAM_FUZZ_SEEDS", &seeds);
        // Cargo sets this for tests; it locates the workspace.
        fuzzer.env("CARGO_MANIFEST_DIR", root.join("tests"));
        let file = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        fuzzer.stdout(Stdio::null()).stderr(file);
        let status = fuzzer.status().with_context(|| format!("cannot run `{}`", program.display()))?;

        let text = fs::read(&log).with_context(|| format!("cannot read `{}`", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        outcome.executions += number_after(&text, "stat::number_of_executed_units:");
        outcome.edges = outcome.edges.max(number_after(&text, " cov:"));
        let new: Vec<_> = files(&findings)?.difference(&known).cloned().collect();
        if new.is_empty() {
            if !status.success() {
                bail!("the target `{}` stops without a finding ({status}); see `{}`", target.name, log.display());
            }
            break;
        }
        outcome.findings.extend(new.into_iter().map(|path| Finding { path, message: message(&text) }));
    }
    Ok(outcome)
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Returns the number after the last occurrence of a name, or 0.
fn number_after(log: &str, name: &str) -> u64 {
    let number = log.rsplit_once(name).and_then(|(_, rest)| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Returns the message of a panic or of libFuzzer.
fn message(log: &str) -> String {
    let mut lines = log.lines().skip_while(|line| !line.contains("panicked at"));
    if let (Some(location), Some(text)) = (lines.next(), lines.next()) {
        return format!("{location} {text}");
    }
    let summary = log.lines().find(|line| line.contains("ERROR: libFuzzer") || line.contains("stack overflow"));
    summary.unwrap_or("no message; see the log").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 30Mb
#9\tNEW    cov: 17 ft: 20 corp: 2/9b lim: 4 exec/s: 0 rss: 30Mb L: 4/4 MS: 1 ChangeByte-

thread '<unnamed>' (1) panicked at crates/a/src/b.rs:3:4:
index out of bounds
==1== ERROR: libFuzzer: deadly signal
stat::number_of_executed_units: 123
stat::average_exec_per_sec:     0
";

    #[test]
    fn numbers_are_read_from_the_log() {
        assert_eq!(number_after(LOG, "stat::number_of_executed_units:"), 123);
        assert_eq!(number_after(LOG, " cov:"), 17);
        assert_eq!(number_after(LOG, "stat::nothing:"), 0);
    }

    #[test]
    fn a_finding_is_reported_with_the_message_of_its_panic() {
        let text = message(LOG);

        assert!(text.ends_with("panicked at crates/a/src/b.rs:3:4: index out of bounds"), "{text}");
        assert!(message("==1== ERROR: libFuzzer: timeout after 5 seconds").contains("timeout"));
    }
}
