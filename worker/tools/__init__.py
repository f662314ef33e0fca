"""Signalbox's tools for coding agents, over the Model Context Protocol.

Each tool executes an operation of the public API as its caller, so law, limits and permissions are those of the
API. A refusal becomes an error of the tool, with the API's code and message.

    catalogue   the tools: their input and their operation
    session     one caller: executes operations, knows its own card and board
    protocol    the tools as an MCP server
    endpoint    HTTP, in the API's process
    stdio       standard input and output, on any machine
"""
