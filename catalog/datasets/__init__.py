"""Reading data sets, in this order: `files` opens a folder, zip or file; `formats` tells what it is; `lines` and
`table` turn bytes into numbered rows; `movielens`, `delimited` and `json_lines` turn rows into checked items. What
cannot be read goes to `problems`, with its file, row and column. Events: `interactions.datasets`, on the same parts.
"""
