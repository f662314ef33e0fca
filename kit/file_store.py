"""Where the bytes of files are: a folder of this machine, or a bucket of S3, Google Cloud Storage or Azure.

An upload is written to a spool, a file on this machine, and becomes an object only when it is whole. The memory
that an upload takes is bounded by BUFFER_BYTES, however large it is. A spool that is given up leaves nothing; after
a crash `delete` removes what is left of it.
"""

import asyncio
import codecs
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

log = logging.getLogger("signalbox.files")

BUFFER_BYTES = 64 * 1024  # of an upload in memory
CHUNK_BYTES = 256 * 1024  # of a download
HEAD_BYTES = 8 * 1024  # from the beginning of a file, which tell its type
PART_BYTES = 5 << 20  # of an upload to a bucket; S3 takes no smaller ones
MAX_TRANSFERS = 3  # uploads to a bucket at once; the others wait on disk
MAX_THREADS = 4
REQUEST_SECONDS = 60
RETRY_SECONDS = 20
ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
MISSING_BUCKET = re.compile("NoSuchBucket|ContainerNotFound|bucket does not exist")
BUCKETS = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")
SCHEMES = ("file", *BUCKETS)

T = TypeVar("T")


class StoreUnavailable(Exception):
    """The store cannot be used now: it is down, full, or lost an object. The text is for people."""


def check_url(url: str) -> str:
    """Return the URL of a store. Raises ValueError."""
    parts = urlsplit(url)
    if not url or (len(parts.scheme) < 2 and "\0" not in url):  # a path, such as /data/files or C:\files
        return url
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must be a folder, or begin with {', '.join(f'{each}://' for each in SCHEMES[:4])}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must not hold credentials or options: they are read from the environment")
    if parts.scheme != "file" and not parts.netloc:
        raise ValueError("must name a bucket, such as s3://bucket/folder")
    return url


class Spool:
    """A file that is being written. Knows its size, its SHA-256 and its first bytes."""

    def __init__(self, run: Callable[..., Any], file: IO[bytes], path: Path | None) -> None:
        self._run, self.file, self.path = run, file, path
        self.size, self.head, self.is_text = 0, b"", True
        self._hash, self._pending = hashlib.sha256(), bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    async def write(self, chunk: bytes) -> None:
        """Add bytes. Raises StoreUnavailable."""
        self.size += len(chunk)
        self._pending += chunk
        if len(self._pending) >= BUFFER_BYTES:
            await self._flush()

    async def finish(self) -> None:
        """Write what is left, durably. Raises StoreUnavailable."""
        await self._flush()
        await self._run(self._sync)

    async def discard(self) -> None:
        """Remove the file unless it became an object."""
        await self._run(self._remove)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def _flush(self) -> None:
        pending, self._pending = bytes(self._pending), bytearray()
        await self._run(partial(self._write, pending))

    def _write(self, data: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        if self.is_text:
            try:
                self.is_text = b"\0" not in data and self._decoder.decode(data) is not None
            except UnicodeDecodeError:
                self.is_text = False
        self._hash.update(data)
        self.file.write(data)

    def _sync(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())

    def _remove(self) -> None:
        self.file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class FileStore:
    """Objects by key. The library, and the folder, are opened by the first use."""

    def __init__(self, url: str) -> None:
        self.url = url
        is_bucket = urlsplit(url).scheme in BUCKETS
        path = urlsplit(url).path if url.startswith("file:") else url
        self.folder = None if is_bucket else Path(path).absolute()
        self._opened: Any = None
        self._threads = ThreadPoolExecutor(MAX_THREADS, "files")
        self._transfers = asyncio.Semaphore(MAX_TRANSFERS)

    async def spool(self, key: str) -> Spool:
        """Open a spool for the object `key`. Raises StoreUnavailable."""
        return await self._run(partial(self._open_spool, key))

    async def keep(self, key: str, spool: Spool) -> None:
        """Make a finished spool the object `key`, whole or not at all. Raises StoreUnavailable."""
        if self.folder is not None:
            await self._run(partial(self._rename, key, spool))
            return
        import obstore

        async with self._transfers:
            spool.file.seek(0)
            store = await self._store()
            putting = obstore.put_async(store, key, spool.file, chunk_size=PART_BYTES, max_concurrency=1)
            try:
                await _translated(putting)
            except FileNotFoundError as error:  # the bucket
                raise _unavailable("is not there", error) from error

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Open the bytes from `start` up to `end`. Raises StoreUnavailable, also while they are read."""
        import obstore

        store = await self._store()
        if start == end:
            return _nothing()
        found = await _translated(obstore.get_async(store, key, options={"range": (start, end)}))
        return _chunks(found.stream(min_chunk_size=CHUNK_BYTES))

    async def delete(self, key: str) -> None:
        """Delete an object, or what is left of its spool; neither need exist. Raises StoreUnavailable."""
        if self.folder is not None:
            await self._run(partial(self._unlink, key))
            return
        import obstore

        try:
            await _translated(obstore.delete_async(await self._store(), key))
        except FileNotFoundError as error:
            if MISSING_BUCKET.search(str(error)):  # not the object
                raise _unavailable("is not there", error) from error

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise StoreUnavailable(f"The store of files does not work: {error.strerror}") from error

    async def _store(self) -> Any:
        if self._opened is None:
            self._opened = await self._run(self._open)
        return self._opened

    def _open(self) -> Any:
        from obstore.exceptions import BaseError
        from obstore.store import LocalStore, from_url

        if self.folder is not None:
            return LocalStore(self.folder, mkdir=True)
        is_plain = any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)
        options: Any = {
            "allow_http": is_plain,
            "timeout": timedelta(seconds=REQUEST_SECONDS),
            "connect_timeout": timedelta(seconds=5),
        }
        retry: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
        try:
            return from_url(self.url, client_options=options, retry_config=retry)
        except BaseError as error:
            raise _unavailable("cannot be opened", error) from error

    def _open_spool(self, key: str) -> Spool:
        if self.folder is None:
            return Spool(
                self._run, tempfile.TemporaryFile(), None
            )  # without a name: it goes with the process
        path = self._incoming(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return Spool(self._run, path.open("x+b"), path)

    def _rename(self, key: str, spool: Spool) -> None:
        assert self.folder is not None, "a folder"
        assert spool.path is not None, "its spool is beside it"
        target = self.folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        spool.path.rename(target)
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _unlink(self, key: str) -> None:
        assert self.folder is not None, "a folder"
        (self.folder / key).unlink(missing_ok=True)
        self._incoming(key).unlink(missing_ok=True)

    def _incoming(self, key: str) -> Path:
        assert self.folder is not None, "a folder"
        return self.folder / "incoming" / key.rpartition("/")[2]


async def _translated(awaitable: Any) -> Any:
    """Await a call of the library. Raises FileNotFoundError or StoreUnavailable."""
    from obstore.exceptions import BaseError

    try:
        return await awaitable
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise _unavailable("does not answer", error) from error


async def _chunks(stream: Any) -> AsyncIterator[bytes]:
    from obstore.exceptions import BaseError

    try:
        async for chunk in stream:
            yield bytes(chunk)
    except (BaseError, OSError) as error:
        raise _unavailable("stopped", error) from error


def _unavailable(what: str, error: Exception) -> StoreUnavailable:
    """Log the reason without the query of an address, which may be a signature. Clients are not told it."""
    log.warning("the store of files %s: %s", what, re.sub(r"\?\S+", "?…", str(error).partition("\n")[0]))
    return StoreUnavailable(f"The store of files {what}")


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
