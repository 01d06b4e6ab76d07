//! What the numbers were taken on.

use std::{fs, thread};

/// The processor's name, where it can be told.
pub(crate) fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().into())
}

/// Threads that may run at the same time. Ask while the thread is not pinned.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// The processor features that decide how fast AES-GCM is, those that are there.
pub(crate) fn features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("aes", std::is_x86_feature_detected!("aes")),
        ("vaes", std::is_x86_feature_detected!("vaes")),
        ("vpclmulqdq", std::is_x86_feature_detected!("vpclmulqdq")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(target_arch = "aarch64")]
    let features = [
        ("aes", std::arch::is_aarch64_feature_detected!("aes")),
        ("pmull", std::arch::is_aarch64_feature_detected!("pmull")),
    ];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let features: [(&str, bool); 0] = [];
    features.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

/// Keeps the calling thread on one processor, where the system lets it.
pub(crate) fn pin(processor: usize) {
    #[cfg(target_os = "linux")]
    {
        let mut set = rustix::thread::CpuSet::new();
        set.set(processor);
        // Without the right to, the measurement is a little less steady.
        let _ = rustix::thread::sched_setaffinity(None, &set);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = processor;
}

/// Lets the calling thread run on any processor again.
pub(crate) fn unpin() {
    #[cfg(target_os = "linux")]
    {
        let mut set = rustix::thread::CpuSet::new();
        (0..rustix::thread::CpuSet::MAX_CPU).for_each(|processor| set.set(processor));
        let _ = rustix::thread::sched_setaffinity(None, &set);
    }
}
