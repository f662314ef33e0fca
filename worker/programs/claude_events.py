"""Parts of Claude Code's messages as events: changed files, token usage, warnings."""

from protocol.events import AgentWarning, FileChange, FileChanged, TokenUsage
from worker.programs.adapter import Json, shorten


def changed_file(result: Json, tool: str, agent: str) -> FileChanged:
    lines = [line for hunk in result.get("structuredPatch") or [] for line in hunk.get("lines", [])]
    added = sum(line.startswith("+") for line in lines)
    if result.get("type") == "create":
        added = len(str(result.get("content", "")).splitlines())
    return FileChanged(
        path=result["filePath"],
        change=FileChange.ADD if result.get("type") == "create" else FileChange.EDIT,
        additions=added,
        deletions=sum(line.startswith("-") for line in lines),
        tool=tool,
        agent=agent,
    )


def usage_of(payload: Json) -> TokenUsage:
    models = payload.get("modelUsage") or {}
    used = payload.get("usage") or {}
    cached = sum(m.get("cacheReadInputTokens", 0) for m in models.values())
    made = sum(m.get("cacheCreationInputTokens", 0) for m in models.values())
    if not models:  # older versions
        cached, made = used.get("cache_read_input_tokens", 0), used.get("cache_creation_input_tokens", 0)
        models = {
            "": {"inputTokens": used.get("input_tokens", 0), "outputTokens": used.get("output_tokens", 0)}
        }
    first: tuple[str, Json] = next(iter(models.items()), ("", {}))
    return TokenUsage(
        input_tokens=sum(m.get("inputTokens", 0) for m in models.values()) + cached + made,
        output_tokens=sum(m.get("outputTokens", 0) for m in models.values()),
        cached_tokens=cached,
        cost_usd=payload.get("total_cost_usd"),
        context_window=first[1].get("contextWindow"),
        model=first[0],
    )


def warning_of(code: str, text: str, detail: object = None) -> AgentWarning:
    return AgentWarning(text=shorten(f"{text}: {detail}" if detail else text, 1000), code=code)
