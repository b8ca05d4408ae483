"""Builds the stores that tests, benchmarks and screenshots look at, through the product's own recorder."""
