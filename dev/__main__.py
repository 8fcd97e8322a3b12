"""`python -m dev`."""

from dev.commands import main

main(prog_name="python -m dev")
