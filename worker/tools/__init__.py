"""Signalbox's tools for coding agents, over the Model Context Protocol.

Each tool is one named operation of the public API, asked as whoever calls it: law, limits and permissions are the
API's own, and what it refuses comes back as an error of the tool, with its code and its words.

catalogue   the twelve tools: what each takes, and which operation it asks
desk        one caller: asks operations, knows which card and board are its own
protocol    the tools as the protocol's server
door        over HTTP, beside the API in the same process
stdio       over standard input and output, for a program on any machine
"""
