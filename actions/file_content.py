"""The content of an uploaded file, judged by its bytes; nothing that the client says about it is believed."""

import re
import unicodedata
from dataclasses import dataclass

from kit.file_store import Spool
from models.file import MAX_FILE_NAME_BYTES, MAX_FILE_NAME_LENGTH

DEFAULT_FILE_NAME = "file"
MAX_SUFFIX_LENGTH = 20  # characters of a suffix that a shortened name keeps
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
MAX_PIXELS = 2**31 - 1
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # categories: among them, changes of direction
RESERVED = re.compile(r'[<>:"|?*]')  # that a file system refuses
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """A file's name, and the facts that its bytes tell."""

    name: str
    size: int
    sha256: str
    media_type: str
    width: int | None = None
    height: int | None = None


def safe_name(name: str) -> str:
    """Return a name that is safe in a folder, in a header and on a screen. Any text gives one."""
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(char for char in name if unicodedata.category(char) not in INVISIBLE)
    name = RESERVED.sub("_", " ".join(name.split())).strip(". ")
    if DEVICES.fullmatch(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > MAX_SUFFIX_LENGTH:
        stem, dot, suffix = name, "", ""
    while len(name) > MAX_FILE_NAME_LENGTH or len(name.encode()) > MAX_FILE_NAME_BYTES:
        stem = stem[:-1]
        name = f"{stem}{dot}{suffix}"
    return name or DEFAULT_FILE_NAME


def judge(name: str, spool: Spool) -> Content:
    """Return the content of a finished spool. Reads the file: call it in a thread."""
    import filetype

    kind = filetype.guess(spool.head)
    if kind is not None:
        media_type = str(kind.mime)
    elif spool.is_text and spool.size:
        media_type = "text/plain"
    else:
        media_type = "application/octet-stream"
    width, height = _dimensions(spool) if media_type.startswith("image/") else (None, None)
    if media_type in PICTURES and width is None:  # it begins as a picture does, and is none
        media_type = "application/octet-stream"
    return Content(safe_name(name), spool.size, spool.sha256, media_type, width, height)


def _dimensions(spool: Spool) -> tuple[int, int] | tuple[None, None]:
    """Return the width and height of an image as its header says; the image is never unpacked."""
    import imagesize

    spool.file.seek(0)
    try:
        width, height = imagesize.get(spool.file)
    except Exception:  # of a broken header, in a library that reads bytes
        return None, None
    is_known = 0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS
    return (int(width), int(height)) if is_known else (None, None)
