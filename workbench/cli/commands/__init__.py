"""The subcommands of `workbench`, one a file.

A file NAME.py here is the subcommand NAME (an underscore becomes a hyphen) and holds a click command, or a
group of commands, called `command`. Nothing is registered anywhere. A file imports nothing heavier than click
and `workbench.core.errors` at its top: what it needs, its function imports when it is called. Errors are raised as
WorkbenchError; the frame in workbench/cli/main.py prints them. Its `epilog` is an example.
"""
