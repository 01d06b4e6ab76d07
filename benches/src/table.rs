//! The results as Markdown.

use std::fmt::Write;

use serde_json::Value;

const BEGIN: &str = "<!-- benches:begin";
const MARK_END: &str = " -->";
const END: &str = "<!-- benches:end -->";

/// A table of all rows, and a line on where they come from.
pub(crate) fn markdown(results: &Value) -> String {
    format!("{}\n{}", rows(results, &[]), origin(results))
}

/// A table of the rows of these goals, or of all.
fn rows(results: &Value, goals: &[u64]) -> String {
    let mut out = String::from(
        "| what | against, in the same run | library | measured | aim | speed |\n\
         |---|---|---|---|---|---|\n",
    );
    let wanted = |row: &&Value| {
        goals.is_empty() || row["goal"].as_u64().is_some_and(|goal| goals.contains(&goal))
    };
    for row in list(&results["rows"]).iter().filter(wanted) {
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
    out
}

/// How and where it was measured, and what was not.
fn origin(results: &Value) -> String {
    let machine = &results["machine"];
    let features: Vec<_> = list(&machine["features"]).iter().map(text).collect();
    let mut out = format!(
        "Medians of {} rounds, both cases in turn. One thread: processor time, content of up to 4 MiB \
         out of the caches unless it is said to be cold. Threads: time on the wall, 16 MiB in place and streams of 256 MiB. \
         {} ({}), {} threads.\n",
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

/// `text` with tables between its marks: of all rows, or of the goals that the first mark names, as in
/// `<!-- benches:begin goals 1,2 -->`. A table that is not of all leaves out where it comes from.
pub(crate) fn insert(text: &str, results: &Value) -> String {
    let mut pieces = text.split(BEGIN);
    let mut out = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str(BEGIN);
        let parts = piece.split_once(MARK_END).and_then(|(which, rest)| {
            let (_, after) = rest.split_once(END)?;
            Some((which, after))
        });
        match parts {
            Some((which, after)) => {
                let table = match which.strip_prefix(" goals ") {
                    Some(goals) => rows(results, &numbers(goals)),
                    None if which == " origin" => origin(results),
                    None => markdown(results),
                };
                let _ = write!(out, "{which}{MARK_END}\n{table}{END}{after}");
            }
            None => out.push_str(piece),
        }
    }
    out
}

fn numbers(list: &str) -> Vec<u64> {
    list.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

/// Our speed, in the unit that it was measured in.
fn speed(details: &Value) -> String {
    match (details["gib_per_s"][0].as_f64(), details["objects_per_s"][0].as_f64()) {
        (Some(gib), _) => format!("{gib:.1} GiB/s"),
        (_, Some(objects)) if objects >= 1e4 => format!("{:.0} k/s", objects / 1e3),
        (_, Some(objects)) if objects >= 10.0 => format!("{objects:.0}/s"),
        (_, Some(objects)) => format!("{objects:.1}/s"),
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
