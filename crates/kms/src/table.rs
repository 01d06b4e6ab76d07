//! Values that are fetched once for all who want them, and kept for a while: [`Table`].

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use object_cipher_core::KeyError;

use crate::{
    KmsResult, Timer,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    timer::within,
};

/// So long one waits for what another fetches, who may be given no time to go on.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long values and failures are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// A value serves so long.
    pub(crate) age: Duration,
    /// And so long after it, when what should come in its place cannot be fetched.
    pub(crate) grace: Duration,
    /// A value serves so often.
    pub(crate) uses: u64,
    /// So many are kept.
    pub(crate) entries: usize,
}

/// A value as it serves.
pub(crate) struct Served<V> {
    pub(crate) value: V,
    /// Whether nothing was fetched for it.
    pub(crate) hit: bool,
}

/// Values by key. Of those who want one that is not there one fetches it, and the others wait; what
/// is not served any more is dropped, and so wiped if it is a key.
pub(crate) struct Table<K, V> {
    limits: Limits,
    slots: Mutex<HashMap<K, Slot<V>>>,
}

/// What becomes of a fetch that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is the fetcher's alone: those who wait try themselves.
    Own,
    /// It holds for those who wait, and ends what was kept.
    Answer,
    /// It is told for so long without another fetch, and ends what was kept.
    Known(Duration),
    /// It is told for so long, and what was kept stays within its grace.
    Outage(Duration),
}

enum Slot<V> {
    Kept(Kept<V>),
    Failed { error: KeyError, since: Duration, age: Duration, before: Option<Kept<V>> },
    Flying { flight: Arc<Flight<V>>, before: Option<Kept<V>> },
}

struct Kept<V> {
    value: V,
    since: Duration,
    uses: u64,
}

/// A fetch under way.
struct Flight<V>(Mutex<Landing<V>>);

struct Landing<V> {
    state: Landed<V>,
    waiting: Vec<Waker>,
    /// How many will be served by what is fetched, whoever fetches it among them.
    seats: u64,
}

#[derive(Clone)]
enum Landed<V> {
    UnderWay,
    Done(KmsResult<V>),
    /// Nobody fetches it any more.
    GivenUp,
}

/// What somebody who wants a value finds.
enum Found<V> {
    Hit(V),
    Failed(KeyError),
    /// Somebody else fetches it.
    Wait(Arc<Flight<V>>),
    /// Somebody else fetches it, for as many as it serves.
    Full,
    /// Nobody does.
    Lead(Arc<Flight<V>>),
}

/// The right to fetch. Dropped without a landing, those who wait try again.
struct Lead<'a, K: Eq + Hash + Clone, V: Clone + Send> {
    table: &'a Table<K, V>,
    key: K,
    flight: Arc<Flight<V>>,
}

