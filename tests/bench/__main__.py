"""`python -m tests.bench`: the whole path, then how to read it."""

from tests.bench.path import main

main()
