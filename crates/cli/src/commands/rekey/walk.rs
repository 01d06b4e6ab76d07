//! Which paths are walked, as the command line says.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use futures_util::{StreamExt as _, stream};
use object_cipher_object_store::rekey::{Failure, Manifest, Walk};
use object_store::path::Path as StorePath;

use crate::{
    args::WalkArgs,
    error::{Error, Result},
    files::cannot_open,
};

/// What reports and journals call it.
pub(super) fn name(args: &WalkArgs) -> String {
    match &args.prefix {
        Some(prefix) => format!("{}, under {prefix}/", args.store),
        None => args.store.to_string(),
    }
}

pub(super) fn walk(args: &WalkArgs) -> Result<Walk> {
    match manifest(args)? {
        Some((manifest, files)) => Ok(Walk::paths(stream::iter(paths(&manifest, &files)?).boxed())),
        None => Ok(Walk::list(args.prefix.clone())),
    }
}

/// How many paths a manifest has for the shard. A list tells only when it ends.
pub(super) fn total(args: &WalkArgs) -> Result<Option<u64>> {
    let Some((manifest, files)) = manifest(args)? else { return Ok(None) };
    let mine = paths(&manifest, &files)?
        .filter(|path| path.as_ref().map_or(true, |path| args.shard.has(path)));
    Ok(Some(mine.count() as u64))
}

type Paths = Box<dyn Iterator<Item = Result<StorePath, Failure>> + Send>;

/// The paths in all files, each of which is opened at once, so that none is found missing halfway.
fn paths(manifest: &Manifest, files: &[PathBuf]) -> Result<Paths> {
    let mut all: Paths = Box::new(std::iter::empty());
    for path in files {
        let file = File::open(path).map_err(cannot_open(path))?;
        all = Box::new(all.chain(manifest.paths(file)?));
    }
    Ok(all)
}

fn manifest(args: &WalkArgs) -> Result<Option<(Manifest, Vec<PathBuf>)>> {
    let manifest = match &args.manifest_json {
        Some(path) => Manifest::parse(&fs::read(path).map_err(cannot_open(path))?)?,
        None if args.manifest.is_empty() => return Ok(None),
        None => Manifest::default(),
    };
    let files = match &args.manifest_json {
        Some(json) if args.manifest.is_empty() => {
            manifest.files().iter().map(|key| beside(json, key)).collect::<Result<_>>()?
        }
        _ => args.manifest.clone(),
    };
    let manifest = match args.store.bucket() {
        Some(bucket) => manifest.of_bucket(bucket),
        None => manifest,
    };
    Ok(Some((manifest.under(args.store.prefix()), files)))
}

/// A data file of an inventory, which S3 put in the folder `data` beside that of the manifest.json.
fn beside(json: &Path, key: &str) -> Result<PathBuf> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let folder = json.parent().unwrap_or(Path::new(""));
    let places = ["", "data", "../data"].map(|place| folder.join(place).join(name));
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.ok_or_else(|| Error::NotThere(folder.join(name)))
}
