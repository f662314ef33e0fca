"""The agent programs a worker can run, by name."""

from agents.executors.claude_code import ClaudeCode
from agents.executors.codex import Codex
from agents.executors.command import Command
from agents.executors.executor import Executor
from agents.executors.gemini import Gemini
from agents.executors.opencode import OpenCode
from agents.executors.scripted import Scripted

EXECUTORS: dict[str, type[Executor]] = {
    executor.name: executor for executor in (ClaudeCode, Codex, Gemini, OpenCode, Command, Scripted)
}
