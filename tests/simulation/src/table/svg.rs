//! Detection against overhead: every scheme's worst attack at every share.

use super::baseline::Scheme;
use super::files::name;
use super::row::Row;
use super::text::GOALS;
use clap::ValueEnum;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 64.0;
/// Fetches per accepted page, from left to right; forgeries, from bottom to top, in powers of ten.
const FETCHES: (f64, f64) = (0.95, 3.65);
const FORGED: (f64, f64) = (-6.0, 0.0);
/// A palette that people with the common kinds of colour blindness tell apart (Okabe and Ito).
const COLOURS: [&str; 7] =
    ["#d55e00", "#000000", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#e69f00"];

fn x(fetches: f64) -> f64 {
    let place = (fetches.clamp(FETCHES.0, FETCHES.1) - FETCHES.0) / (FETCHES.1 - FETCHES.0);
    LEFT + place * (WIDTH - LEFT - RIGHT)
}

fn y(forged: f64) -> f64 {
    let power = forged.max(1e-9).log10().clamp(FORGED.0, FORGED.1);
    let place = (power - FORGED.0) / (FORGED.1 - FORGED.0);
    HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM)
}

/// The picture.
#[must_use]
pub fn draw(rows: &[Row]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"17\">Accepted forgeries against fetches, for the worst attack at each share</text>\n\
         <text x=\"{LEFT}\" y=\"44\" fill=\"#555555\">numbers at the marks: the attacker's share in per cent; hollow squares: Sward's goals</text>\n"
    );
    axes(&mut svg);
    for (share, fetches, forged) in GOALS {
        let (x, y) = (x(fetches), y(forged));
        svg.push_str(&format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\" fill=\"none\" stroke=\"#777777\"><title>goal at {share}</title></rect>\n",
            x - 4.0,
            y - 4.0
        ));
    }
    let mut labels = Labels::default();
    for (place, scheme) in Scheme::value_variants().iter().enumerate() {
        let colour = COLOURS.get(place).copied().unwrap_or("#000000");
        series(&mut svg, rows, *scheme, place, colour, &mut labels);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axes(svg: &mut String) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for power in 0..=6 {
        let value = 10f64.powi(-power);
        let y = y(value);
        let label = match power {
            0 => "1".into(),
            6 => "≤ 1e-6".into(),
            _ => format!("1e-{power}"),
        };
        svg.push_str(&format!(
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e2e2e2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
            LEFT - 8.0,
            y + 4.0
        ));
    }
    for tenth in (10..=36).step_by(2) {
        let value = f64::from(tenth) / 10.0;
        let x = x(value);
        svg.push_str(&format!(
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"#f0f0f0\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value:.1}</text>\n",
            bottom + 18.0
        ));
    }
    let middle = f64::midpoint(TOP, bottom);
    svg.push_str(&format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">fetches per accepted page (dearest attack)</text>\n\
         <text transform=\"translate(26 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">forgeries among final pages (worst attack)</text>\n",
        f64::midpoint(LEFT, right),
        HEIGHT - 18.0
    ));
}

fn series(
    svg: &mut String,
    rows: &[Row],
    scheme: Scheme,
    place: usize,
    colour: &str,
    labels: &mut Labels,
) {
    let mut shares: Vec<f64> =
        rows.iter().filter(|r| is_of(r, scheme) && r.share > 0.0).map(|row| row.share).collect();
    shares.dedup();
    let points: Vec<(String, f64, f64)> = shares
        .into_iter()
        .map(|share| {
            let of = || rows.iter().filter(move |r| is_of(r, scheme) && r.share == share);
            let fetches = of().map(|r| r.rates.fetches_per_accepted).fold(0.0, f64::max);
            let forged = of().map(|r| r.rates.accepted_forgery_rate).fold(0.0, f64::max);
            let beyond =
                if fetches > FETCHES.1 { format!(" → {fetches:.1}") } else { String::new() };
            (format!("{:.0}{beyond}", share * 100.0), x(fetches), y(forged))
        })
        .collect();
    if points.is_empty() {
        return;
    }
    let path: Vec<String> = points.iter().map(|(_, x, y)| format!("{x:.1},{y:.1}")).collect();
    svg.push_str(&format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n",
        path.join(" ")
    ));
    for (label, x, y) in &points {
        let (left, base) = labels.put(label, *x, *y);
        svg.push_str(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>\
             <text x=\"{left:.1}\" y=\"{base:.1}\" font-size=\"10\" fill=\"{colour}\">{label}</text>\n"
        ));
    }
    let top = TOP + 16.0 + 22.0 * place as f64;
    let left = WIDTH - RIGHT + 20.0;
    svg.push_str(&format!(
        "<circle cx=\"{left}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{top:.1}\">{}</text>\n",
        top - 4.0,
        left + 12.0,
        name(scheme).replace('_', " ")
    ));
}

/// Whether a row is of a whole scheme.
fn is_of(row: &Row, scheme: Scheme) -> bool {
    row.name == name(scheme)
}

/// Labels that were put, by their left end and base line, and how wide they are.
#[derive(Default)]
struct Labels(Vec<(f64, f64, f64)>);

/// Height of a label, in the picture's unit.
const LINE: f64 = 11.0;

impl Labels {
    /// The nearest place beside a mark where a label covers no other.
    fn put(&mut self, label: &str, x: f64, y: f64) -> (f64, f64) {
        let width = 6.2 * label.chars().count() as f64;
        let places = (0..40).flat_map(|step| {
            let down = LINE * f64::from(step / 2 + 1) - 2.0;
            let base = if step % 2 == 0 { y - down + 4.0 } else { y + down };
            [(x + 6.0, base), (x - 6.0 - width, base)]
        });
        let is_free = |(left, base): &(f64, f64)| {
            *left + width < WIDTH
                && self.0.iter().all(|(other, line, wide)| {
                    left + width < *other || other + wide < *left || (base - line).abs() >= LINE
                })
        };
        let (left, base) = places.clone().find(is_free).unwrap_or((x + 6.0, y - 5.0));
        self.0.push((left, base, width));
        (left, base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_marks_at_one_place_cover_none_other() {
        let mut labels = Labels::default();
        for n in 0..20 {
            labels.put("33", 400.0 + f64::from(n), 300.0);
        }
        for (n, (left, base, width)) in labels.0.iter().enumerate() {
            for (other, line, wide) in labels.0.iter().skip(n + 1) {
                let apart = left + width < *other || other + wide < *left;
                assert!(apart || (base - line).abs() >= LINE, "{base} {line}");
            }
        }
    }
}
