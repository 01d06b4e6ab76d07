//! The seeds and everything that was ever kept, through the targets on stable.

use std::{fs, path::Path};

use object_cipher_fuzz::{run, seeds};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_seed_is_run() {
    let seeds = seeds(&here().join("../vectors")).unwrap();
    assert!(seeds.len() > 1_000);
    for (target, seed) in seeds {
        run(target, &seed);
    }
}

#[test]
fn every_kept_input_is_run() {
    for folder in fs::read_dir(here().join("regressions")).unwrap() {
        let folder = folder.unwrap();
        let target = folder.file_name().into_string().unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            run(&target, &fs::read(file.unwrap().path()).unwrap());
        }
    }
}
