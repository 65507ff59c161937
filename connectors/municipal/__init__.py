"""Municipalities' lists, in the files that people keep: CSV, XLSX, JSON and NDJSON, each with a mapping file."""