impl<K: Eq + Hash + Clone, V: Clone + Send> Table<K, V> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, slots: Mutex::new(HashMap::new()) }
    }

    /// The value that is kept, or that `fetch` gives; `judge` tells what becomes of a failure. Who
    /// waits for another's fetch for too long, or for one that serves no more, makes his own.
    pub(crate) async fn get<F>(
        &self,
        key: &K,
        timer: &dyn Timer,
        judge: impl Fn(&KeyError) -> Failure,
        fetch: impl Fn() -> F,
    ) -> KmsResult<Served<V>>
    where
        F: Future<Output = KmsResult<V>>,
    {
        loop {
            match self.find(key, timer.now()) {
                Found::Hit(value) => return Ok(Served { value, hit: true }),
                Found::Failed(error) => return Err(error),
                Found::Wait(flight) => {
                    let landing = Box::pin(Wait { flight: &flight });
                    match within(timer, LONGEST_WAIT, landing).await {
                        Some(Some(result)) => {
                            return result.map(|value| Served { value, hit: true });
                        }
                        Some(None) => {}
                        None => return fetch().await.map(|value| Served { value, hit: false }),
                    }
                }
                Found::Full => return fetch().await.map(|value| Served { value, hit: false }),
                Found::Lead(flight) => {
                    let lead = Lead { table: self, key: key.clone(), flight };
                    let result = fetch().await;
                    let failure = result.as_ref().err().map(&judge);
                    if failure != Some(Failure::Own) {
                        lead.land(result.clone(), timer.now(), failure);
                    }
                    return result.map(|value| Served { value, hit: false });
                }
            }
        }
    }

    /// A value that is within its grace, if there is one: what a flush took is not.
    pub(crate) fn stale(&self, key: &K, now: Duration) -> Option<V> {
        let mut slots = self.slots();
        let kept = slots.get_mut(key).and_then(Slot::kept)?;
        kept.is_within_grace(&self.limits, now).then(|| kept.serve())
    }

    /// Keeps nothing of what was fetched so far, or is being fetched: whoever asks from now on has it
    /// fetched anew.
    pub(crate) fn flush(&self) {
        self.slots().clear();
    }

    /// Drops what is over its age and grace.
    pub(crate) fn expire(&self, now: Duration) {
        let limits = self.limits;
        self.slots().retain(|_, slot| slot.is_worth_room(&limits, now));
    }

    /// Whether nothing that is fetched is kept for others.
    pub(crate) fn keeps_nothing(&self) -> bool {
        self.limits.age.is_zero()
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.slots().len()
    }

    fn find(&self, key: &K, now: Duration) -> Found<V> {
        let mut slots = self.slots();
        match slots.get_mut(key) {
            Some(Slot::Flying { flight, .. }) => {
                let seat = flight.take_seat(self.limits.uses);
                return if seat { Found::Wait(Arc::clone(flight)) } else { Found::Full };
            }
            Some(Slot::Kept(kept)) if kept.serves(&self.limits, now) => {
                return Found::Hit(kept.serve());
            }
            Some(Slot::Failed { error, since, age, .. }) if is_young(*since, now, *age) => {
                return Found::Failed(error.clone());
            }
            _ => {}
        }
        let before = slots.remove(key).and_then(Slot::into_kept);
        let before = before.filter(|kept| kept.is_within_grace(&self.limits, now));
        let landing = Landing { state: Landed::UnderWay, waiting: Vec::new(), seats: 1 };
        let flight = Arc::new(Flight(Mutex::new(landing)));
        make_room(&mut slots, &self.limits, now);
        slots.insert(key.clone(), Slot::Flying { flight: Arc::clone(&flight), before });
        Found::Lead(flight)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<K, Slot<V>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Slot<V> {
    fn kept(&mut self) -> Option<&mut Kept<V>> {
        match self {
            Self::Kept(kept) => Some(kept),
            Self::Failed { before, .. } | Self::Flying { before, .. } => before.as_mut(),
        }
    }

    fn into_kept(self) -> Option<Kept<V>> {
        match self {
            Self::Kept(kept) => Some(kept),
            Self::Failed { before, .. } | Self::Flying { before, .. } => before,
        }
    }

    /// Whether it may serve anyone yet.
    fn is_worth_room(&self, limits: &Limits, now: Duration) -> bool {
        let worth = |kept: &Kept<V>| kept.is_within_grace(limits, now);
        match self {
            Self::Kept(kept) => worth(kept),
            Self::Failed { since, age, before, .. } => {
                is_young(*since, now, *age) || before.as_ref().is_some_and(worth)
            }
            Self::Flying { .. } => true,
        }
    }

    fn since(&self) -> Option<Duration> {
        match self {
            Self::Kept(Kept { since, .. }) | Self::Failed { since, .. } => Some(*since),
            Self::Flying { .. } => None,
        }
    }
}

impl<V> Kept<V> {
    fn serves(&self, limits: &Limits, now: Duration) -> bool {
        is_young(self.since, now, limits.age) && self.uses < limits.uses
    }

    fn is_within_grace(&self, limits: &Limits, now: Duration) -> bool {
        let longest = limits.age.saturating_add(limits.grace);
        is_young(self.since, now, longest) && self.uses < limits.uses
    }
}

impl<V: Clone + Send> Kept<V> {
    fn serve(&mut self) -> V {
        self.uses += 1;
        self.value.clone()
    }
}

impl<K: Eq + Hash + Clone, V: Clone + Send> Lead<'_, K, V> {
    fn land(self, result: KmsResult<V>, now: Duration, failure: Option<Failure>) {
        self.settle(|before| match (&result, failure) {
            (Ok(value), _) => {
                let uses = self.flight.lock().seats;
                Some(Slot::Kept(Kept { value: value.clone(), since: now, uses }))
            }
            (Err(error), Some(Failure::Known(age))) => {
                Some(Slot::Failed { error: error.clone(), since: now, age, before: None })
            }
            (Err(error), Some(Failure::Outage(age))) => {
                Some(Slot::Failed { error: error.clone(), since: now, age, before })
            }
            (Err(_), _) => None,
        });
        self.flight.land(Landed::Done(result));
    }

    /// Puts what came of the fetch in its place, unless a flush came between.
    fn settle(&self, slot: impl FnOnce(Option<Kept<V>>) -> Option<Slot<V>>) {
        let mut slots = self.table.slots();
        let before = match slots.get_mut(&self.key) {
            Some(Slot::Flying { flight, before }) if Arc::ptr_eq(flight, &self.flight) => {
                before.take()
            }
            _ => return,
        };
        match slot(before) {
            Some(slot) => slots.insert(self.key.clone(), slot),
            None => slots.remove(&self.key),
        };
    }
}

