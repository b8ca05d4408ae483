"""Recordings of other programs: ttyrec, script, tlog, sudo I/O logs, plain asciicasts. Opens no files."""
