"""Commands, from events to what was run."""
