//! `daemon install|uninstall`: systemd's units of the daemon.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::{
    args::UnitArgs,
    daemon::{Manager, Standing, Unit, find_daemon, state_dir, units},
    exit,
    failure::Failure,
    ui,
};

/// How long one call of systemctl may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// The socket's unit.
const SOCKET: &str = "saferund.socket";
/// The daemon's unit.
pub(super) const SERVICE: &str = "saferund.service";

/// Writes the units and has systemd listen.
pub(super) async fn install(args: &UnitArgs) -> Result<u8, Failure> {
    let place = Place::of(args)?;
    let program = find_daemon()?;
    place.suits(&program)?;
    let state = state_dir()?;
    let units = units(place.manager, &program, &state).map_err(|why| {
        Failure::failed(why, "install SafeRun under a path of letters and digits")
    })?;
    for unit in &units {
        if place.standing(unit)? == Standing::Foreign {
            return Err(Failure {
                exit: exit::NOT_OK,
                ..Failure::failed(
                    format!(
                        "{} is not what `saferunctl daemon install` wrote, and is left alone",
                        unit.path(&place.folder).display()
                    ),
                    "look at it, and move it away if it is not needed",
                )
            });
        }
    }
    place.make_folders(&state)?;
    let mut changed = false;
    for unit in &units {
        let path = unit.path(&place.folder);
        let fresh = unit.write(&place.folder).map_err(io_at(&path))?;
        changed |= fresh;
        let what = if fresh { "wrote" } else { "is current:" };
        ui::note(format!("{what} {}", path.display()));
    }
    if changed && place.live && place.manager == Manager::User && has_systemd() {
        // A daemon that a command started holds the socket's place.
        super::daemon::stop().await?;
    }
    let mut calls = vec![vec!["daemon-reload"], vec!["enable", "--now", SOCKET]];
    if changed {
        // Of a daemon that runs already, the next start is by the new unit.
        calls.push(vec!["try-restart", SERVICE]);
    }
    place.systemctl(&calls, false).await?;
    Ok(0)
}

/// Takes away what `install` wrote, and nothing else.
pub(super) async fn uninstall(args: &UnitArgs) -> Result<u8, Failure> {
    let place = Place::of(args)?;
    // Only names matter here: what stands in the files is compared with itself.
    let units = units(place.manager, Path::new("/x"), Path::new("/x"))
        .map_err(|why| Failure::failed(why, "report this"))?;
    let mut ours = Vec::new();
    for unit in &units {
        let path = unit.path(&place.folder);
        match place.standing(unit)? {
            Standing::Free => {}
            Standing::Ours => ours.push((unit.name, path)),
            Standing::Foreign => ui::note(format!(
                "{} is not what `saferunctl daemon install` wrote, and is left alone",
                path.display()
            )),
        }
    }
    if ours.is_empty() {
        ui::note("there is nothing to take away");
        return Ok(0);
    }
    let names = ours.iter().map(|(name, _)| *name);
    let disable: Vec<_> = ["disable", "--now"].into_iter().chain(names).collect();
    place.systemctl(&[disable], true).await?;
    for (_, path) in &ours {
        fs::remove_file(path).map_err(io_at(path))?;
        ui::note(format!("removed {}", path.display()));
    }
    place.systemctl(&[vec!["daemon-reload"]], true).await?;
    Ok(0)
}

/// Where units go.
struct Place {
    manager: Manager,
    folder: PathBuf,
    /// Whether systemd is told.
    live: bool,
}

impl Place {
    fn of(args: &UnitArgs) -> Result<Self, Failure> {
        let manager = if args.system {
            Manager::System
        } else {
            Manager::User
        };
        let folder = match (&args.into, manager) {
            (Some(folder), _) => folder.clone(),
            (None, Manager::System) => PathBuf::from("/etc/systemd/system"),
            (None, Manager::User) => user_folder()?,
        };
        Ok(Self {
            manager,
            folder,
            live: args.into.is_none(),
        })
    }

