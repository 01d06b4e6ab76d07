//! Which paths are walked, as the command line says.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use object_cipher_object_store::rekey::{Failure, Manifest, Walk};
use object_store::path::Path as StorePath;

use crate::{
    args::WalkArgs,
    error::{Error, Result},
    files::cannot_open,
};

/// Which objects are walked, and of which bucket they have to be.
#[derive(Clone, Copy)]
pub(super) struct WalkOf<'a> {
    pub(super) args: &'a WalkArgs,
    pub(super) bucket: Option<&'a str>,
}

type Paths = Box<dyn Iterator<Item = Result<StorePath, Failure>> + Send>;

impl WalkOf<'_> {
    /// What reports and journals call it.
    pub(super) fn name(self) -> String {
        match &self.args.prefix {
            Some(prefix) => format!("{}, under {prefix}/", self.args.store),
            None => self.args.store.to_string(),
        }
    }

    pub(super) fn walk(self) -> Result<Walk> {
        match self.manifest()? {
            Some((manifest, files)) => Ok(Walk::of(paths(&manifest, &files)?)),
            None => Ok(Walk::list(self.args.prefix.clone())),
        }
    }

    /// How many paths a manifest has for the shard. A list tells only when it ends.
    pub(super) fn total(self) -> Result<Option<u64>> {
        let Some((manifest, files)) = self.manifest()? else { return Ok(None) };
        let mine = paths(&manifest, &files)?
            .filter(|path| path.as_ref().map_or(true, |path| self.args.shard.has(path)));
        Ok(Some(mine.count() as u64))
    }

    fn manifest(self) -> Result<Option<(Manifest, Vec<PathBuf>)>> {
        let args = self.args;
        let manifest = match &args.manifest_json {
            Some(path) => {
                let json = fs::read(path).map_err(cannot_open(path))?;
                Manifest::parse(&json).map_err(Error::manifest(path))?
            }
            None if args.manifest.is_empty() => return Ok(None),
            None => Manifest::default(),
        };
        let files = match &args.manifest_json {
            Some(json) if args.manifest.is_empty() => {
                manifest.files().iter().map(|key| beside(json, key)).collect::<Result<_>>()?
            }
            _ => args.manifest.clone(),
        };
        let manifest = match self.bucket {
            Some(bucket) => manifest.of_bucket(bucket),
            None => manifest,
        };
        Ok(Some((manifest.under(args.store.prefix()), files)))
    }
}

/// The paths in all files, each of which is opened at once, so that none is found missing halfway.
fn paths(manifest: &Manifest, files: &[PathBuf]) -> Result<Paths> {
    let mut all: Paths = Box::new(std::iter::empty());
    for path in files {
        let file = File::open(path).map_err(cannot_open(path))?;
        let found = manifest.paths(file).map_err(Error::manifest(path))?;
        let name = path.display().to_string();
        all = Box::new(all.chain(found.map(move |row| row.map_err(|fault| of_file(&name, fault)))));
    }
    Ok(all)
}

/// What is wrong with a row, and in which file.
fn of_file(file: &str, fault: Failure) -> Failure {
    let Failure { path, reason } = fault;
    Failure { path, reason: format!("{reason} (in {file})") }
}

/// A data file of an inventory, which S3 put in the folder `data` beside that of the manifest.json.
fn beside(json: &Path, key: &str) -> Result<PathBuf> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let folder = json.parent().unwrap_or(Path::new(""));
    let places = ["", "data", "../data"].map(|place| folder.join(place).join(name));
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.ok_or_else(|| Error::NotThere(folder.join(name)))
}
