//! What S3 does with objects and uploads, as its reference says.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::{
    answer::{Answer, refusal},
    asked::{Asked, Operation, decoded},
};

/// The least of a part that is not the last.
const MIN_PART_LEN: usize = 5 << 20;

/// Everything that is stored, of all buckets.
#[derive(Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
    made: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) content_type: Option<String>,
    pub(crate) e_tag: String,
    /// How many parts it was sent in; none for one request.
    pub(crate) parts: usize,
}

pub(super) struct Upload {
    name: String,
    object: Object,
    parts: BTreeMap<u32, (String, Bytes)>,
}

impl Bucket {
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        let answer = match asked.operation {
            Operation::PutObject => self.put(asked),
            Operation::GetObject | Operation::HeadObject => self.get(asked),
            Operation::CopyObject => self.copy(asked),
            Operation::DeleteObject => {
                self.objects.remove(&asked.name);
                Ok(Answer::new(204, ""))
            }
            Operation::DeleteObjects => self.delete_all(asked),
            Operation::CreateUpload => Ok(self.create(asked)),
            Operation::UploadPart => self.part(asked),
            Operation::CompleteUpload => self.complete(asked),
            Operation::AbortUpload => self.abort(asked),
            Operation::Unknown => Err(refusal(405, "MethodNotAllowed")),
        };
        answer.unwrap_or_else(|refused| refused)
    }

    fn put(&mut self, asked: &Asked) -> Result<Answer, Answer> {
        self.check_conditions(asked)?;
        let e_tag = self.new_tag();
        let object =
            Object { body: asked.body.clone(), e_tag: e_tag.clone(), ..described_by(asked) };
        self.objects.insert(asked.name.clone(), object);
        Ok(Answer::new(200, "").header("etag", &e_tag))
    }

    fn get(&self, asked: &Asked) -> Result<Answer, Answer> {
        let missing = || refusal(404, "NoSuchKey");
        let object = self.objects.get(&asked.name).ok_or_else(missing)?;
        let whole = object.body.len();
        let mut answer = match asked.range() {
            None => Answer::new(200, object.body.clone()),
            Some(range) => {
                let unsatisfiable = || {
                    refusal(416, "InvalidRange")
                        .header("content-range", &format!("bytes */{whole}"))
                };
                let (start, end) = resolve(range, whole).ok_or_else(unsatisfiable)?;
                let told = format!("bytes {start}-{}/{whole}", end - 1);
                Answer::new(206, object.body.slice(start..end)).header("content-range", &told)
            }
        };
        for (name, value) in &object.metadata {
            answer = answer.header(&format!("x-amz-meta-{name}"), value);
        }
        if let Some(media_type) = &object.content_type {
            answer = answer.header("content-type", media_type);
        }
        Ok(answer.header("etag", &object.e_tag))
    }

    fn copy(&mut self, asked: &Asked) -> Result<Answer, Answer> {
        let source = decoded(&asked.headers["x-amz-copy-source"]);
        let object = self.objects.get(&source).cloned().ok_or(refusal(404, "NoSuchKey"))?;
        let condition = asked.headers.get("x-amz-copy-source-if-match");
        if condition.is_some_and(|e_tag| *e_tag != object.e_tag) {
            return Err(refusal(412, "PreconditionFailed"));
        }
        let e_tag = self.new_tag();
        let copy = Object { e_tag: e_tag.clone(), ..object };
        self.objects.insert(asked.name.clone(), copy);
        let body = format!("<CopyObjectResult><ETag>{e_tag}</ETag></CopyObjectResult>");
        Ok(Answer::new(200, body))
    }

    fn delete_all(&mut self, asked: &Asked) -> Result<Answer, Answer> {
        let keys = elements(&asked.body, "Key");
        if keys.is_empty() || keys.len() > 1_000 {
            return Err(refusal(400, "MalformedXML"));
        }
        let bucket = asked.name.trim_end_matches('/');
        let mut deleted = Vec::new();
        for key in keys {
            self.objects.remove(&format!("{bucket}/{key}"));
            let key = key.replace('&', "&amp;");
            deleted.push(format!("<Deleted><Key>{key}</Key></Deleted>"));
        }
        Ok(Answer::new(200, format!("<DeleteResult>{}</DeleteResult>", deleted.concat())))
    }

    fn create(&mut self, asked: &Asked) -> Answer {
        let id = format!("upload-{}", self.new_tag().trim_matches('"'));
        let body = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        let (name, object) = (asked.name.clone(), described_by(asked));
        self.uploads.insert(id, Upload { name, object, parts: BTreeMap::new() });
        Answer::new(200, body)
    }

    fn part(&mut self, asked: &Asked) -> Result<Answer, Answer> {
        let e_tag = self.new_tag();
        let upload = self.uploads.get_mut(&asked.query["uploadId"]).ok_or_else(no_upload)?;
        let number = asked.query["partNumber"].parse().ok();
        let number = number.filter(|number| (1..=10_000).contains(number));
        let number = number.ok_or_else(|| refusal(400, "InvalidArgument"))?;
        upload.parts.insert(number, (e_tag.clone(), asked.body.clone()));
        Ok(Answer::new(200, "").header("etag", &e_tag))
    }

    fn complete(&mut self, asked: &Asked) -> Result<Answer, Answer> {
        let id = &asked.query["uploadId"];
        let upload = self.uploads.get(id).ok_or_else(no_upload)?;
        let numbers = elements(&asked.body, "PartNumber");
        let numbers: Vec<u32> = numbers.iter().map(|number| number.parse().unwrap()).collect();
        let tags = elements(&asked.body, "ETag");
        if !numbers.is_sorted_by(|one, next| one < next) || numbers.len() != tags.len() {
            return Err(refusal(400, "InvalidPartOrder"));
        }
        let mut body = BytesMut::new();
        for (at, (number, tag)) in numbers.iter().zip(&tags).enumerate() {
            let part = upload.parts.get(number).filter(|(e_tag, _)| e_tag == tag);
            let (_, part) = part.ok_or_else(|| refusal(400, "InvalidPart"))?;
            if part.len() < MIN_PART_LEN && at + 1 < numbers.len() {
                return Err(refusal(400, "EntityTooSmall"));
            }
            body.extend_from_slice(part);
        }
        self.check_conditions(asked)?;
        let e_tag = self.new_tag();
        let upload = self.uploads.remove(id).ok_or_else(no_upload)?;
        let (body, parts) = (body.freeze(), numbers.len());
        let object = Object { body, e_tag: e_tag.clone(), parts, ..upload.object };
        self.objects.insert(upload.name, object);
        let body = format!(
            "<CompleteMultipartUploadResult><ETag>{e_tag}</ETag></CompleteMultipartUploadResult>"
        );
        Ok(Answer::new(200, body))
    }

    fn abort(&mut self, asked: &Asked) -> Result<Answer, Answer> {
        self.uploads.remove(&asked.query["uploadId"]).ok_or_else(no_upload)?;
        Ok(Answer::new(204, ""))
    }

    fn check_conditions(&self, asked: &Asked) -> Result<(), Answer> {
        let there = self.objects.get(&asked.name);
        let none = asked.headers.get("if-none-match").is_none_or(|_| there.is_none());
        let same = asked
            .headers
            .get("if-match")
            .is_none_or(|condition| there.is_some_and(|there| there.e_tag == *condition));
        if none && same { Ok(()) } else { Err(refusal(412, "PreconditionFailed")) }
    }

    fn new_tag(&mut self) -> String {
        self.made += 1;
        format!("\"{:032x}\"", self.made)
    }
}

fn described_by(asked: &Asked) -> Object {
    let content_type = asked.headers.get("content-type").cloned();
    Object { metadata: asked.metadata(), content_type, ..Object::default() }
}

fn no_upload() -> Answer {
    refusal(404, "NoSuchUpload")
}

/// The bytes that a range names, of so many.
fn resolve(range: &str, whole: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start.parse::<usize>().ok(), end.parse::<usize>().ok()) {
        (None, Some(count)) => (whole.saturating_sub(count), whole),
        (Some(start), last) => (start, last.map_or(whole, |last| whole.min(last + 1))),
        (None, None) => return None,
    };
    (start < end).then_some((start, end))
}

/// The texts of all elements of a name.
fn elements(xml: &[u8], name: &str) -> Vec<String> {
    let xml = std::str::from_utf8(xml).unwrap();
    let opening = format!("<{name}>");
    let texts = xml.split(&opening).skip(1);
    let texts = texts.map(|rest| rest.split("</").next().unwrap());
    texts.map(|text| text.replace("&quot;", "\"").replace("&amp;", "&")).collect()
}
