"""Uploads: a body becomes a file, all of it or nothing."""

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager

from actions.file import Place, abandon_object, add_file, reserve_object
from actions.file_content import judge
from auth.authentication import check_credential
from auth.services import Services
from kit.db.transaction import Transaction
from models.actor import Actor
from models.file import File

Begin = Callable[[], AbstractAsyncContextManager[Transaction]]


class TooLarge(Exception):
    """The body is larger than a file may be."""


class Incomplete(Exception):
    """The body is not as long as it was announced."""


async def store_file(
    services: Services,
    begin: Begin,
    actor: Actor,
    place: Place,
    name: str,
    body: AsyncIterable[bytes],
    size: int | None,
) -> File:
    """Store a body of `size` bytes, or of any length, as a file. `begin` opens a transaction of the actor.

    Raises Refusal, TooLarge, Incomplete or StoreUnavailable. Then nothing stays.
    """
    async with begin() as tx:
        key = await reserve_object(tx, actor, services.settings, place, size)
    is_kept = False
    try:
        spool = await services.files.spool(key)
        try:
            async for chunk in body:
                if spool.size + len(chunk) > services.settings.file_bytes:
                    raise TooLarge
                await spool.write(chunk)
            if size is not None and spool.size != size:
                raise Incomplete(f"The body has {spool.size} bytes, and {size} were announced")
            await spool.finish()
            content = await asyncio.to_thread(judge, name, spool)
            await services.files.keep(key, spool)
        finally:
            await asyncio.shield(spool.discard())
        await check_credential(services, actor)  # an upload may take hours
        async with begin() as tx:
            file = await add_file(tx, actor, services.settings, place, key, content)
        is_kept = True
    finally:
        if not is_kept:
            await asyncio.shield(abandon_object(services, begin, key))
    return file
