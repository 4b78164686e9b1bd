//! Plots as SVG, from the raw samples.

use std::{ops::Range, path::Path};

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// One line of a plot.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What a plot is about.
pub(crate) struct Axes<'text> {
    pub(crate) title: &'text str,
    pub(crate) x: &'text str,
    pub(crate) y: &'text str,
}

const COLOURS: [RGBColor; 4] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
];

/// Writes a plot with both axes logarithmic.
pub(crate) fn lines(path: &Path, axes: &Axes<'_>, series: &[Series]) -> Result<()> {
    draw(path, axes, series).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn draw(path: &Path, axes: &Axes<'_>, series: &[Series]) -> Result<(), Box<dyn std::error::Error>> {
    let all = || series.iter().flat_map(|series| &series.points);
    let xs = span(all().map(|point| point.0));
    let ys = span(all().map(|point| point.1));
    let root = SVGBackend::new(path, (720, 400)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(axes.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(xs.log_scale(), ys.log_scale())?;
    chart
        .configure_mesh()
        .x_desc(axes.x)
        .y_desc(axes.y)
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    for (series, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let points = series.points.clone();
        let colour = *colour;
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(&series.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        chart.draw_series(
            points
                .iter()
                .map(|point| Circle::new(*point, 3, colour.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    root.present()?;
    Ok(())
}

fn span(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low.is_finite() {
        low * 0.8..high * 1.25
    } else {
        0.1..1.0
    }
}
