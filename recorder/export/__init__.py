"""Recordings and their commands in other forms: documents, transcripts, other asciicasts."""
