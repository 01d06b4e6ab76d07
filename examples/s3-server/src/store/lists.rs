//! Lists of objects.

use std::{collections::BTreeSet, ops::Bound};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};

use super::{BucketName, Error, ObjectKey, ObjectRecord, Result, Store, paths, uploads::UNDER_WAY};

/// What of a bucket is listed.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Keys that begin so.
    pub prefix: String,
    /// Keys that have this behind the prefix are listed by what comes before it, as one.
    pub delimiter: String,
    /// Only what comes behind this key or common prefix.
    pub after: String,
    /// At most so many keys and common prefixes.
    pub limit: usize,
}

/// A page of a list, in the order of the keys' bytes.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Keys and common prefixes.
    pub found: Vec<Listed>,
    /// Whether there are more behind the last.
    pub truncated: bool,
}

/// One entry of a list.
#[derive(Clone, Debug)]
pub enum Listed {
    /// An object.
    Object(ObjectKey, Box<ObjectRecord>),
    /// What several keys begin with, up to the delimiter.
    CommonPrefix(String),
}

/// An entry before its record is read.
enum Entry {
    Object(ObjectKey),
    CommonPrefix(String),
}

impl Store {
    /// Lists a bucket's objects. No key is needed, and no body is read.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn list(&self, bucket: &BucketName, query: &Query) -> Result<Page> {
        self.bucket(bucket).await?;
        let mut entries = entries(&self.keys(bucket).await?, query);
        let truncated = entries.len() > query.limit;
        entries.truncate(query.limit);
        let found: Vec<_> =
            entries.into_iter().map(|entry| self.look_up(bucket, entry).boxed()).collect();
        let found: Vec<_> = futures::stream::iter(found).buffered(UNDER_WAY).try_collect().await?;
        Ok(Page { found: found.into_iter().flatten().collect(), truncated })
    }

    /// All keys of a bucket.
    pub(super) async fn keys(&self, bucket: &BucketName) -> Result<BTreeSet<ObjectKey>> {
        let folder = paths::folder(bucket);
        let mut found = self.objects().list(Some(&folder));
        let mut keys = BTreeSet::new();
        while let Some(meta) = found.try_next().await? {
            keys.extend(ObjectKey::from_path(bucket, &meta.location));
        }
        Ok(keys)
    }

    /// The entry with its record; none if the object has gone meanwhile.
    async fn look_up(&self, bucket: &BucketName, entry: Entry) -> Result<Option<Listed>> {
        Ok(match entry {
            Entry::CommonPrefix(prefix) => Some(Listed::CommonPrefix(prefix)),
            Entry::Object(key) => {
                let record = match self.read(&key.path(bucket)).await {
                    // One damaged record must not keep the others from being listed.
                    Err(Error::Damaged { path, error }) => {
                        tracing::error!(%path, %error, "a record is damaged, and not listed");
                        None
                    }
                    found => found?,
                };
                record.map(|record| Listed::Object(key, Box::new(record)))
            }
        })
    }
}

/// One entry more than the limit, if there are as many.
fn entries(keys: &BTreeSet<ObjectKey>, query: &Query) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let from = ObjectKey::parse(query.prefix.as_str().max(query.after.as_str()));
    let from = from.as_ref().map_or(Bound::Unbounded, Bound::Included);
    for key in keys.range((from, Bound::Unbounded)) {
        let Some(rest) = key.as_str().strip_prefix(&query.prefix) else { break };
        if entries.len() > query.limit {
            break;
        }
        let cut = rest.find(&query.delimiter).filter(|_| !query.delimiter.is_empty());
        if let Some(cut) = cut {
            let end = query.prefix.len() + cut + query.delimiter.len();
            let prefix = &key.as_str()[..end];
            let last = matches!(entries.last(), Some(Entry::CommonPrefix(last)) if last == prefix);
            // A page that ended with this prefix has had it.
            if !last && prefix > query.after.as_str() && !query.after.starts_with(prefix) {
                entries.push(Entry::CommonPrefix(prefix.to_owned()));
            }
        } else if key.as_str() > query.after.as_str() {
            entries.push(Entry::Object(key.clone()));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(keys: &[&str], query: &Query) -> Vec<String> {
        let keys = keys.iter().map(|key| ObjectKey::parse(*key).unwrap()).collect();
        let name = |entry| match entry {
            Entry::Object(key) => key.as_str().to_owned(),
            Entry::CommonPrefix(prefix) => format!("{prefix}*"),
        };
        entries(&keys, query).into_iter().map(name).collect()
    }

    #[test]
    fn keys_come_in_the_order_of_their_bytes_and_folders_once() {
        let keys = ["b/2", "a", "b/1", "b", "c/x/y", "B", "b0", "\u{e9}"];
        let mut query = Query { limit: 100, ..Query::default() };
        assert_eq!(names(&keys, &query), ["B", "a", "b", "b/1", "b/2", "b0", "c/x/y", "é"]);
        query.delimiter = "/".into();
        assert_eq!(names(&keys, &query), ["B", "a", "b", "b/*", "b0", "c/*", "é"]);
        query.prefix = "b/".into();
        assert_eq!(names(&keys, &query), ["b/1", "b/2"]);
        query.prefix = "c/".into();
        assert_eq!(names(&keys, &query), ["c/x/*"]);
    }

    #[test]
    fn pages_of_any_length_give_every_entry_once() {
        let keys = ["a", "b/1", "b/2", "b/3", "b0", "c/x", "c/y", "d"];
        for delimiter in ["", "/"] {
            let whole = Query { limit: 100, delimiter: delimiter.into(), ..Query::default() };
            let all = names(&keys, &whole);
            for limit in 1..=all.len() {
                let (mut seen, mut query) = (Vec::new(), Query { limit, ..whole.clone() });
                loop {
                    let mut page = names(&keys, &query);
                    let more = page.len() > limit;
                    page.truncate(limit);
                    seen.extend(page);
                    if !more {
                        break;
                    }
                    query.after = seen.last().unwrap().trim_end_matches('*').to_owned();
                }
                assert_eq!(seen, all, "pages of {limit}");
            }
        }
    }
}
