//! What a process has used so far, as Linux counts it.

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};

/// Processor time of a process with all its threads, those that have ended included, in seconds: utime and stime of
/// `/proc/PID/stat` (man 5 proc). Its grain is a clock tick, ten milliseconds.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).context(path)?;
    // The second field is a name in brackets that may hold spaces: fields count from after it.
    let (_, fields) = stat.rsplit_once(')').context("stat")?;
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>().context("stat")?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// A figure of `/proc/PID/status` that is given in KiB, such as `VmRSS` or `VmHWM`, in MiB.
pub(crate) fn memory_mib(pid: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).context(path)?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.with_context(|| format!("no {field}"))? / 1024.0)
}

/// Processor time of this process, in seconds.
pub(crate) fn own_seconds() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

/// Processor time of this thread, in seconds.
pub(crate) fn thread_seconds() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted() {
        let (pid, begun) = (std::process::id(), cpu_seconds(std::process::id()).expect("linux"));
        let mut sum = 0_u64;
        while thread_seconds() < 0.05 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(cpu_seconds(pid).expect("linux") - begun < own_seconds() + 0.02);
        assert!(own_seconds() >= 0.05);
        assert!(memory_mib(pid, "VmRSS").expect("linux") > 0.5);
        assert!(memory_mib(pid, "VmNone").is_err());
    }
}