impl<K: Eq + Hash + Clone, V: Clone + Send> Drop for Lead<'_, K, V> {
    fn drop(&mut self) {
        let under_way = matches!(self.flight.lock().state, Landed::UnderWay);
        if under_way {
            self.settle(|before| before.map(Slot::Kept));
            self.flight.land(Landed::GivenUp);
        }
    }
}

impl<V> Flight<V> {
    fn lock(&self) -> MutexGuard<'_, Landing<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more will be served; called while the table is locked, as no seat may be taken
    /// after the landing.
    fn take_seat(&self, seats: u64) -> bool {
        let mut landing = self.lock();
        let free = landing.seats < seats;
        landing.seats += u64::from(free);
        free
    }

    fn land(&self, landed: Landed<V>) {
        let mut landing = self.lock();
        landing.state = landed;
        let waiting = std::mem::take(&mut landing.waiting);
        drop(landing);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Waits for a flight to land; gives nothing if it was given up.
struct Wait<'a, V> {
    flight: &'a Flight<V>,
}

impl<V: Clone + Send> Future for Wait<'_, V> {
    type Output = Option<KmsResult<V>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut landing = self.flight.lock();
        match &landing.state {
            Landed::Done(result) => return Poll::Ready(Some(result.clone())),
            Landed::GivenUp => return Poll::Ready(None),
            Landed::UnderWay => {}
        }
        if !landing.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            landing.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Room for one more: what is over its age goes, and then what is oldest.
fn make_room<K: Eq + Hash + Clone, V>(
    slots: &mut HashMap<K, Slot<V>>,
    limits: &Limits,
    now: Duration,
) {
    if slots.len() < limits.entries {
        return;
    }
    slots.retain(|_, slot| slot.is_worth_room(limits, now));
    while slots.len() >= limits.entries {
        let landed = slots.iter().filter_map(|(key, slot)| Some((key, slot.since()?)));
        let Some((oldest, _)) = landed.min_by_key(|(_, since)| *since) else { return };
        let oldest = oldest.clone();
        slots.remove(&oldest);
    }
}

/// Whether no more than `age` went by. A clock that goes back makes all end early, never late.
fn is_young(since: Duration, now: Duration, age: Duration) -> bool {
    now.checked_sub(since).is_some_and(|passed| passed < age)
}

#[cfg(test)]
mod every_order;
#[cfg(test)]
mod tests;
