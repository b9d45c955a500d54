"""A company's own tables as ours: a YAML file says which column is which, and becomes views the company creates.

`model` reads the file, `expressions` writes its words as SQLAlchemy, `views` makes the statements, `judge` holds them
against the contract and the company's tables. Ready mappings lie beside them as YAML.
"""
