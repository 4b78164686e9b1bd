//! `image build`, `add`, `prune` and `list`.

use jsonrpsee::core::client::Subscription;
use saferun_protocol::{ApiClient, ImageEvent, ImageInfo, ImagePrune};

use crate::{
    args::{Global, ImageAddArgs, ImageBuildArgs, ImageCommand},
    daemon,
    failure::Failure,
    ui::{self, Progress, one_line},
    units::show_bytes,
};

/// Does what was asked with images.
pub(crate) async fn image(command: &ImageCommand, global: &Global) -> Result<u8, Failure> {
    match command {
        ImageCommand::Build(args) => build(args, global).await,
        ImageCommand::Add(args) => add(args, global).await,
        ImageCommand::Prune { dry_run, json } => prune(*dry_run, *json, global).await,
        ImageCommand::List { json } => list(*json, global).await,
    }
}

async fn list(json: bool, global: &Global) -> Result<u8, Failure> {
    let images = daemon::reach(global.may_start())
        .await?
        .image_list()
        .await?;
    if json {
        ui::line(ui::pretty_json(&images));
    } else {
        ui::out(text(&images));
    }
    Ok(0)
}

fn text(images: &[ImageInfo]) -> String {
    let mut rows = vec![
        ["VARIANT", "STATE", "SIZE", "BUILT", "ID"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(images.iter().map(|image| {
        let state = match (&image.id, image.current) {
            (None, _) => "not built",
            (Some(_), true) => "current",
            (Some(_), false) => "out of date",
        };
        let id = image.id.as_deref().unwrap_or("-");
        vec![
            one_line(&image.variant),
            state.to_owned(),
            image.size_bytes.map_or("-".to_owned(), show_bytes),
            one_line(image.created.as_deref().unwrap_or("-")),
            short_id(id),
        ]
    }));
    ui::table(&rows)
}

/// Exit code 1 if an image stays that should have gone.
async fn prune(dry_run: bool, json: bool, global: &Global) -> Result<u8, Failure> {
    let report = daemon::reach(global.may_start())
        .await?
        .image_prune(dry_run)
        .await?;
    if json {
        ui::line(ui::pretty_json(&report));
    } else {
        ui::out(pruned(&report, dry_run));
    }
    Ok(u8::from(!report.kept.is_empty()))
}

fn pruned(report: &ImagePrune, dry_run: bool) -> String {
    if report.removed.is_empty() && report.kept.is_empty() {
        return "no image is out of date\n".to_owned();
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    let removed = report
        .removed
        .iter()
        .map(|image| format!("{verb} {}", named(image)));
    let kept = report
        .kept
        .iter()
        .map(|kept| format!("kept {}: {}", named(&kept.image), one_line(&kept.reason)));
    let mut lines: Vec<String> = removed.chain(kept).collect();
    // Layers are shared, so this is the most that it can be.
    let bytes: u64 = report
        .removed
        .iter()
        .filter_map(|image| image.size_bytes)
        .sum();
    if bytes > 0 {
        lines.push(format!("up to {} of disk", show_bytes(bytes)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn named(image: &ImageInfo) -> String {
    let id = short_id(image.id.as_deref().unwrap_or("-"));
    let built = image.created.as_deref().unwrap_or("at an unknown time");
    let built = one_line(built);
    format!("{} {id}, built {built}", one_line(&image.variant))
}

fn short_id(id: &str) -> String {
    let id = one_line(id);
    id.strip_prefix("sha256:")
        .unwrap_or(&id)
        .chars()
        .take(12)
        .collect()
}

async fn build(args: &ImageBuildArgs, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    for variant in &args.variants {
        let events = client
            .subscribe_image_build(variant.to_owned(), args.force)
            .await?;
        follow(events, args.verbose).await?;
    }
    Ok(0)
}

async fn add(args: &ImageAddArgs, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let events = client
        .subscribe_image_add(args.variant.clone(), args.packages.clone())
        .await?;
    follow(events, args.verbose).await?;
    Ok(0)
}

/// Shows a build until it is done.
async fn follow(mut events: Subscription<ImageEvent>, verbose: bool) -> Result<(), Failure> {
    let mut progress = Progress::new(verbose);
    while let Some(event) = events.next().await {
        let event = event.map_err(|error| {
            Failure::failed(
                format!("the daemon sent what cannot be read: {error}"),
                "use the same version of both: saferunctl daemon restart",
            )
        })?;
        match event {
            ImageEvent::Step {
                message,
                step,
                steps,
            } => progress.step(&message, step, steps),
            ImageEvent::Log { line } => progress.log(&line),
            ImageEvent::Built { image, unchanged } => {
                progress.end();
                let size = image
                    .size_bytes
                    .map_or(String::new(), |bytes| format!(", {}", show_bytes(bytes)));
                let what = if unchanged { "is current" } else { "was built" };
                ui::note(format!("image {} {what}{size}", one_line(&image.variant)));
                return Ok(());
            }
            ImageEvent::Failed { message } => {
                progress.end();
                return Err(Failure {
                    advice: None,
                    ..Failure::failed(format!("{}{}", one_line(&message), progress.said()), "")
                });
            }
            // A newer daemon may tell more.
            _ => {}
        }
    }
    progress.end();
    Err(Failure::failed(
        "the connection to the daemon ended before the build did",
        "see why: saferunctl daemon logs",
    ))
}
