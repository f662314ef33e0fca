"""Lines of Claude Code's control protocol: what is written to its standard input."""

import json

from worker.programs.adapter import Json


def control_line(message: Json) -> bytes:
    return json.dumps(message).encode() + b"\n"


def user_message(text: str) -> bytes:
    content = [{"type": "text", "text": text}]
    return control_line({"type": "user", "message": {"role": "user", "content": content}})


def allow_request(key: str, input: Json) -> bytes:
    return respond(key, {"behavior": "allow", "updatedInput": input})


def deny_request(key: str, why: str) -> bytes:
    return respond(key, {"behavior": "deny", "message": why})


def interrupt_request() -> bytes:
    request = {"request_id": "conclude", "request": {"subtype": "interrupt"}}
    return control_line({"type": "control_request", **request})


def respond(key: str, response: Json) -> bytes:
    answer = {"subtype": "success", "request_id": key, "response": response}
    return response_line(answer)


def response_line(response: Json) -> bytes:
    return control_line({"type": "control_response", "response": response})
