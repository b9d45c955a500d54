"""Columns and rows: the warehouse schema, the embedded lake, engines and loaders."""
