"""Files in a bucket: a real server that speaks the protocol of S3 (moto), up, slow to appear and down.

MOTO_PYTHON names an interpreter that has `moto[server]`; default: the one that runs the tests.
"""

import asyncio
import contextlib
import os
import subprocess
import sys

import httpx2
import pytest

from actions.file import free_unreferenced
from actions.job import JobFailed
from kit import file_store
from tests.conftest import free_port
from tests.test_file import DELETE, FILES, download, objects, upload, uploaded

pytestmark = pytest.mark.long


class Bucket:
    """A server of S3 with one bucket, on a port that it keeps."""

    def __init__(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = None

    async def start(self):
        port = self.url.rpartition(":")[2]
        command = [os.environ.get("MOTO_PYTHON", sys.executable), "-m", "moto.server", "-p", port]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        async with asyncio.timeout(60), httpx2.AsyncClient() as http:
            while True:
                with contextlib.suppress(httpx2.HTTPError):
                    if (await http.put(f"{self.url}/files")).status_code == 200:
                        return
                assert self.process.poll() is None, "moto[server] is not installed"
                await asyncio.sleep(0.1)

    async def keys(self):
        async with httpx2.AsyncClient() as http:
            return (await http.get(f"{self.url}/files")).text.count("<Key>")

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
async def bucket(monkeypatch):
    made = Bucket()
    await made.start()
    for name, value in {
        "AWS_ENDPOINT_URL": made.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(file_store, "RETRY_SECONDS", 1)
    yield made
    made.stop()


async def test_files_in_a_bucket(run, bucket):
    async with run(files_url="s3://files/board") as app:
        _, [card] = await app.has_board("One")
        small = await uploaded(app, b"0123456789", cardId=card)
        content = os.urandom(1 << 20) * 12  # of three parts
        large = await uploaded(app, content, cardId=card)
        assert await bucket.keys() == 2
        assert (await download(app, small["id"])).content == b"0123456789"
        assert (await download(app, large["id"])).content == content
        part = await download(app, large["id"], range="bytes=5242870-5242889")
        assert (part.status_code, part.content) == (206, content[5242870:5242890])
        for file in (small, large):
            assert (await app.data(DELETE, id=file["id"]))["__typename"] == "File"
        async with asyncio.timeout(20):
            while await bucket.keys() or await objects(app):
                await asyncio.sleep(0.05)


async def test_a_bucket_that_is_down(run, bucket):
    async with run(files_url="s3://files") as app:
        _, [card] = await app.has_board("One")
        file = await uploaded(app, b"x", cardId=card)
        bucket.stop()
        for answer in (await upload(app, b"y", cardId=card), await download(app, file["id"])):
            assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
            assert "127.0.0.1" not in answer.text
        assert (await app.data(FILES, id=card))["fileCount"] == 1
        await app.data(DELETE, id=file["id"])
        with pytest.raises(JobFailed):
            await free_unreferenced(app.services, {})
        assert await objects(app) == 2, "the deleted one, and the one of which nothing is known"
        await bucket.start()
        await free_unreferenced(app.services, {})
        assert await objects(app) == 1, "an upload without an end is kept for a day"
        again = await uploaded(app, b"z", cardId=card)
        assert (await download(app, again["id"])).content == b"z"


async def test_a_bucket_that_is_not_there(run, bucket):
    async with run(files_url="s3://nowhere") as app:
        _, [card] = await app.has_board("One")
        assert (await upload(app, b"y", cardId=card)).status_code == 503
        assert (await app.data(FILES, id=card))["fileCount"] == 0
