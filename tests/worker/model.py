"""A model that answers from a script, on a loopback address, in the words of four providers.

Real agent programs are pointed at it, so their real output can be read without any model. A script is a list
of turns: `{"thinking": …, "text": …, "tools": [{"name": …, "input": {…}}], "status": 529}`. Which turn is
answered is told by how many turns of the model the request already holds, so a request may be repeated and a
session resumed. Requests that offer no tools are the program's own side questions (a title, a topic); they get
`ASIDE`. It is also a proxy that refuses every tunnel and notes it in `refused`.

    python tests/worker/model.py script.json      # serves until interrupted, and prints its address
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any, Self

ASIDE = "Aside."
USAGE = {"in": 1200, "out": 34, "cached": 1000}
Turn = dict[str, Any]


class Model(ThreadingHTTPServer):
    """Serves while it is entered. `url` is its address; `asked` holds every request's path and body."""

    daemon_threads = True

    def __init__(self, script: list[Turn]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        self.faults = 0  # turns with a status are refused once each

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""

    def turn(self, path: str, body: dict[str, Any]) -> Turn:
        if self.script[0].get("always"):
            return self.script[0]
        if not body.get("tools"):
            return {"text": ASIDE}
        said = turns_said(body)
        return self.script[said] if said < len(self.script) else {"text": "The script has ended."}


def turns_said(body: dict[str, Any]) -> int:
    """How many turns of the model a request's conversation holds already."""
    items = body.get("messages") or body.get("contents") or body.get("input") or []
    theirs = [
        item.get("role") in ("assistant", "model")
        or item.get("type") in ("function_call", "custom_tool_call", "reasoning", "local_shell_call")
        for item in items
        if item.get("role") not in ("system", "developer")
    ]
    return sum(1 for mine, _ in groupby(theirs) if mine)


class Handler(BaseHTTPRequestHandler):
    server: Model
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_CONNECT(self) -> None:
        self.server.refused.append(self.path)
        self._answer(403, b"", "text/plain")

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {}))
        self._answer(200, b'{"object": "list", "data": [], "models": []}', "application/json")

    def do_HEAD(self) -> None:
        self._answer(200, b"", "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        self.server.asked.append((self.path, body))
        turn = self.server.turn(self.path, body)
        if "status" in turn and (turn.get("always") or self.server.faults == 0):
            self.server.faults += 1
            words = (
                ("overloaded_error", "Overloaded")
                if turn["status"] >= 500
                else ("invalid_request_error", "No")
            )
            error = {"type": "error", "error": dict(zip(("type", "message"), words, strict=True))}
            return self._answer(turn["status"], json.dumps(error).encode(), "application/json")
        path = self.path.split("?")[0]
        if path.endswith("count_tokens"):
            return self._answer(200, b'{"input_tokens": 1200}', "application/json")
        if path.endswith(":countTokens"):
            return self._answer(200, b'{"totalTokens": 1200}', "application/json")
        if path.endswith("/messages"):
            return self._events(
                anthropic(turn, body) if body.get("stream") else [], whole=anthropic_whole(turn)
            )
        if path.endswith("/responses"):
            return self._events(responses(turn))
        if path.endswith("/chat/completions"):
            return self._events(chat(turn))
        if path.endswith("GenerateContent"):
            return self._events(gemini(turn))
        if path.endswith(":generateContent"):
            return self._events([], whole=gemini(turn)[-1][1])
        return self._answer(404, b"{}", "application/json")

    def _events(self, events: list[tuple[str | None, Any]], whole: Any = None) -> None:
        if not events:
            return self._answer(200, json.dumps(whole).encode(), "application/json")
        text = "".join(
            (f"event: {name}\n" if name else "")
            + f"data: {data if data == '[DONE]' else json.dumps(data)}\n\n"
            for name, data in events
        )
        return self._answer(200, text.encode(), "text/event-stream")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def pieces(text: str, size: int = 12) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def anthropic_blocks(turn: Turn) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if turn.get("thinking"):
        blocks.append({"type": "thinking", "thinking": turn["thinking"], "signature": "c2lnbmVk"})
    if turn.get("text"):
        blocks.append({"type": "text", "text": turn["text"]})
    for at, tool in enumerate(turn.get("tools", [])):
        id = tool.get("id", f"toolu_{tool['name']}_{at}_{abs(hash(json.dumps(tool))) % 10**8}")
        blocks.append({"type": "tool_use", "id": id, "name": tool["name"], "input": tool["input"]})
    return blocks


def anthropic_whole(turn: Turn) -> dict[str, Any]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": "claude-scripted",
        "content": anthropic_blocks(turn),
        "stop_reason": "tool_use" if turn.get("tools") else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": USAGE["in"] - USAGE["cached"],
            "cache_read_input_tokens": USAGE["cached"],
            "cache_creation_input_tokens": 0,
            "output_tokens": USAGE["out"],
        },
    }


