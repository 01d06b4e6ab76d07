//! Every program is run, and what it says is what it should.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use embedding::{Object, Result, customer_headers, tiny};
use object_cipher::{
    AwsLc, ClientKeys, ClientSide, ObjectContext, ReadRange, SourceKey, resolve_now,
};

/// What a program writes, line by line.
fn said(program: &str) -> Result<Vec<String>> {
    let output = Command::new(program).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

#[test]
fn sse_s3() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_sse_s3"))?;
    let expected = [
        "sealed 90 bytes",
        "version 2 wraps",
        "opened: a picture of a cat",
        "refused under the old name: true",
    ];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn sse_kms() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_sse_kms"))?;
    let expected = [
        "opened: a picture of a cat",
        "refused under another context: true",
        "refused while disabled: true",
        "opened once enabled: true",
    ];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn dsse_kms() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_dsse_kms"))?;
    let expected = [
        "2 layers, 144 bytes more than the content",
        "opened: a plan of a bridge",
        "refused when damaged: true",
    ];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn sse_c() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_sse_c"))?;
    assert_eq!(said[0], "opened: a picture of a cat");
    assert_eq!(said[1], "another key: 403 Forbidden");
    assert!(said[2].starts_with("no key: The object was stored using a form of"), "{}", said[2]);
    assert_eq!(said[3..], ["under the new key: true", "under the old key: false"]);
    Ok(())
}

#[test]
fn client_side() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_client_side"))?;
    assert!(said[0].starts_with("object-cipher-envelope: "), "{}", said[0]);
    assert!(said[0].ends_with(" characters; body: 90 bytes"), "{}", said[0]);
    assert_eq!(said[1..], ["opened: a picture of a cat", "refused under another name: true"]);
    Ok(())
}

#[test]
fn range_read() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_range_read"))?;
    let expected = [
        "100 bytes out of 16400 fetched",
        "10 bytes out of 592 fetched",
        "1 bytes out of 592 fetched",
        "read at 500000 of 1000000",
        "behind the end is refused: true",
    ];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn multipart() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_multipart"))?;
    assert_eq!(said, ["28 bytes in 2 parts", "bytes 10 to 27: a cat and of a dog"]);
    Ok(())
}

#[test]
fn custom_kms() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_custom_kms"))?;
    let expected = ["the object keeps the key's id: drawer:photos", "opened: a picture of a cat"];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn custom_backend() -> Result<()> {
    let said = said(env!("CARGO_BIN_EXE_custom_backend"))?;
    let expected = [
        "opened by aws-lc: a picture of a cat",
        "opened by rustcrypto: a picture of a cat",
        "refused without randomness: true",
    ];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn service() -> Result<()> {
    let service = Service::start()?;
    let (key, other) = (customer_headers(&[7; 32])?, customer_headers(&[8; 32])?);
    let none = http::HeaderMap::new();

    let put = service.ask("PUT", &key, "a picture of a cat")?;
    assert!(put.starts_with("HTTP/1.1 200 "), "{put}");
    assert!(put.contains("x-amz-server-side-encryption-customer-algorithm: AES256"), "{put}");
    let got = service.ask("GET", &key, "")?;
    assert!(
        got.starts_with("HTTP/1.1 200 ") && got.ends_with("\r\n\r\na picture of a cat"),
        "{got}"
    );

    let wrong = service.ask("GET", &other, "")?;
    assert!(wrong.starts_with("HTTP/1.1 403 ") && wrong.contains("AccessDenied"), "{wrong}");
    let missing = service.ask("GET", &none, "")?;
    assert!(
        missing.starts_with("HTTP/1.1 400 ") && missing.contains("InvalidRequest"),
        "{missing}"
    );
    let mode = service.ask("PUT", &none, "a dog")?;
    assert!(mode.starts_with("HTTP/1.1 501 "), "{mode}");
    Ok(())
}

#[test]
fn tiny_program() -> Result<()> {
    assert_eq!(said(env!("CARGO_BIN_EXE_tiny"))?, ["opened 18 bytes"]);
    Ok(())
}

#[test]
fn tiny_opens_ranges_of_what_a_server_sealed() -> Result<()> {
    let key: [u8; 32] = std::array::from_fn(|at| at.to_le_bytes()[0]);
    let keys = ClientKeys::new("page", SourceKey::from_bytes(&key))?;
    let cx = ObjectContext::new("page", "photos", "cat.txt");
    let content: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let cipher = ClientSide::with_keys(keys, AwsLc);
    let put = Object::put(&cipher, &cx, &content);
    let object = resolve_now(put).ok_or("it waits")??;

    let fetch = |at: std::ops::Range<u64>| {
        object.body[usize::try_from(at.start).unwrap()..usize::try_from(at.end).unwrap()].to_vec()
    };
    let range = ReadRange::Bytes(40_000..60_000);
    assert_eq!(tiny::open(&key, &cx, &object.envelope, &range, fetch)?, content[40_000..60_000]);
    assert!(tiny::open(&[9; 32], &cx, &object.envelope, &range, fetch).is_err());
    Ok(())
}

/// The service while it runs.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start() -> Result<Self> {
        let mut process =
            Command::new(env!("CARGO_BIN_EXE_service")).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("it has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().trim_start_matches("http://").to_owned();
        Ok(Self { process, address })
    }

    /// A request for `/cat.jpg`, and all of the answer.
    fn ask(&self, method: &str, headers: &http::HeaderMap, content: &str) -> Result<String> {
        let mut request = format!(
            "{method} /cat.jpg HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.address,
            content.len()
        );
        for (name, value) in headers {
            request.extend([name.as_str(), ": ", value.to_str()?, "\r\n"]);
        }
        let mut connection = TcpStream::connect(&self.address)?;
        connection.write_all(format!("{request}\r\n{content}").as_bytes())?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
