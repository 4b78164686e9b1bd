//! Commands that need no more than their name and one argument to be judged, as a table that a person can extend.

use super::super::ShellKind;
use super::super::state::Judge;
use super::super::word::Command;
use crate::Level;

/// One row: the first row of a program that fits is taken.
struct Row {
    program: &'static str,
    /// All of these must be among the arguments, each as one of its `|`-separated spellings.
    needs: &'static [&'static str],
    kind: ShellKind,
    level: Level,
    what: &'static str,
}

const fn row(
    program: &'static str,
    needs: &'static [&'static str],
    kind: ShellKind,
    level: Level,
    what: &'static str,
) -> Row {
    Row {
        program,
        needs,
        kind,
        level,
        what,
    }
}

use Level::{Blocked, High, Medium};
use ShellKind::{
    Container, Delete, Install, Kill, Mining, Network, Persistence, Privilege, Protection, Remote,
};

#[rustfmt::skip]
static ROWS: &[Row] = &[
    row("shutdown", &["-c"], Kill, Medium, "cancels a shutdown"),
    row("shutdown", &[], Kill, High, "turns the machine off"),
    row("reboot", &[], Kill, High, "restarts the machine"),
    row("halt", &[], Kill, High, "turns the machine off"),
    row("poweroff", &[], Kill, High, "turns the machine off"),
    row("init", &["0|6"], Kill, High, "turns the machine off or restarts it"),
    row("telinit", &[], Kill, High, "changes the run level of the machine"),
    row("systemctl", &["poweroff|reboot|halt|kexec"], Kill, High, "turns the machine off or restarts it"),
    row("systemctl", &["enable|link|edit"], Persistence, High, "makes a service start with the machine"),
    row("systemctl", &["stop|disable|mask|kill"], Protection, High, "stops or disables a service"),
    row("systemctl", &["start|restart|daemon-reload"], Persistence, Medium, "starts a service"),
    row("systemd-run", &[], Persistence, High, "starts a service of its own"),
    row("launchctl", &["load|bootstrap|submit"], Persistence, High, "makes a service start with the machine"),
    row("schtasks", &["/create"], Persistence, Blocked, "plans a command to run later"),
    row("reg", &["add"], Persistence, High, "changes the registry"),
    row("at", &[], Persistence, High, "plans a command to run later"),
    row("batch", &[], Persistence, High, "plans a command to run later"),
    row("update-rc.d", &[], Persistence, High, "makes a service start with the machine"),
    row("chkconfig", &[], Persistence, High, "makes a service start with the machine"),
    row("useradd", &[], Persistence, High, "adds an account"),
    row("adduser", &[], Persistence, High, "adds an account"),
    row("usermod", &[], Privilege, High, "changes an account"),
    row("userdel", &[], Delete, High, "deletes an account"),
    row("passwd", &[], Privilege, High, "changes a password"),
    row("chpasswd", &[], Privilege, High, "changes passwords"),
    row("visudo", &[], Privilege, High, "changes who may become root"),
    row("ssh-copy-id", &[], Persistence, High, "lets a key log in elsewhere"),
    row("su", &[], Privilege, High, "becomes another user"),
    row("setcap", &[], Privilege, High, "gives a program more rights"),
    row("insmod", &[], Privilege, High, "loads a kernel module"),
    row("modprobe", &[], Privilege, High, "loads a kernel module"),
    row("rmmod", &[], Privilege, High, "removes a kernel module"),
    row("sysctl", &["-w|-p|--write"], Privilege, High, "changes a setting of the kernel"),
    row("mount", &["-l"], Privilege, Medium, "lists mounts"),
    row("mount", &["-o|-t|--bind|-a|-B"], Privilege, High, "mounts a file system"),
    row("umount", &[], Privilege, High, "takes a file system away"),
    row("swapoff", &[], Privilege, High, "turns swap off"),
    row("nsenter", &[], Privilege, High, "enters another namespace"),
    row("unshare", &[], Privilege, High, "leaves its namespaces"),
    row("chattr", &[], Privilege, High, "changes file attributes"),
    row("gdb", &["-p|--pid|attach"], Privilege, High, "attaches to another process"),
    row("kexec", &[], Privilege, High, "starts another kernel"),
    row("iptables", &["-F|--flush|-X|-P"], Protection, High, "opens the firewall"),
    row("ip6tables", &["-F|--flush|-X|-P"], Protection, High, "opens the firewall"),
    row("iptables", &["-A|-I|-D"], Protection, High, "changes the firewall"),
    row("nft", &["flush|delete"], Protection, High, "opens the firewall"),
    row("ufw", &["disable|reset"], Protection, High, "opens the firewall"),
    row("firewall-cmd", &[], Protection, High, "changes the firewall"),
    row("netsh", &[], Protection, High, "changes the firewall or network"),
    row("setenforce", &[], Protection, High, "turns mandatory access control off"),
    row("aa-teardown", &[], Protection, High, "turns mandatory access control off"),
    row("aa-disable", &[], Protection, High, "turns mandatory access control off"),
    row("set-mppreference", &[], Protection, High, "changes the virus scanner"),
    row("csrutil", &["disable"], Protection, High, "turns system integrity protection off"),
    row("vssadmin", &["delete"], Delete, Blocked, "deletes backups"),
    row("wbadmin", &["delete"], Delete, Blocked, "deletes backups"),
    row("bcdedit", &[], Delete, High, "changes how the machine starts"),
    row("cipher", &["/w"], Delete, High, "overwrites free disk space"),
    row("tmutil", &["delete|disable"], Delete, High, "deletes or stops backups"),
    row("xmrig", &[], Mining, Blocked, "mines cryptocurrency"),
    row("minerd", &[], Mining, Blocked, "mines cryptocurrency"),
    row("cpuminer", &[], Mining, Blocked, "mines cryptocurrency"),
    row("ethminer", &[], Mining, Blocked, "mines cryptocurrency"),
    row("ccminer", &[], Mining, Blocked, "mines cryptocurrency"),
    row("ngrok", &[], Network, High, "opens this machine to the internet"),
    row("cloudflared", &["tunnel"], Network, High, "opens this machine to the internet"),
    row("tcpdump", &[], Network, High, "listens to network traffic"),
    row("tshark", &[], Network, High, "listens to network traffic"),
    row("nmap", &[], Network, High, "probes other machines"),
    row("masscan", &[], Network, High, "probes other machines"),
    row("hydra", &[], Network, Blocked, "guesses passwords of other machines"),
    row("sqlmap", &[], Network, Blocked, "attacks a database"),
    row("msfconsole", &[], Network, Blocked, "attacks other machines"),
    row("arpspoof", &[], Network, Blocked, "diverts network traffic"),
    row("git", &["push", "--force|-f|--force-with-lease|--mirror|--delete"], Remote, High, "overwrites a shared history"),
    row("git", &["push"], Remote, Medium, "changes a shared repository"),
    row("git", &["reset", "--hard"], Delete, Medium, "throws away changes in the working folder"),
    row("git", &["clean", "-f|-fd|-fdx|-xdf|-ffdx|-df|-xfd"], Delete, High, "deletes files that git does not know"),
    row("git", &["checkout", "."], Delete, Medium, "throws away changes in the working folder"),
    row("git", &["filter-branch|filter-repo"], Delete, High, "rewrites the history"),
    row("git", &["clone|fetch|pull|submodule"], Network, Medium, "fetches from a repository"),
    row("gh", &["delete"], Remote, High, "deletes something on GitHub"),
    row("terraform", &["destroy"], Remote, High, "destroys cloud resources"),
    row("terraform", &["apply"], Remote, High, "changes cloud resources"),
    row("pulumi", &["destroy"], Remote, High, "destroys cloud resources"),
    row("aws", &["rm", "--recursive"], Remote, High, "deletes cloud storage"),
    row("aws", &["rb|terminate-instances|delete-stack|delete-bucket|delete-db-instance"], Remote, High, "deletes cloud resources"),
    row("aws", &[], Remote, Medium, "uses cloud resources"),
    row("gcloud", &["delete"], Remote, High, "deletes cloud resources"),
    row("gcloud", &[], Remote, Medium, "uses cloud resources"),
    row("az", &["delete"], Remote, High, "deletes cloud resources"),
    row("gsutil", &["rm"], Remote, High, "deletes cloud storage"),
    row("kubectl", &["delete|drain"], Remote, High, "deletes from a cluster"),
    row("kubectl", &["exec|apply|create|run|patch"], Remote, High, "changes a cluster"),
    row("kubectl", &[], Remote, Medium, "looks at a cluster"),
    row("helm", &["uninstall|delete"], Remote, High, "deletes from a cluster"),
    row("dropdb", &[], Remote, High, "deletes a database"),
    row("redis-cli", &["flushall|flushdb|FLUSHALL|FLUSHDB"], Remote, High, "empties a database"),
    row("docker-compose", &["down", "-v|--volumes"], Container, High, "deletes volumes"),
    row("docker-compose", &[], Container, Medium, "uses containers"),
    row("apt", &["install|remove|purge|upgrade"], Install, Medium, "installs or removes system packages"),
    row("apt-get", &["install|remove|purge|upgrade"], Install, Medium, "installs or removes system packages"),
    row("dpkg", &["-i|--install|-r|-P"], Install, High, "installs or removes a system package from a file"),
    row("yum", &["install|remove"], Install, Medium, "installs or removes system packages"),
    row("dnf", &["install|remove"], Install, Medium, "installs or removes system packages"),
    row("apk", &["add|del"], Install, Medium, "installs or removes system packages"),
    row("pacman", &[], Install, Medium, "installs or removes system packages"),
    row("brew", &["install|uninstall"], Install, Medium, "installs or removes packages"),
    row("choco", &["install"], Install, Medium, "installs packages"),
    row("snap", &["install"], Install, Medium, "installs packages"),
    row("conda", &["install|create"], Install, Medium, "installs packages"),
    row("gem", &["install"], Install, Medium, "installs packages"),
    row("cargo", &["install"], Install, Medium, "installs packages"),
    row("go", &["install|get"], Install, Medium, "installs packages"),
    row("npx", &[], Install, Medium, "fetches and runs a package"),
    row("bunx", &[], Install, Medium, "fetches and runs a package"),
    row("uvx", &[], Install, Medium, "fetches and runs a package"),
    row("pipx", &["run|install"], Install, Medium, "fetches a package"),
    row("xdotool", &[], Privilege, High, "types into other programs"),
    row("scrot", &[], Privilege, High, "takes a picture of the screen"),
    row("screencapture", &[], Privilege, High, "takes a picture of the screen"),
    row("arecord", &[], Privilege, High, "records sound"),
    row("xinput", &["test|test-xi2"], Privilege, High, "listens to the keyboard"),
];