    /// The system's service sees no home folders, and root must run nothing that somebody else can replace (CWE-427).
    fn suits(&self, program: &Path) -> Result<(), Failure> {
        const ADVICE: &str = "copy saferund and saferun-init to /usr/local/bin, then: SAFERUN_DAEMON=/usr/local/bin/saferund saferunctl daemon install --system";
        if !self.live || self.manager != Manager::System {
            return Ok(());
        }
        let named = program;
        let program = program.canonicalize().map_err(io_at(program))?;
        let hidden = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
        if hidden.iter().any(|folder| program.starts_with(folder)) {
            let shown = program.display();
            let message = format!("the system's service cannot see {shown}");
            return Err(Failure::failed(message, ADVICE));
        }
        // The supervisor stands beside the daemon, and a link to either may stand in yet another folder.
        let beside = program.with_file_name("saferun-init");
        let folder = named.parent().unwrap_or(named).to_owned();
        for path in [program.clone(), folder, beside] {
            if !path.exists() {
                continue;
            }
            if let Some(part) = replaceable(&path).map_err(io_at(&path))? {
                let message = format!(
                    "{} is not root's alone: whoever may write there would have root run what they like",
                    part.display()
                );
                return Err(Failure::failed(message, ADVICE));
            }
        }
        Ok(())
    }

    fn standing(&self, unit: &Unit) -> Result<Standing, Failure> {
        let path = unit.path(&self.folder);
        unit.standing(&self.folder).map_err(io_at(&path))
    }

    fn make_folders(&self, state: &Path) -> Result<(), Failure> {
        let make = |path: &Path, mode| {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(path)
                .map_err(io_at(path))
        };
        make(&self.folder, 0o755)?;
        if self.live && self.manager == Manager::User {
            make(state, 0o700)?;
        }
        Ok(())
    }

    /// Says each command, then starts it; where no systemd runs, says what to do instead. With `forgiving`, a failure
    /// is told and does not count.
    async fn systemctl(&self, calls: &[Vec<&str>], forgiving: bool) -> Result<(), Failure> {
        if !self.live {
            return Ok(());
        }
        let start: &[&str] = match self.manager {
            Manager::User => &["systemctl", "--user"],
            Manager::System => &["systemctl"],
        };
        let lines = calls.iter().map(|call| [start, call].concat());
        if !has_systemd() {
            ui::note("systemd does not run here. Where it does, do:");
            for line in lines {
                ui::note(format!("  {}", line.join(" ")));
            }
            ui::note("without it, the first command that needs the daemon starts it");
            return Ok(());
        }
        for line in lines {
            let shown = line.join(" ");
            ui::note(format!("$ {shown}"));
            let failed = match run(&line).await {
                Ok(()) => continue,
                Err(why) => format!("`{shown}` failed: {why}"),
            };
            if !forgiving {
                return Err(Failure::failed(
                    failed,
                    "the units are written; see: journalctl -b -u saferund, or with --user",
                ));
            }
            ui::note(failed);
        }
        Ok(())
    }
}

pub(super) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

async fn run(line: &[&str]) -> Result<(), String> {
    let child = Command::new(line[0])
        .args(&line[1..])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status();
    match timeout(DEADLINE, child).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it did not end within a minute".to_owned()),
    }
}

/// `$XDG_CONFIG_HOME/systemd/user`, else `~/.config/systemd/user`.
pub(super) fn user_folder() -> Result<PathBuf, Failure> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|config| config.join("systemd/user"))
        .ok_or_else(|| Failure::failed("no home folder is known", "set HOME"))
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| {
        Failure::failed(
            format!("{}: {error}", path.display()),
            "mend that, or name another folder with --into; units of the system need root",
        )
    }
}

/// The first part of a path, links resolved, that somebody but root may replace or write; `None` if there is none.
fn replaceable(path: &Path) -> io::Result<Option<PathBuf>> {
    let whole = path.canonicalize()?;
    for part in whole.ancestors() {
        let about = fs::metadata(part)?;
        if about.uid() != 0 || about.mode() & 0o022 != 0 {
            return Ok(Some(part.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_others_can_replace_is_named() {
        assert_eq!(replaceable(Path::new("/usr/bin/env")).unwrap(), None);
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("saferund");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        // A folder for temporary files is open to all.
        assert!(replaceable(&program).unwrap().is_some());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o775)).unwrap();
        let whole = program.canonicalize().unwrap();
        assert_eq!(replaceable(&program).unwrap(), Some(whole));
        assert!(replaceable(&folder.path().join("missing")).is_err());
    }
}
