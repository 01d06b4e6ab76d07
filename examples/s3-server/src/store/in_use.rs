//! Bodies that are being read or written: they stay until that has ended.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::runtime::Handle;

use super::BodyName;

/// Which bodies are in use, and which of these go afterwards.
#[derive(Clone)]
pub(super) struct InUse {
    objects: Arc<dyn ObjectStore>,
    bodies: Arc<Mutex<Bodies>>,
}

#[derive(Default)]
struct Bodies {
    users: HashMap<BodyName, usize>,
    /// Unwanted, but in use.
    leaving: HashSet<BodyName>,
}

/// Keeps bodies while it lives.
pub(super) struct Use {
    in_use: InUse,
    bodies: Vec<BodyName>,
}

impl InUse {
    pub(super) fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, bodies: Arc::default() }
    }

    /// Keeps these bodies as long as what is given back lives.
    pub(super) fn keep(&self, bodies: Vec<BodyName>) -> Use {
        let mut state = self.state();
        for body in &bodies {
            *state.users.entry(body.clone()).or_default() += 1;
        }
        Use { in_use: self.clone(), bodies }
    }

    /// Whether a body is being read or written.
    pub(super) fn has(&self, body: &BodyName) -> bool {
        self.state().users.contains_key(body)
    }

    /// Deletes bodies that nothing names any more, each once nobody uses it. What cannot be deleted
    /// now is left to the next sweep.
    pub(super) fn remove(&self, bodies: impl IntoIterator<Item = BodyName>) {
        let mut state = self.state();
        for body in bodies {
            if state.users.contains_key(&body) {
                state.leaving.insert(body);
            } else {
                self.delete(&body);
            }
        }
    }

    fn delete(&self, body: &BodyName) {
        let (objects, path) = (Arc::clone(&self.objects), body.path());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { objects.delete(&path).await });
        }
    }

    fn state(&self) -> MutexGuard<'_, Bodies> {
        // Counts and sets are whole after any panic.
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Use {
    /// The bodies are of use no more.
    pub(super) fn discard(self) {
        self.in_use.state().leaving.extend(self.bodies.iter().cloned());
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut state = self.in_use.state();
        for body in &self.bodies {
            let Some(users) = state.users.get_mut(body) else { continue };
            *users -= 1;
            if *users == 0 {
                state.users.remove(body);
                if state.leaving.remove(body) {
                    self.in_use.delete(body);
                }
            }
        }
    }
}
