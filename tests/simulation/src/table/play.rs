//! Plays runs, as many at a time as there are threads. A run depends on its setting alone, so that threads change nothing.

use super::baseline::{self, Scheme};
use super::tally::Tally;
use super::world::{Setting, World};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Pages of each agent under a baseline.
pub const BASELINE_PAGES: usize = 200;

/// One run of any scheme.
#[must_use]
pub fn play(scheme: Scheme, setting: Setting) -> Tally {
    match scheme {
        Scheme::Sward => World::new(setting).run(),
        Scheme::NoCheck
        | Scheme::Quorum2
        | Scheme::Quorum3
        | Scheme::Margin2
        | Scheme::Boinc
        | Scheme::Sarmenta => baseline::run(scheme, setting, BASELINE_PAGES),
    }
}

/// Runs of one scheme, in the order of their settings.
#[must_use]
pub fn play_all(scheme: Scheme, settings: &[Setting], threads: usize) -> Vec<Tally> {
    in_parallel(settings, threads, |setting| play(scheme, *setting))
}

/// What `work` makes of each item, in the order of the items.
pub fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { break };
                    if sender.send((place, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
    });
    drop(sender);
    let mut done: Vec<(usize, R)> = receiver.into_iter().collect();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items_however_many_threads() {
        let items: Vec<u64> = (0..50).collect();
        let squares: Vec<u64> = items.iter().map(|item| item * item).collect();
        for threads in [0, 1, 3, 100] {
            assert_eq!(in_parallel(&items, threads, |item| item * item), squares);
        }
    }
}
