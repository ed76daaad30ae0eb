import click


@click.command()
def selftest() -> int:
    return 0
