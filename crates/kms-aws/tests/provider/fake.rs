//! AWS KMS on a port of this machine, with the rules of the real one and faults at will.

mod http;
mod rules;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use http::Request;
pub(crate) use rules::{ACCOUNT, Spec, State, World};

/// Whose signatures are taken.
pub(crate) const ACCESS_KEY: &str = "EXAMPLEACCESSKEY";

/// The KMS of one region. It ends when it is dropped.
pub(crate) struct Fake {
    pub(crate) endpoint: String,
    region: Arc<Region>,
    task: JoinHandle<()>,
}

/// What goes wrong with a call.
#[derive(Clone)]
pub(crate) enum Fault {
    /// The answer comes, but late.
    Delay(Duration),
    /// No answer comes, and the connection stays.
    Hang,
    /// Half of the answer comes, and the connection stays.
    HangInBody,
    /// The connection ends without an answer.
    Close,
    /// The connection ends in the middle of the answer.
    Cut,
    /// An error.
    Refuse(u16, &'static str),
    /// What does not come from a KMS.
    Page(u16, &'static str),
    /// The answer is another one.
    Change(fn(&mut Value)),
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) body: Value,
}

struct Region {
    name: &'static str,
    world: Arc<Mutex<World>>,
    asked: Mutex<Vec<Asked>>,
    faults: Mutex<HashMap<usize, Fault>>,
}

impl Fake {
    /// A KMS without keys.
    pub(crate) async fn start(region: &'static str) -> Self {
        Self::over(region, Arc::default()).await
    }

    /// The KMS of another region of the same world.
    pub(crate) async fn in_region(&self, region: &'static str) -> Self {
        Self::over(region, Arc::clone(&self.region.world)).await
    }

    async fn over(name: &'static str, world: Arc<Mutex<World>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (asked, faults) = (Mutex::default(), Mutex::default());
        let region = Arc::new(Region { name, world, asked, faults });
        let task = tokio::spawn(Arc::clone(&region).serve(listener));
        Self { endpoint, region, task }
    }

    /// Its keys, to be changed.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.region.world.lock().unwrap()
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.region.asked.lock().unwrap().clone()
    }

    /// The next call fails.
    pub(crate) fn fail(&self, fault: Fault) {
        self.fail_at(self.asked().len(), fault);
    }

    /// A call fails, by its number from the first on, which is 0.
    pub(crate) fn fail_at(&self, call: usize, fault: Fault) {
        self.region.faults.lock().unwrap().insert(call, fault);
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Region {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).converse(stream));
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(request) = http::read(&mut stream).await {
            if !self.reply(&request, &mut stream).await {
                break;
            }
        }
    }

    /// Whether the connection goes on.
    async fn reply(&self, request: &Request, stream: &mut BufReader<TcpStream>) -> bool {
        let (call, answer) = self.decide(request);
        let fault = self.faults.lock().unwrap().remove(&call);
        let (status, mut body) = answer;
        match fault {
            Some(Fault::Change(change)) => change(&mut body),
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Close) => return false,
            Some(Fault::HangInBody) => {
                http::write(stream, call, status, &body.to_string(), 2).await;
                std::future::pending::<()>().await;
            }
            Some(Fault::Cut) => {
                http::write(stream, call, status, &body.to_string(), 2).await;
                return false;
            }
            Some(Fault::Refuse(status, code)) => {
                let body = rules::refusal(code, "as the test wants");
                http::write(stream, call, status, &body.to_string(), 1).await;
                return true;
            }
            Some(Fault::Page(status, page)) => {
                http::write(stream, call, status, page, 1).await;
                return true;
            }
            None => {}
        }
        http::write(stream, call, status, &body.to_string(), 1).await;
        true
    }

    /// The number of the call, and what a KMS answers.
    fn decide(&self, request: &Request) -> (usize, (u16, Value)) {
        let operation = request.operation().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut asked = self.asked.lock().unwrap();
        let call = asked.len();
        asked.push(Asked { operation: operation.clone(), body: body.clone() });
        drop(asked);
        let answer = request
            .check(self.name)
            .and_then(|()| self.world.lock().unwrap().answer(self.name, &operation, &body));
        let answer = match answer {
            Ok(body) => (200, body),
            Err((code, message)) => (400, rules::refusal(code, &message)),
        };
        (call, answer)
    }
}