def anthropic(turn: Turn, body: dict[str, Any]) -> list[tuple[str | None, Any]]:
    whole = anthropic_whole(turn)
    start = {**whole, "content": [], "stop_reason": None, "model": body.get("model", "claude-scripted")}
    start["id"] = f"msg_{turns_said(body)}"
    events: list[Any] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, deltas = (
                {**block, "text": ""},
                [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])],
            )
        elif block["type"] == "thinking":
            empty = {**block, "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        else:
            empty, written = {**block, "input": {}}, json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(written, 40)]
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": whole["usage"]})
    events.append({"type": "message_stop"})
    return [(event["type"], event) for event in events]


def responses(turn: Turn) -> list[tuple[str | None, Any]]:
    events: list[Any] = [{"type": "response.created", "response": {"id": "resp_scripted"}}]
    output: list[dict[str, Any]] = []
    if turn.get("thinking"):
        summary = [{"type": "summary_text", "text": turn["thinking"]}]
        output.append(
            {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "c2VhbGVk"}
        )
    if turn.get("text"):
        content = [{"type": "output_text", "text": turn["text"], "annotations": []}]
        output.append({"type": "message", "id": "msg_1", "role": "assistant", "content": content})
    for at, tool in enumerate(turn.get("tools", [])):
        call = {"id": f"fc_{at}", "call_id": f"call_{tool['name']}_{at}", "name": tool["name"]}
        if isinstance(tool["input"], str):
            output.append({"type": "custom_tool_call", **call, "input": tool["input"]})
        else:
            output.append({"type": "function_call", **call, "arguments": json.dumps(tool["input"])})
    for index, item in enumerate(output):
        empty = {**item, **({"content": []} if item["type"] == "message" else {})}
        events.append({"type": "response.output_item.added", "output_index": index, "item": empty})
        if item["type"] == "message":
            at = {"output_index": index, "content_index": 0, "item_id": item["id"]}
            events += [
                {"type": "response.output_text.delta", **at, "delta": piece} for piece in pieces(turn["text"])
            ]
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    usage = {
        "input_tokens": USAGE["in"],
        "input_tokens_details": {"cached_tokens": USAGE["cached"]},
        "output_tokens": USAGE["out"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": USAGE["in"] + USAGE["out"],
    }
    done = {"id": "resp_scripted", "usage": usage, "output": output}
    events.append({"type": "response.completed", "response": done})
    return [(event["type"], event) for event in events]


def chat(turn: Turn) -> list[tuple[str | None, Any]]:
    def chunk(delta: Turn, **more: Any) -> tuple[None, Any]:
        choices = [{"index": 0, "delta": delta, "finish_reason": None, **more}]
        return None, {
            "id": "chat_1",
            "object": "chat.completion.chunk",
            "model": "scripted",
            "choices": choices,
        }

    events: list[tuple[str | None, Any]] = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"reasoning_content": piece}) for piece in pieces(turn.get("thinking", ""))]
    events += [chunk({"content": piece}) for piece in pieces(turn.get("text", ""))]
    for at, tool in enumerate(turn.get("tools", [])):
        function = {"name": tool["name"], "arguments": json.dumps(tool["input"])}
        call = {"index": at, "id": f"call_{tool['name']}_{at}", "type": "function", "function": function}
        events.append(chunk({"tool_calls": [call]}))
    events.append(chunk({}, finish_reason="tool_calls" if turn.get("tools") else "stop"))
    usage = {
        "prompt_tokens": USAGE["in"],
        "completion_tokens": USAGE["out"],
        "total_tokens": USAGE["in"] + USAGE["out"],
        "prompt_tokens_details": {"cached_tokens": USAGE["cached"]},
    }
    events[-1][1]["usage"] = usage
    return [*events, (None, "[DONE]")]


def gemini(turn: Turn) -> list[tuple[str | None, Any]]:
    parts: list[dict[str, Any]] = []
    if turn.get("thinking"):
        parts.append({"text": turn["thinking"], "thought": True})
    parts += [{"text": piece} for piece in pieces(turn.get("text", ""))]
    parts += [{"functionCall": {"name": t["name"], "args": t["input"]}} for t in turn.get("tools", [])]
    usage = {
        "promptTokenCount": USAGE["in"],
        "candidatesTokenCount": USAGE["out"],
        "cachedContentTokenCount": USAGE["cached"],
        "totalTokenCount": USAGE["in"] + USAGE["out"],
    }
    return [
        (
            None,
            {
                "candidates": [
                    {
                        "content": {"role": "model", "parts": [part]},
                        "index": 0,
                        **({"finishReason": "STOP"} if part is parts[-1] else {}),
                    }
                ],
                "usageMetadata": usage,
                "modelVersion": "gemini-scripted",
            },
        )
        for part in parts
    ]


if __name__ == "__main__":
    with Model(json.loads(Path(sys.argv[1]).read_text())) as model:
        print(model.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(*(f"{path}" for path, _ in model.asked), sep="\n", file=sys.stderr)
