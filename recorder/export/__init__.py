"""Recordings and their commands in other forms: documents, other asciicasts. Values in, text out."""
