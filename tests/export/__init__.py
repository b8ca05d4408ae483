"""Sessions in other forms."""
