//! As much of HTTP as the AWS JSON wire needs.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{ACCESS_KEY, rules::Refusal};

/// A request.
pub(super) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// What is asked for.
    pub(super) fn operation(&self) -> Option<&str> {
        self.header("x-amz-target")?.strip_prefix("TrentService.")
    }

    /// Whether it is as KMS takes it, signed for this region. The signature itself is the SDK's.
    pub(super) fn check(&self, region: &str) -> Result<(), Refusal> {
        if self.line != "POST / HTTP/1.1"
            || self.header("content-type") != Some("application/x-amz-json-1.1")
            || self.operation().is_none()
        {
            return Err(("UnknownOperationException", String::new()));
        }
        let date = self.header("x-amz-date").and_then(|date| date.get(..8)).unwrap_or_default();
        let credential = self
            .header("authorization")
            .and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256 Credential="))
            .and_then(|text| text.split_once(", "));
        let Some((credential, signature)) = credential else {
            return Err(("MissingAuthenticationTokenException", String::new()));
        };
        if !credential.starts_with(&format!("{ACCESS_KEY}/")) {
            return Err(("UnrecognizedClientException", "an unknown access key".to_owned()));
        }
        let scope = format!("{ACCESS_KEY}/{date}/{region}/kms/aws4_request");
        let signs = ["host", "x-amz-date", "x-amz-target"];
        if credential != scope || !signs.iter().all(|name| signature.contains(name)) {
            return Err(("InvalidSignatureException", "another scope".to_owned()));
        }
        Ok(())
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The next request of a connection.
pub(super) async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = line(stream).await?;
    let mut headers = Vec::new();
    loop {
        let line = self::line(stream).await?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request { line, headers, body: Vec::new() };
    let length = request.header("content-length")?.parse().ok()?;
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

/// An answer, or the first part of one.
pub(super) async fn write(
    stream: &mut BufReader<TcpStream>,
    call: usize,
    status: u16,
    body: &str,
    of: usize,
) {
    let head = format!(
        "HTTP/1.1 {status} .\r\ncontent-type: application/x-amz-json-1.1\r\n\
         content-length: {}\r\nx-amzn-requestid: request-{call}\r\n\r\n",
        body.len()
    );
    let answer = [head.as_bytes(), &body.as_bytes()[..body.len() / of]].concat();
    // Whoever asked may be gone.
    let _ = stream.write_all(&answer).await;
    let _ = stream.flush().await;
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.ends_with("\r\n").then(|| line.trim_end().to_owned())
}
