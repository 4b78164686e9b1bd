//! The daemon in the tests' own build: with debug assertions, so that `SAFERUN_TEST_DIE_AT` is heeded (`saferund::Step`).

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    saferund::boot(saferund::Settings::from_env()?)
}
