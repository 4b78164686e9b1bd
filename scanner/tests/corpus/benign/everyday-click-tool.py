# expect: LOW
import sys
from pathlib import Path

import click


@click.group()
@click.option("--verbose/--quiet", default=False)
@click.pass_context
def cli(ctx, verbose):
    ctx.obj = {"verbose": verbose}


@cli.command()
@click.argument("path", type=click.Path(exists=True))
@click.pass_obj
def count(obj, path):
    n = sum(1 for _ in Path(path).open(encoding="utf-8"))
    if obj["verbose"]:
        click.echo(f"{path}: ", nl=False)
    click.echo(n)


if __name__ == "__main__":
    sys.exit(cli())
