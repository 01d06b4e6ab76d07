//! The results as pictures: bars in SVG, ours beside what it is compared with.

use std::fmt::Write;

use serde_json::Value;

/// One picture: which rows it shows.
pub(crate) struct Plot {
    /// The file's name, without its ending.
    pub(crate) name: &'static str,
    title: &'static str,
    goals: &'static [u64],
    scale: Scale,
    /// Only rows in whose names this is.
    only: &'static str,
    /// What a row is called by, beside what is ours.
    names: &'static str,
}

/// What the bars say.
#[derive(Clone, Copy)]
enum Scale {
    /// GiB/s of both.
    Speed,
    /// How many times as fast as this.
    Ratio(&'static str),
}

pub(crate) const PLOTS: [Plot; 8] = [
    Plot { name: "chunks", title: "Chunks in place", goals: &[1], ..SPEED },
    Plot { name: "streams", title: "Streams", goals: &[2, 3], ..SPEED },
    Plot { name: "sizes", title: "Whole objects by size", goals: &[19], ..SPEED },
    Plot { name: "ranges", title: "Ranges", goals: &[5, 9], ..SPEED },
    Plot {
        name: "threads",
        title: "Two threads against one",
        goals: &[11],
        scale: Scale::Ratio("one thread"),
        ..SPEED
    },
    Plot { name: "layers", title: "Two layers", goals: &[12], ..SPEED },
    Plot {
        name: "formats",
        title: "Beside other formats",
        goals: &[4, 6, 7, 8],
        only: "aws-lc-rs",
        names: "against",
        ..SPEED
    },
    Plot {
        name: "server",
        title: "The s3-server under load, 16 connections",
        goals: &[21],
        scale: Scale::Ratio("the same server without encryption"),
        only: "16 connections",
        ..SPEED
    },
];

/// A picture of all rows of some goals, in GiB/s.
const SPEED: Plot =
    Plot { name: "", title: "", goals: &[], scale: Scale::Speed, only: "", names: "library" };

const WIDTH: f64 = 860.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 430.0;
const LONGEST: f64 = 330.0;
const ROW: f64 = 34.0;
const BAR: f64 = 11.0;
const TOP: f64 = 62.0;
const OURS: &str = "#2463a8";
const OTHER: &str = "#b8c4d0";

/// A picture of the results, none if none of its rows was measured.
pub(crate) fn svg(results: &Value, plot: &Plot) -> Option<String> {
    let bars: Vec<Bars> = results["rows"]
        .as_array()?
        .iter()
        .filter(|row| row["goal"].as_u64().is_some_and(|goal| plot.goals.contains(&goal)))
        .filter_map(|row| Bars::of(row, plot))
        .collect();
    let most = bars.iter().map(|bars| bars.ours.max(bars.other)).reduce(f64::max)?;
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let height = TOP + ROW * bars.len() as f64 + 14.0;
    let (unit, other) = match plot.scale {
        Scale::Speed => ("GiB/s", "what it is measured against, in the same run"),
        Scale::Ratio(other) => ("times as fast", other),
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{}, {unit}</text>\n\
         <rect x=\"12\" y=\"35\" width=\"11\" height=\"11\" fill=\"{OURS}\"/>\
         <text x=\"29\" y=\"45\">object-cipher</text>\n\
         <rect x=\"132\" y=\"35\" width=\"11\" height=\"11\" fill=\"{OTHER}\"/>\
         <text x=\"149\" y=\"45\">{other}</text>\n",
        plot.title,
    );
    let mut y = TOP;
    for bars in &bars {
        bars.draw(&mut out, y, most);
        y += ROW;
    }
    out.push_str("</svg>\n");
    Some(out)
}

/// Two bars of one row.
struct Bars {
    label: String,
    ours: f64,
    other: f64,
}

impl Bars {
    fn of(row: &Value, plot: &Plot) -> Option<Self> {
        let texts = ["ours", "library"].map(|name| row[name].as_str().unwrap_or_default());
        if !texts.iter().any(|text| text.contains(plot.only)) {
            return None;
        }
        let [ours, other] = match plot.scale {
            Scale::Speed => [0, 1].map(|at| row["details"]["gib_per_s"][at].as_f64()),
            Scale::Ratio(_) => [row["value"].as_f64(), Some(1.0)],
        };
        let name = row[plot.names].as_str()?.split([':', ',']).next()?;
        let label = format!("{} · {name}", row["ours"].as_str()?);
        Some(Self { label: label.replace('`', ""), ours: ours?, other: other? })
    }

    fn draw(&self, out: &mut String, y: f64, most: f64) {
        let text = self.label.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.0,
            y + BAR + 4.0
        );
        for (at, (value, colour)) in [(0.0, (self.ours, OURS)), (1.0, (self.other, OTHER))] {
            let (top, long) = (y + at * (BAR + 2.0), value / most * LONGEST);
            let _ = writeln!(
                out,
                "<rect x=\"{LEFT:.0}\" y=\"{top:.0}\" width=\"{long:.1}\" height=\"{BAR:.0}\" fill=\"{colour}\"/>\
                 <text x=\"{:.0}\" y=\"{:.0}\" font-size=\"10\">{value:.2}</text>",
                LEFT + long + 5.0,
                top + BAR - 2.0,
            );
        }
    }
}
