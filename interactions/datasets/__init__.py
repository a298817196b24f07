"""Reading events: `delimited` (CSV and MovieLens) and `json_lines` turn numbered rows into `fields.EventRow`s, which
`interactions.staging` stores. Files, formats and the report of what is wrong are `catalog.datasets`'.
"""
