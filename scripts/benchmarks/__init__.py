"""Measures sealcast beside a bare terminal and other recorders, in interleaved rounds."""
