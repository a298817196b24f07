"""`make demo`: the whole site on one machine, from an empty folder to a running page.

In the order of a start: `instance.py` lets one demo of a copy run, `dataset.py` chooses what it shows and in which
database, `preparation.py` does once what a new database needs, `programs.py` says what is then kept running by
`recsite.processes`. The command is `recsite/management/commands/demo.py`.
"""
