"""The animated picture of README: `python -m demo.picture` records the demo's board and writes docs/board.png.

Frames are screenshots; an animated PNG holds them as they are, so nothing else is needed to write it.
"""

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from demo.tour import CARD

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "board.png"
SIZE = {"width": 1600, "height": 800}
FRAME_SECONDS = 0.5
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk of a PNG: its name and its data."""
    at = len(SIGNATURE)
    while at < len(png):
        [length] = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def animated(frames: Sequence[bytes], seconds: float) -> bytes:
    """An animated PNG of screenshots of one size, repeated for ever. What does not change is one longer frame."""
    shown = [(frame, sum(1 for _ in same)) for frame, same in groupby(frames)]
    header = next(data for name, data in chunks(frames[0]) if name == b"IHDR")
    written = SIGNATURE + chunk(b"IHDR", header) + chunk(b"acTL", struct.pack(">II", len(shown), 0))
    number = 0
    for index, (frame, count) in enumerate(shown):
        place = header[:8] + struct.pack(">II", 0, 0)
        control = (
            struct.pack(">I", number) + place + struct.pack(">HHBB", int(count * seconds * 1000), 1000, 0, 0)
        )
        written += chunk(b"fcTL", control)
        number += 1
        for data in (data for name, data in chunks(frame) if name == b"IDAT"):
            if index == 0:
                written += chunk(b"IDAT", data)
            else:
                written += chunk(b"fdAT", struct.pack(">I", number) + data)
                number += 1
    return written + chunk(b"IEND", b"")


def carry(page: Page, column: str, frames: list[bytes]) -> None:
    """Carry the viewer's card to a column by mouse."""
    page.locator("[data-card]", has_text=CARD).hover()
    page.mouse.down()
    target = page.locator(
        "[data-column]", has=page.get_by_role("heading", name=column, exact=True)
    ).bounding_box()
    assert target, "the column is on the page"
    page.mouse.move(target["x"] + 120, target["y"] + 120, steps=8)
    wait(page, frames, 1.5)
    page.mouse.up()


def wait(page: Page, frames: list[bytes], seconds: float) -> None:
    for _ in range(int(seconds / FRAME_SECONDS)):
        page.wait_for_timeout(FRAME_SECONDS * 1000)
        frames.append(page.screenshot())


def record(page: Page) -> list[bytes]:
    """What README's four things look like."""
    frames: list[bytes] = []
    page.locator("[data-card]").first.wait_for()
    page.wait_for_timeout(6_000)  # until agents are at work
    wait(page, frames, 2.5)
    carry(page, "To do", frames)
    wait(page, frames, 3)
    page.get_by_role("link", name="Inbox").click()
    page.locator(".question").first.wait_for()
    wait(page, frames, 1.5)
    page.locator(".question .primary").first.click()
    wait(page, frames, 1)
    page.get_by_role("link", name="Signalbox server").click()
    wait(page, frames, 2)
    return frames


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PORT": "0", "PYTHONUNBUFFERED": "1"}
        environment["DATABASE_URL"] = f"sqlite:///{folder}/demo.sqlite3"
        command = [sys.executable, "server.py", "demo", "--speed", "2"]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert server.stdout
        link = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+#token=\S+", line)))
        try:
            with sync_playwright() as playwright:
                chromium = shutil.which("chromium") or "chromium"
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport=SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
                page.goto(link)
                PICTURE.write_bytes(animated(record(page), FRAME_SECONDS))
                browser.close()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


if __name__ == "__main__":
    main()
