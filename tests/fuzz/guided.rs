//! The fuzz targets under libFuzzer: mutants that reach new code are kept and mutated further.
//!
//! Started by `cargo xtask fuzz`, which builds everything with LLVM's coverage counters and says by environment
//! variables what to fuzz and where to put the seeds.

#![no_main]

mod codegen;
mod decode;
mod seeds;

use std::{env, fs, path::PathBuf, sync::LazyLock};

use fastrand::Rng;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

use self::seeds::Seed;

struct Target {
    seeds: Vec<Seed>,
    mutate: fn(&[u8], &[Seed], &mut Rng) -> Vec<u8>,
    run: fn(&[u8]) -> bool,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| match env::var("IDEOGRAM_FUZZ_TARGET").as_deref() {
    Ok("decode") => Target { seeds: seeds::responses(), mutate: decode::mutate, run: decode::run },
    Ok("codegen") => Target { seeds: seeds::documents(), mutate: codegen::mutate, run: codegen::run },
    other => panic!("`IDEOGRAM_FUZZ_TARGET` must be `decode` or `codegen`, not {other:?}; start `cargo xtask fuzz`"),
});

/// libFuzzer reads its first inputs from a folder.
fn prepare() {
    let folder = PathBuf::from(env::var_os("IDEOGRAM_FUZZ_SEEDS").expect("`cargo xtask fuzz` sets it"));
    for seed in &TARGET.seeds {
        fs::write(folder.join(&seed.name), &seed.bytes).expect("the folder was just made");
    }
}

fuzz_target!(init: prepare(), |input: &[u8]| {
    (TARGET.run)(input);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Rng::with_seed(u64::from(seed));
    // libFuzzer's own mutations know the values that the program compared with.
    if random.u8(..3) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut mutant = (TARGET.mutate)(&data[..size], &TARGET.seeds, &mut random);
    mutant.truncate(max_size);
    data[..mutant.len()].copy_from_slice(&mutant);
    mutant.len()
});
