"""python -m minires: the command line."""

from minires.cli import main

main()
