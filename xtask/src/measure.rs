//! Measurements of `cargo xtask cost` and of the benchmark of the library: both sides in turns, and what is printed.
//!
//! CPU time and memory are read from `/proc`: this runs on Linux.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::say;

/// How often the memory of a process is read.
const POLL: Duration = Duration::from_millis(5);

/// What a command took, with its child processes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of CPU time.
    pub cpu: f64,
    /// The largest memory of the largest process.
    pub peak_mib: f64,
}

/// The load of this machine and the number of its cores, for the head of a report.
pub fn load() -> Result<String> {
    let load = fs::read_to_string("/proc/loadavg").context("CPU time and memory are read from `/proc`, as on Linux")?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Ok(format!("load {} on {cores} cores", load.split(' ').take(3).collect::<Vec<_>>().join(" ")))
}

/// Measures both sides in turns.
pub fn in_turns<T>(
    pairs: usize,
    mut ours: impl FnMut() -> Result<T>,
    mut theirs: impl FnMut() -> Result<T>,
) -> Result<Vec<(T, T)>> {
    (0..pairs).map(|_| Ok((ours()?, theirs()?))).collect()
}

/// Runs a command to its end, and reads what it took.
pub fn measure(command: &mut Command) -> Result<Usage> {
    let program = command.get_program().to_string_lossy().into_owned();
    let (cpu, start) = (children_cpu()?, Instant::now());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().with_context(|| format!("cannot run `{program}`"))?;
    let stderr = process.stderr.take().expect("standard error is a pipe");
    let messages = thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).collect::<Vec<_>>());
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(peak_of_tree(process.id()));
        match process.try_wait().with_context(|| format!("cannot wait for `{program}`"))? {
            Some(status) => break status,
            None => thread::sleep(POLL),
        }
    };
    let wall = start.elapsed().as_secs_f64();
    let messages = messages.join().unwrap_or_default();
    ensure!(status.success(), "`{program}` fails ({status}): {}", messages.join("\n"));
    Ok(Usage { wall, cpu: children_cpu()? - cpu, peak_mib: f64::from(peak_kib) / 1024.0 })
}

/// The CPU time of all processes that this one has waited for, in seconds.
fn children_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read `/proc/self/stat`")?;
    // The name of the program is in parentheses, and may contain spaces; the fields after it begin with the third.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks = fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}

/// The most memory that a process or one of its children has had so far, in KiB.
fn peak_of_tree(process: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let own = line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<u32> =
        children.flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect();
    children.into_iter().map(peak_of_tree).fold(own, u32::max)
}

/// Prints the medians of one figure of both sides, and the median ratio with the lowest and the highest one.
pub fn compare<T>(what: &str, with: &str, pairs: &[(T, T)], of: impl Fn(&T) -> f64, unit: &str) {
    let ours = spread(pairs.iter().map(|(ours, _)| of(ours)));
    let theirs = spread(pairs.iter().map(|(_, theirs)| of(theirs)));
    let [low, ratio, high] = spread(pairs.iter().map(|(ours, theirs)| of(ours) / of(theirs)));
    say(&format!(
        "{what}: {:.1} {unit}, {with} {:.1} {unit}: {ratio:.2} x ({low:.2} to {high:.2})",
        ours[1], theirs[1]
    ));
}

/// Prints the median of one figure, with the lowest and the highest one.
pub fn alone<T>(what: &str, values: &[T], of: impl Fn(&T) -> f64, unit: &str) {
    let [low, median, high] = spread(values.iter().map(of));
    say(&format!("{what}: {median:.1} {unit} ({low:.1} to {high:.1})"));
}

/// The lowest, the median and the highest value.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_lowest_median_and_highest() {
        assert_eq!(format!("{:?}", spread([3.0, 1.0, 2.0].into_iter())), "[1.0, 2.0, 3.0]");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_command_is_measured_with_its_children() {
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.1";
        let usage = measure(Command::new("sh").args(["-c", &format!("(sh -c '{script}')")])).unwrap();

        assert!(usage.cpu > 0.0 && usage.wall >= 0.1 && usage.peak_mib > 0.5, "{usage:?}");
    }
}
