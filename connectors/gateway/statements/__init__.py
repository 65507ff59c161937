"""Statements in the public JSON form: read, entered, published and marked done."""
