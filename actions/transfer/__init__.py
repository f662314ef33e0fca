"""Import and export of boards.

Each format is read into a `BoardFile`; an export writes one. `file` detects the format, `trello`, `github` and
`native_format` read one each, `import_board` creates the board, `export_board` reads one.
"""
