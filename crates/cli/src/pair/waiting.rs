//! What waits under staged names, and whether it counts.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

use super::Pair;
use crate::{
    error::{Error, Result},
    files::{is_there, look_at},
    output::{Folder, remove_if_there, staged},
};

/// The new files of a pair after step 2, until they have their places.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) record: PathBuf,
    /// None after step 3, and when only the record is replaced.
    pub(super) body: Option<PathBuf>,
}

impl Waiting {
    /// What waits beside a pair. One look decides for each file: whose it is cannot change where
    /// that matters.
    pub(super) fn look(pair: &Pair, folder: &Folder) -> Result<Option<Self>> {
        let (old_record, old_body) = (owner(&pair.record)?, owner(&pair.body)?);
        let (record, body) = (staged(&pair.record), staged(&pair.body));
        // Where there is nothing yet, what this user staged counts for him.
        let place = old_record.or(old_body).unwrap_or_else(|| geteuid().as_raw());
        let Some(new_record) = counting(&record, place, folder)? else { return Ok(None) };
        let new_body = counting(&body, old_body.unwrap_or(new_record.uid()), folder)?;
        Ok(Some(Self { record, body: new_body.map(|_| body) }))
    }

    /// Step 3, if it is still to be taken.
    pub(super) fn place_body(&self, pair: &Pair, folder: &Folder) -> Result<()> {
        let Some(body) = &self.body else { return Ok(()) };
        fs::rename(body, &pair.body).map_err(Error::io("finish replacing", &pair.body))?;
        folder.sync()
    }

    /// Step 4.
    pub(super) fn place_record(&self, pair: &Pair, folder: &Folder) -> Result<()> {
        let failed = Error::io("finish replacing", &pair.body);
        fs::rename(&self.record, &pair.record).map_err(failed)?;
        folder.sync()
    }

    /// Takes steps 1 and 2 back, unless the body has its place already: then there is no way back,
    /// and the next run goes on.
    pub(super) fn withdraw(&self) {
        let is_placed = |body| !matches!(is_there(body), Ok(true));
        if self.body.as_deref().is_some_and(is_placed) {
            return;
        }
        // The record first: it is what makes the body current.
        if remove_if_there(&self.record).is_ok() {
            self.withdraw_body();
        }
    }

    /// Takes step 1 back.
    pub(super) fn withdraw_body(&self) {
        let _ = self.body.as_deref().map(remove_if_there);
    }
}

/// Frees a staged name of what is current for nobody.
pub(super) fn clear(staged: &Path, folder: &Folder) -> Result<()> {
    expect_changeable(staged, folder)?;
    remove_if_there(staged)
}

/// Removes a staged body that a new record would make current; another user's may stay.
pub(super) fn clear_body_that_counts(pair: &Pair, folder: &Folder) -> Result<()> {
    let staged = staged(&pair.body);
    let place = owner(&pair.body)?.unwrap_or_else(|| geteuid().as_raw());
    match counting(&staged, place, folder)? {
        Some(_) => clear(&staged, folder),
        None => Ok(()),
    }
}

/// Refuses a file that is another user's to rename and to remove.
pub(super) fn expect_changeable(path: &Path, folder: &Folder) -> Result<()> {
    match owner(path)? {
        Some(owner) if !folder.lets_change(geteuid().as_raw(), owner)? => {
            Err(Error::OtherOwner(path.to_path_buf()))
        }
        _ => Ok(()),
    }
}

/// The staged file, if its owner may put it in the place of a file of the owner `place`.
fn counting(staged: &Path, place: u32, folder: &Folder) -> Result<Option<Metadata>> {
    let Some(found) = look_at(staged)? else { return Ok(None) };
    if !folder.lets_change(found.uid(), place)? {
        return Ok(None);
    }
    if found.is_file() { Ok(Some(found)) } else { Err(Error::NotAFile(staged.to_path_buf())) }
}

fn owner(path: &Path) -> Result<Option<u32>> {
    Ok(look_at(path)?.map(|found| found.uid()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Waiting;
    use crate::{output::Folder, pair::Pair};

    #[test]
    fn a_replacement_is_taken_back_only_while_the_old_body_has_its_place() {
        for is_placed in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let pair = Pair::new(&folder.path().join("a")).unwrap();
            for name in ["a", "a.envelope", "new", "new.envelope"] {
                fs::write(folder.path().join(name), name).unwrap();
            }
            let [record, body] = ["new.envelope", "new"].map(|name| folder.path().join(name));
            let waiting = Waiting { record, body: Some(body) };
            if is_placed {
                let locked = Folder::open_locked(folder.path()).unwrap();
                waiting.place_body(&pair, &locked).unwrap();
            }
            waiting.withdraw();
            assert_eq!(waiting.record.exists(), is_placed);
            let body = fs::read_to_string(pair.body_path()).unwrap();
            assert_eq!(body, if is_placed { "new" } else { "a" });
            assert_eq!(fs::read_dir(&folder).unwrap().count(), if is_placed { 3 } else { 2 });
        }
    }
}