/// Judges a command by the table.
pub(super) fn command(judge: &mut Judge, command: &Command) {
    let name = command.program();
    if let Some(row) = ROWS
        .iter()
        .find(|row| row.program == name && fits(row, command))
    {
        let message = format!("{} (`{}`)", row.what, command.line());
        judge.report(row.kind, row.level, message, command);
    }
    install(judge, command, &name);
    database(judge, command, &name);
}

fn fits(row: &Row, command: &Command) -> bool {
    row.needs.iter().all(|need| {
        need.split('|')
            .any(|text| command.arguments().iter().any(|word| word.text == text))
    })
}

/// `pip` and `npm`, whose level follows where the package comes from.
fn install(judge: &mut Judge, command: &Command, name: &str) {
    let module = name.starts_with("python") && command.has(&["-m"]) && command.has(&["pip"]);
    let manager = name.starts_with("pip")
        || module
        || matches!(name, "npm" | "yarn" | "pnpm" | "uv" | "bun" | "poetry");
    if !manager || !command.has(&["install", "add", "i"]) {
        return;
    }
    let foreign = command.arguments().iter().any(|word| {
        let text = word.text.as_str();
        text.contains("://")
            || text.starts_with("git+")
            || text.starts_with("git@")
            || matches!(
                text,
                "--index-url" | "-i" | "--extra-index-url" | "--trusted-host" | "--registry"
            )
            || text.starts_with("--index-url=")
            || text.starts_with("--extra-index-url=")
            || text.starts_with("--registry=")
    });
    let (level, what) = if foreign {
        (High, "installs a package from a place of its own choice")
    } else {
        (Medium, "installs packages")
    };
    judge.report(
        Install,
        level,
        format!("{what} (`{}`)", command.line()),
        command,
    );
}

fn database(judge: &mut Judge, command: &Command, name: &str) {
    if !matches!(
        name,
        "mysql"
            | "psql"
            | "sqlite3"
            | "mongo"
            | "mongosh"
            | "mariadb"
            | "sqlcmd"
            | "clickhouse-client"
    ) {
        return;
    }
    let destroys = command
        .arguments()
        .iter()
        .map(|w| &w.text)
        .chain(command.stdin.as_ref())
        .any(|text| {
            let text = text.to_ascii_lowercase();
            [
                "drop database",
                "drop table",
                "drop schema",
                "truncate table",
                "dropdatabase",
                "delete from",
            ]
            .iter()
            .any(|w| text.contains(w))
        });
    if destroys {
        judge.report(
            Remote,
            High,
            format!("deletes from a database (`{}`)", command.line()),
            command,
        );
    }
}
