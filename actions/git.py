"""What people and workers say about git, judged: names of refs, addresses of repositories, paths, commit ids.

Every value here ends up as an argument of a git command on some worker's machine, so it must be what it is said to
be: no option, no command, no other protocol, no path that leaves the repository. The functions are pure; each
returns the value to keep, or raises Invalid with the path of the field.
Source: git-check-ref-format(1), and git's own list of transports that a person has not chosen (protocol.allow).
"""

import re
from urllib.parse import SplitResult, urlsplit

from models.refusal import Invalid

MAX_REF_CHARACTERS = 200
MAX_BRANCH_CHARACTERS = 300
MAX_REF_PART_BYTES = 250  # a part of a ref is the name of a file, and of its lock
MAX_REPOSITORY_CHARACTERS = 500
MAX_PATH_CHARACTERS = 4_096
SHA = re.compile(r"[0-9a-fA-F]{4,64}")

_NOT_IN_REFS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEMES = ("https", "http", "ssh", "git")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")  # git runs a program of that name: ext::sh -c …
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCP = re.compile(r"(?:([^@/:]+)@)?([^@/:]+):(.*)")  # git@host:path
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PLACEHOLDER = re.compile(r"\{(card|slug|run)\}")
# What stands for each placeholder: all letters, digits and single dashes, so one example is as good as another.
_EXAMPLES = {"card": "ABCDEFGHIJ-1234567890", "slug": "s" * 50, "run": "run_" + "0" * 26}


def validate_ref(path: str, text: str, *, most: int = MAX_REF_CHARACTERS) -> str:
    """The name of a branch, a tag or a commit to begin from: `main`, `origin/main`, a commit id, `HEAD`."""
    text = text.strip(" ")
    if not 1 <= len(text) <= most:
        raise Invalid((path, f"must have 1 to {most} characters, not {len(text)}"))
    if why := _against_ref(text):
        raise Invalid((path, why))
    return text


def validate_branch(path: str, text: str) -> str:
    """The name of a branch that is or will be made: a ref, but for `HEAD`, which is none."""
    text = validate_ref(path, text, most=MAX_BRANCH_CHARACTERS)
    if text == "HEAD":
        raise Invalid((path, "is no branch"))
    return text


def validate_branch_template(path: str, text: str) -> str:
    """How branches are named: a branch's name in which {card}, {slug} and {run} may stand, and no other braces."""
    text = text.strip(" ")
    if not 1 <= len(text) <= MAX_REF_CHARACTERS:
        raise Invalid((path, f"must have 1 to {MAX_REF_CHARACTERS} characters, not {len(text)}"))
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise Invalid((path, "may name {card}, {slug}, {run} and nothing else in braces"))
    validate_branch(path, _PLACEHOLDER.sub(lambda found: _EXAMPLES[found[1]], text))
    return text


def validate_repository_url(path: str, text: str) -> str:
    """Where a repository is: https://, http://, ssh:// or git://, `git@host:path`, or a folder at the worker.

    Credentials never stand in it: everybody who sees the board reads it.
    """
    text = text.strip(" ")
    if not 1 <= len(text) <= MAX_REPOSITORY_CHARACTERS:
        raise Invalid((path, f"must have 1 to {MAX_REPOSITORY_CHARACTERS} characters, not {len(text)}"))
    if why := _against_repository(text):
        raise Invalid((path, why))
    return text


def validate_path(path: str, text: str) -> str:
    """The name of a file in a repository: relative, with slashes, never outside of it and never git's own."""
    if not 1 <= len(text) <= MAX_PATH_CHARACTERS:
        raise Invalid((path, f"must have 1 to {MAX_PATH_CHARACTERS} characters, not {len(text)}"))
    if "\0" in text or not _is_encodable(text):
        raise Invalid((path, "has a character that no file's name has"))
    if text.startswith("/") or _DRIVE.match(text):
        raise Invalid((path, "must be relative to the root of the repository"))
    parts = text.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise Invalid((path, "must name a file of the repository, without empty parts, `.` and `..`"))
    if any(part.lower() == ".git" for part in parts):
        raise Invalid((path, "is git's own"))
    return text


def validate_sha(path: str, text: str) -> str:
    """The id of a commit: 4 to 64 hexadecimal digits."""
    if not SHA.fullmatch(text):
        raise Invalid((path, "must be a commit id: 4 to 64 hexadecimal digits"))
    return text.lower()


def _against_ref(text: str) -> str | None:
    """Why a text is no name of a ref."""
    if text.startswith("-"):
        return "must not begin with a dash"
    if not _is_encodable(text):
        return "has a character that no name has"
    if text == "@" or text.endswith(".") or _NOT_IN_REFS.search(text):
        return "is no name that git takes: no space, control character, `..`, `//`, `@{`, or any of ~ ^ : ? * [ \\"
    for part in text.split("/"):
        if not part or part.startswith(".") or part.endswith(".lock"):
            return "is no name that git takes: no part is empty, begins with a dot or ends with .lock"
        if len(part.encode()) > MAX_REF_PART_BYTES:
            return f"has a part of more than {MAX_REF_PART_BYTES} bytes"
    return None


def _against_repository(text: str) -> str | None:
    """Why a text is no place of a repository."""
    if text.startswith("-"):
        return "must not begin with a dash"
    if _CONTROL.search(text) or not _is_encodable(text):
        return "has a control character"
    if _HELPER.match(text):
        return "must not name a program of git's: `name::`"
    if found := _SCHEME.match(text):
        if found[1].lower() not in _SCHEMES:
            return "must begin with https://, http://, ssh:// or git://, or name a folder"
        return _against_url(text, found[1].lower())
    if "://" in text:
        return "is no address"
    if text.lower().startswith("file:"):
        return "must not be a file: address"
    if "@" in text.split("/", 1)[0] and text.split("@", 1)[0].count(":"):
        return "must not hold credentials"
    if not _DRIVE.match(text) and (found := _SCP.fullmatch(text)):
        user, host, place = found.groups()
        if not _HOST.fullmatch(host) or (user is not None and not _USER.fullmatch(user)):
            return "names no host"
        return None if place and not place.startswith("-") else "names no repository"
    return None


def _against_url(text: str, scheme: str) -> str | None:
    if re.search(r"\s", text):
        return "has a space"
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return "is no address"
    if url.password is not None or (url.username is not None and scheme != "ssh"):
        return "must not hold credentials"
    if url.username is not None and not _USER.fullmatch(url.username):
        return "names no user"
    if not host or not _HOST.fullmatch(_bracketed(url, host)):
        return "names no host"
    if port == 0 or url.path in ("", "/"):
        return "names no repository" if port != 0 else "is no address"
    return None


def _bracketed(url: SplitResult, host: str) -> str:
    return f"[{host}]" if "[" in url.netloc else host


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
