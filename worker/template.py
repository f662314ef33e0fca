"""Parses a WORKFLOW.md and renders its prompt, as a program of its own: a hostile file cannot harm the worker.

Standard input is a JSON object with `text`, `issue` and `attempt`. Standard output is a JSON object with `hooks`,
`seconds`, `turns` and `prompt`, or with `error`. Processor time and memory are limited.
"""

import json
import resource
import sys
from contextlib import suppress
from typing import Any

MAX_CPU_SECONDS = 5
MAX_MEMORY_BYTES = 1_000_000_000
MAX_LOOP_ITERATIONS = 10_000
MAX_PROMPT_BYTES = 256_000
MAX_SCRIPT_CHARACTERS = 10_000
MAX_TIMEOUT_MS = 3_600_000
DEFAULT_TIMEOUT_MS = 60_000
HOOKS = ("after_create", "before_run", "after_run", "before_remove")


class WorkflowError(Exception):
    """A WORKFLOW.md cannot be used. The message is one sentence."""


def split(text: str) -> tuple[str, str]:
    """Split a file into its front matter and its body."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "---":
        return "", text.strip()
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]).strip()
    raise WorkflowError("its front matter has no closing line ---")


def parse(front: str) -> dict[str, Any]:
    """Parse the front matter. Unknown keys are ignored."""
    import yaml

    try:
        config = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError) as error:
        raise WorkflowError(f"its front matter is not YAML: {error}") from None
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise WorkflowError("its front matter is not a map")
    hooks, agent = section(config, "hooks"), section(config, "agent")
    scripts = {}
    for name in HOOKS:
        script = hooks.get(name)
        if script is None:
            continue
        if not isinstance(script, str) or len(script) > MAX_SCRIPT_CHARACTERS or "\0" in script:
            raise WorkflowError(
                f"hooks.{name} must be a script of at most {MAX_SCRIPT_CHARACTERS:,} characters"
            )
        scripts[name] = script
    timeout = positive(hooks, "hooks", "timeout_ms", MAX_TIMEOUT_MS) or DEFAULT_TIMEOUT_MS
    turns = positive(agent, "agent", "max_turns", 2**31 - 1) or 0
    for name in ("max_concurrent_agents", "max_retry_backoff_ms"):
        positive(agent, "agent", name, 2**31 - 1)
    return {"hooks": scripts, "seconds": timeout / 1000, "turns": turns}


def section(config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    if found is not None and not isinstance(found, dict):
        raise WorkflowError(f"{name} is not a map")
    return found or {}


def positive(found: dict[str, Any], name: str, key: str, most: int) -> int | None:
    value = found.get(key)
    if value is not None and (type(value) is not int or not 0 < value <= most):
        raise WorkflowError(f"{name}.{key} must be a whole number from 1 to {most:,}")
    return value


def render(body: str, issue: dict[str, Any], attempt: int | None) -> str:
    """Render the body. An unknown variable or filter is an error."""
    from liquid import Environment, StrictUndefined
    from liquid.exceptions import LiquidError

    class Limited(Environment):
        loop_iteration_limit = MAX_LOOP_ITERATIONS
        output_stream_limit = MAX_PROMPT_BYTES
        local_namespace_limit = MAX_PROMPT_BYTES

    try:
        template = Limited(undefined=StrictUndefined, strict_filters=True).from_string(body)
        return template.render(issue=issue, attempt=attempt).strip()
    except LiquidError as error:
        why = str(error).strip() or type(error).__name__
        raise WorkflowError(f"its template cannot be rendered: {why}") from None


def work(given: dict[str, Any]) -> dict[str, Any]:
    try:
        front, body = split(given["text"])
        return {**parse(front), "prompt": render(body, given["issue"], given["attempt"]) if body else ""}
    except WorkflowError as error:
        return {"error": " ".join(str(error).split())[:1_000]}
    except MemoryError:
        return {"error": f"it needs more than {MAX_MEMORY_BYTES:,} bytes of memory"}
    except RecursionError:
        return {"error": "it is nested too deeply"}
    except Exception as error:  # a filter on a value that it does not take
        return {"error": f"it cannot be used: {type(error).__name__}: {error}"[:1_000]}


if __name__ == "__main__":
    for kind, most in ((resource.RLIMIT_CPU, MAX_CPU_SECONDS), (resource.RLIMIT_AS, MAX_MEMORY_BYTES)):
        with suppress(OSError, ValueError):  # macOS limits no memory
            resource.setrlimit(kind, (most, most))
    sys.stdout.write(json.dumps(work(json.load(sys.stdin))))
