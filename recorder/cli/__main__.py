"""`python -m recorder.cli`."""

from recorder.cli.main import main

main()
