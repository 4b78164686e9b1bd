//! Paths that do something by themselves once they stand in a project: a hook of git's, a task of an editor's, a file
//! that an interpreter or a shell reads at its start. Whoever applies everything did not mean these (CWE-829).

use crate::ui::one_line;

/// Why a path is not like another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Danger {
    /// Version control's own, or SafeRun's: never applied.
    Never,
    /// Its name acts on a terminal, or is not what it looks like (CWE-150): applied only where it is named or asked for.
    Deceives,
    /// It runs, or has something run, without anybody starting it: applied only where it is named or asked for.
    Runs,
}

/// Folders whose whole content is never applied, and files.
const NEVER: [&str; 6] = [".git", "git~1", ".hg", ".bzr", ".svn", ".saferun.yaml"];

/// Folders whose files run by themselves: of editors, of coding agents, of hooks, of build services, of environments.
const FOLDERS: [&str; 24] = [
    ".buildkite",
    ".cargo",
    ".circleci",
    ".claude",
    ".codex",
    ".config",
    ".cursor",
    ".devcontainer",
    ".direnv",
    ".fleet",
    ".gemini",
    ".github",
    ".husky",
    ".idea",
    ".mise",
    ".venv",
    ".vscode",
    ".windsurf",
    ".woodpecker",
    ".yarn",
    ".zed",
    "node_modules",
    "site-packages",
    "venv",
];

/// Files that are read at the start of a shell, an interpreter, a debugger, an editor, an agent, a build service, a package
/// manager or a test run.
const FILES: [&str; 51] = [
    ".appveyor.yml",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".bazelrc",
    ".cirrus.yml",
    ".dir-locals-2.el",
    ".dir-locals.el",
    ".drone.yml",
    ".envrc",
    ".exrc",
    ".gdbinit",
    ".gitattributes",
    ".gitconfig",
    ".gitlab-ci.yml",
    ".gitmodules",
    ".lldbinit",
    ".mcp.json",
    ".mise.toml",
    ".npmrc",
    ".nvim.lua",
    ".nvimrc",
    ".pdbrc",
    ".pnpmfile.cjs",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    ".profile",
    ".pypirc",
    ".travis.yml",
    ".vimrc",
    ".windsurfrules",
    ".woodpecker.yaml",
    ".woodpecker.yml",
    ".yarnrc",
    ".yarnrc.yml",
    ".zprofile",
    ".zshenv",
    ".zshrc",
    "appveyor.yml",
    "azure-pipelines.yaml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "conftest.py",
    "jenkinsfile",
    "lefthook.yml",
    "mcp.json",
    "mise.toml",
    "pyvenv.cfg",
    "sitecustomize.py",
    "usercustomize.py",
];

/// What stands at the top of a repository without a work tree, by which git recognises one (gitrepository-layout(5)).
const BARE: [&str; 3] = ["head", "objects", "refs"];

/// What a path is; `all` are the paths that are to be applied with it. Compared as file systems that ignore case, and
/// dots and spaces at the end, would.
pub(super) fn of<'a>(path: &str, mut all: impl Iterator<Item = &'a str>) -> Option<Danger> {
    let parts: Vec<String> = path.split('/').map(plain).collect();
    if parts.iter().any(|part| NEVER.contains(&part.as_str())) {
        return Some(Danger::Never);
    }
    let (name, folders) = parts.split_last()?;
    if name == "config" {
        let beside = |other: &str| {
            let other: Vec<String> = other.split('/').map(plain).collect();
            other.len() > folders.len()
                && other.starts_with(folders)
                && BARE.contains(&other[folders.len()].as_str())
        };
        if all.any(beside) {
            return Some(Danger::Never);
        }
    }
    let runs = FILES.contains(&name.as_str())
        || std::path::Path::new(name)
            .extension()
            .is_some_and(|end| end == "pth" || end == "code-workspace")
        || parts.iter().any(|part| FOLDERS.contains(&part.as_str()));
    if runs {
        return Some(Danger::Runs);
    }
    (one_line(path) != path).then_some(Danger::Deceives)
}

fn plain(part: &str) -> String {
    part.trim_end_matches(['.', ' ']).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_by_itself_is_known_however_it_is_spelled() {
        let of = |path| of(path, ["a/HEAD", "a/config"].into_iter());
        for path in [
            ".git",
            ".git/hooks/pre-commit",
            "sub/.GIT/config",
            ".git./config",
            ".git /config",
            "GIT~1/config",
            ".saferun.yaml",
            "x/.Saferun.yaml",
            "a/config",
        ] {
            assert_eq!(of(path), Some(Danger::Never), "{path}");
        }
        for path in [
            ".vscode/tasks.json",
            ".github/workflows/x.yml",
            ".envrc",
            "tests/Conftest.py",
            "lib/x.pth",
            ".claude/settings.json",
            "sub/.Cursor/mcp.json",
            ".mcp.json",
            ".exrc",
            "Team.code-workspace",
            "node_modules/a/index.js",
            ".travis.yml",
            ".gitlab-ci.yml",
            ".circleci/config.yml",
            ".buildkite/pipeline.yml",
            "Azure-Pipelines.yml",
            "bitbucket-pipelines.yml",
            "ci/Jenkinsfile",
            ".drone.yml",
            "appveyor.yml",
            ".woodpecker/test.yml",
            ".woodpecker.yml",
            ".gdbinit",
            "src/.dir-locals.el",
            "mise.toml",
            ".mise.toml",
            ".windsurf/rules/a.md",
            ".yarn/releases/yarn.cjs",
            ".bazelrc",
        ] {
            assert_eq!(of(path), Some(Danger::Runs), "{path}");
        }
        for path in [
            "\x1b[2Jx.py",
            "fdp.\u{202e}yp",
            "a\nb.py",
            "adm\u{200b}in.py",
        ] {
            assert_eq!(of(path), Some(Danger::Deceives), "{path:?}");
        }
        for path in [
            "\u{2764}.py",
            "main.py",
            "b/config",
            ".gitignore",
            "docs/git.md",
            "config.py",
            "code-workspace.md",
            "Makefile",
            "package.json",
            "docs/jenkinsfile.md",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
