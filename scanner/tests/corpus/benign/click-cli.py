# expect: MEDIUM
import subprocess
import sys
from pathlib import Path
import click
@click.group()
def cli(): pass
@cli.command()
@click.argument("path", type=click.Path(exists=True))
def fmt(path):
    """Format a folder."""
    for file in Path(path).rglob("*.py"):
        subprocess.run([sys.executable, "-m", "black", str(file)], check=True)
@cli.command()
def version():
    out = subprocess.check_output(["git", "describe", "--tags"], text=True).strip()
    click.echo(out)
if __name__ == "__main__":
    cli()
