//! An S3 on a port of this machine: [`FakeS3`].

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Collected};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};

mod answer;
mod asked;
mod bucket;

pub(crate) use asked::{Asked, Operation};
pub(crate) use bucket::Object;

use answer::{Answer, refusal};
use bucket::Bucket;

/// What is to go wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is refused with this status and code.
    Refuse(u16, &'static str),
    /// It takes so long.
    Delay(Duration),
    /// It is answered as if it had this range, or none.
    AsIfRange(Option<&'static str>),
    /// The connection ends in the middle of the answer's body.
    CutBody,
}

/// Keeps what it is sent. Its names are `BUCKET/KEY`.
pub(crate) struct FakeS3 {
    pub(crate) address: SocketAddr,
    world: Arc<World>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct World {
    bucket: Mutex<Bucket>,
    asked: Mutex<Vec<Asked>>,
    faults: Mutex<Vec<(Matches, Fault)>>,
    /// How many parts are being taken in: now, and at most.
    parts: Mutex<(usize, usize)>,
}

type Matches = Box<dyn Fn(&Asked) -> bool + Send>;

impl FakeS3 {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::<World>::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&world)));
        Self { address, world, accepting }
    }

    /// Lets the next request that matches go wrong.
    pub(crate) fn fault(&self, matches: impl Fn(&Asked) -> bool + Send + 'static, fault: Fault) {
        self.world.faults.lock().unwrap().push((Box::new(matches), fault));
    }

    /// Lets the next request of a kind go wrong.
    pub(crate) fn fault_of(&self, operation: Operation, fault: Fault) {
        self.fault(move |asked| asked.operation == operation, fault);
    }

    /// Everything that was asked, in order.
    pub(crate) fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.world.asked.lock().unwrap()
    }

    /// The requests of a kind, in order.
    pub(crate) fn asked_of(&self, operation: Operation) -> Vec<Asked> {
        self.asked().iter().filter(|asked| asked.operation == operation).cloned().collect()
    }

    /// The kinds of requests, in order.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.asked().iter().map(|asked| asked.operation).collect()
    }

    /// The names of what is stored.
    pub(crate) fn names(&self) -> Vec<String> {
        self.bucket().objects.keys().cloned().collect()
    }

    pub(crate) fn object(&self, name: &str) -> Option<Object> {
        self.bucket().objects.get(name).cloned()
    }

    /// Stores an object as whoever may write the bucket can.
    pub(crate) fn store(&self, name: &str, object: Object) {
        self.bucket().objects.insert(name.to_owned(), object);
    }

    /// Changes an object as whoever may write the bucket can.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Object)) {
        change(self.bucket().objects.get_mut(name).unwrap());
    }

    pub(crate) fn remove(&self, name: &str) {
        self.bucket().objects.remove(name).unwrap();
    }

    /// How many uploads are neither completed nor aborted.
    pub(crate) fn open_uploads(&self) -> usize {
        self.bucket().uploads.len()
    }

    /// How many parts were being taken in at a time, at most.
    pub(crate) fn most_parts_at_once(&self) -> usize {
        self.world.parts.lock().unwrap().1
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.world.bucket.lock().unwrap()
    }
}

impl Drop for FakeS3 {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, world: Arc<World>) {
    while let Ok((stream, _)) = listener.accept().await {
        let world = Arc::clone(&world);
        let service = service_fn(move |request| reply(Arc::clone(&world), request));
        // Whoever asked may be gone.
        let serve = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { serve.await.unwrap_or_default() });
    }
}

async fn reply(
    world: Arc<World>,
    request: Request<Incoming>,
) -> Result<Response<answer::Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_or_else(|_| Bytes::new(), Collected::to_bytes);
    let mut asked = Asked::new(&head, body);
    world.asked.lock().unwrap().push(asked.clone());
    let answer = match world.take_fault(&asked) {
        Some(Fault::Refuse(status, code)) => refusal(status, code),
        Some(Fault::Delay(time)) => {
            world.counting_parts(&asked, tokio::time::sleep(time)).await;
            world.answer(&asked)
        }
        Some(Fault::AsIfRange(range)) => {
            asked.set_range(range);
            world.answer(&asked)
        }
        Some(Fault::CutBody) => world.answer(&asked).cut(),
        // Time for the others to come.
        None => {
            world.counting_parts(&asked, tokio::time::sleep(Duration::from_millis(1))).await;
            world.answer(&asked)
        }
    };
    Ok(answer.into_response(asked.operation == Operation::HeadObject))
}

impl World {
    fn answer(&self, asked: &Asked) -> Answer {
        if let Err(code) = asked.check() {
            return refusal(400, code);
        }
        self.bucket.lock().unwrap().answer(asked)
    }

    fn take_fault(&self, asked: &Asked) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(matches, _)| matches(asked))?;
        Some(faults.remove(at).1)
    }

    async fn counting_parts(&self, asked: &Asked, work: impl Future<Output = ()>) {
        let part = usize::from(asked.operation == Operation::UploadPart);
        {
            let mut parts = self.parts.lock().unwrap();
            parts.0 += part;
            parts.1 = parts.1.max(parts.0);
        }
        work.await;
        self.parts.lock().unwrap().0 -= part;
    }
}
