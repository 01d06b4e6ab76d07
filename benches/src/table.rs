//! The results as Markdown.

use std::fmt::Write;

use serde_json::Value;

const BEGIN: &str = "<!-- benches:begin -->";
const END: &str = "<!-- benches:end -->";

/// A table of all rows, and a line on where they come from.
pub(crate) fn markdown(results: &Value) -> String {
    let mut out = String::from(
        "| what | against, in the same run | library | measured | aim | speed |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in list(&results["rows"]) {
        let speed = speed(&row["details"]);
        let missed = if row["holds"] == true { "" } else { ", missed" };
        let value = number(&row["value"]);
        let [what, against, library] = ["ours", "against", "library"].map(|name| text(&row[name]));
        let bound = bound(&row["bound"]);
        let _ = writeln!(
            out,
            "| {what} | {against} | {library} | **{value}** | {bound}{missed} | {speed} |",
        );
    }
    let machine = &results["machine"];
    let features: Vec<_> = list(&machine["features"]).iter().map(text).collect();
    let _ = writeln!(
        out,
        "\nMedians of {} rounds, both cases in turn. One thread: processor time, content of up to 4 MiB \
         out of the caches unless it is said to be cold. Threads: time on the wall, 16 MiB in place and streams of 256 MiB. \
         {} ({}), {} threads.",
        results["rounds"],
        text(&machine["processor"]),
        features.join(", "),
        machine["threads"],
    );
    for skipped in list(&results["skipped"]) {
        let _ = writeln!(
            out,
            "\nGoal {} was not measured: {}.",
            skipped["goal"],
            text(&skipped["why"])
        );
    }
    out
}

/// `text` with the table between its marks; as it is when it has none.
pub(crate) fn insert(text: &str, table: &str) -> String {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    match parts {
        Some((before, after)) => format!("{before}{BEGIN}\n{table}{END}{after}"),
        None => text.into(),
    }
}

/// Our speed, in the unit that it was measured in.
fn speed(details: &Value) -> String {
    match (details["gib_per_s"][0].as_f64(), details["objects_per_s"][0].as_f64()) {
        (Some(gib), _) => format!("{gib:.1} GiB/s"),
        (_, Some(objects)) => format!("{:.0} k/s", objects / 1e3),
        _ => String::new(),
    }
}

fn bound(bound: &Value) -> String {
    match (&bound["at_least"], &bound["at_most"]) {
        (Value::Null, Value::Null) => String::new(),
        (Value::Null, most) => format!("≤ {}", number(most)),
        (least, _) => format!("≥ {}", number(least)),
    }
}

fn number(value: &Value) -> String {
    let value = value.as_f64().unwrap_or_default();
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
