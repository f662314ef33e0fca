"""Accounts: registering, what one sees and changes of oneself, keys of machines."""


async def test_somebody_signs_in(run):
    async with run() as app:
        ann = await app.has_user("ann")
        await app.has_user("eve", None)
        assert await app.data("{ me { id username email } }", "ann") == {
            "id": ann,
            "username": "ann",
            "email": None,
        }
        assert len((await app.data("{ workspaces { nodes { id } } }", "ann"))["nodes"]) == 1
        assert (await app.data("{ workspaces { nodes { id } } }", "eve"))["nodes"] == []
