"""Recording, sealing, verification and reading of terminal sessions; knows nothing of the TUI."""

VERSION = "0.1.0"
