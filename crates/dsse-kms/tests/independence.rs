//! The two libraries have nothing in common (D2).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

use serde_json::Value;

#[test]
fn d2_two_layers_of_one_lineage_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

#[test]
fn d2_neither_layers_crates_reach_the_library_of_the_other() {
    let graph = Graph::of_this_workspace();
    let [core, rustcrypto, aws_lc] =
        ["core", "rustcrypto", "aws-lc"].map(|name| graph.reach(&format!("object-cipher-{name}")));
    for (reached, own, others) in [
        (&rustcrypto, ["aes-gcm", "sha2", "hmac"], ["aws-lc-rs", "aws-lc-sys", "ring"]),
        (&aws_lc, ["aws-lc-rs", "aws-lc-sys", "subtle"], ["aes-gcm", "sha2", "aes"]),
    ] {
        assert!(
            own.iter().all(|name| reached.contains(*name)),
            "the graph was not read: {reached:?}"
        );
        assert!(others.iter().all(|name| !reached.contains(*name)), "{reached:?}");
    }
    // Core, which has no cryptography of its own, and nothing beside it.
    let shared: BTreeSet<_> = rustcrypto.intersection(&aws_lc).cloned().collect();
    assert!(shared.is_subset(&core), "shared by both layers: {shared:?}");
}

/// Which package links which others, all features on.
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    fn of_this_workspace() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
        let told = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--all-features"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let packages = told["packages"].as_array().unwrap().iter();
        let names: BTreeMap<_, _> =
            packages.map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let nodes = told["resolve"]["nodes"].as_array().unwrap().iter();
        Self(
            nodes
                .map(|node| {
                    let links =
                        node["deps"].as_array().unwrap().iter().filter(|link| is_linked(link));
                    let links = links.map(|link| names[&text(&link["pkg"])].clone()).collect();
                    (names[&text(&node["id"])].clone(), links)
                })
                .fold(BTreeMap::new(), |mut graph, (name, links): (_, BTreeSet<String>)| {
                    // Of several versions of one crate, what any of them links.
                    graph.entry(name).or_insert_with(BTreeSet::new).extend(links);
                    graph
                }),
        )
    }

    /// A package and everything that it links.
    fn reach(&self, package: &str) -> BTreeSet<String> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![package.to_owned()]);
        while let Some(name) = next.pop() {
            if reached.insert(name.clone()) {
                next.extend(self.0.get(&name).into_iter().flatten().cloned());
            }
        }
        reached
    }
}

/// Neither for tests nor for building.
fn is_linked(link: &Value) -> bool {
    link["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
