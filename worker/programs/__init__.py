"""The agent programs a worker can run, by name."""

from worker.programs.adapter import ProgramAdapter
from worker.programs.claude_code import ClaudeCode
from worker.programs.codex import Codex
from worker.programs.command import ShellCommand
from worker.programs.gemini import Gemini
from worker.programs.opencode import OpenCode
from worker.programs.scripted import Scripted

ADAPTERS: dict[str, type[ProgramAdapter]] = {
    adapter.name: adapter for adapter in (ClaudeCode, Codex, Gemini, OpenCode, ShellCommand, Scripted)
}
