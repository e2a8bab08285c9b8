"""`python -m roomread`."""

from roomread.cli.main import run

run()
