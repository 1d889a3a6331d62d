//! The fuzz targets, run for a moment without guidance, so that they keep compiling and finding.
//!
//! Seeds first, then mutants of them, the same on every machine. `cargo xtask fuzz` runs the same targets guided by
//! coverage. Two variables change what runs here: `IDEOGRAM_FUZZ_SECONDS` goes on for a time instead of a number of
//! inputs, and `IDEOGRAM_FUZZ_INPUT` names a file to run alone, to repeat a finding.

mod codegen;
mod decode;
mod seeds;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use fastrand::Rng;

use self::seeds::Seed;

/// What is fuzzed.
struct Target {
    name: &'static str,
    /// Inputs to start from.
    seeds: Vec<Seed>,
    /// How many mutants there are when no time is given.
    mutants: u64,
    mutate: fn(&[u8], &[Seed], &mut Rng) -> Vec<u8>,
    /// Says whether the input was taken, and panics if it finds something.
    run: fn(&[u8]) -> bool,
}

impl Target {
    /// Runs seeds and mutants of them.
    fn fuzz(&self) {
        if let Ok(path) = env::var("IDEOGRAM_FUZZ_INPUT") {
            let path = xtask::workspace_root().join(path);
            let input = fs::read(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
            (self.run)(&input);
            return;
        }
        let time = env::var("IDEOGRAM_FUZZ_SECONDS").ok();
        let time = time.map(|seconds| Duration::from_secs(seconds.parse().expect("a number of seconds")));
        let start = Instant::now();

        for seed in &self.seeds {
            assert!(self.attempt(&seed.name, &seed.bytes), "`{}` is refused, and so no good start", seed.name);
        }
        let (mut taken, mut refused) = (0, 0);
        for number in 0.. {
            if time.map_or(number >= self.mutants, |time| start.elapsed() >= time) {
                break;
            }
            let mut random = Rng::with_seed(number);
            let seed = random.choice(&self.seeds).unwrap();
            let mutant = (self.mutate)(&seed.bytes, &self.seeds, &mut random);
            if self.attempt(&format!("mutant_{number}"), &mutant) {
                taken += 1;
            } else {
                refused += 1;
            }
        }
        say(&format!("{}: {} seeds, {taken} mutants taken, {refused} refused", self.name, self.seeds.len()));
        assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused: mutants must reach both ends");
    }

    /// Keeps the input first: an exhausted stack or an endless loop leaves no panic behind.
    fn attempt(&self, name: &str, input: &[u8]) -> bool {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz_{}_last", self.name));
        fs::write(&path, input).unwrap();

        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.run)(input)));

        let path = path.display();
        // An input of a few kilobytes takes milliseconds, whole documents in a debug build some seconds.
        assert!(start.elapsed() < Duration::from_secs(60), "`{name}` takes too long; it is in `{path}`");
        outcome.unwrap_or_else(|_| panic!("`{name}` is a finding, see above; it is in `{path}`"))
    }
}

#[expect(clippy::print_stderr, reason = "what a run of some minutes did; shown with `--nocapture`")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[test]
fn decode_survives_mutants_of_samples() {
    let target =
        Target { name: "decode", seeds: seeds::responses(), mutants: 1500, mutate: decode::mutate, run: decode::run };

    target.fuzz();
}

#[test]
fn codegen_survives_mutants_of_documents() {
    let target =
        Target { name: "codegen", seeds: seeds::documents(), mutants: 100, mutate: codegen::mutate, run: codegen::run };
    // The document whole and in pieces, and the pet shop.
    assert!(target.seeds.len() > 20, "{} documents to start from", target.seeds.len());

    target.fuzz();
}
