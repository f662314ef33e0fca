"""Worktrees on a real git: isolated, unique, never losing work."""

import asyncio
import subprocess

import pytest

from agents.worktree import Unmerged, WorkspaceError, Worktree, filled, git


def run_git(folder, *words):
    return subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    run_git(folder, "config", "user.name", "Ann")
    run_git(folder, "config", "user.email", "ann@example.com")
    (folder / "readme.md").write_text("hello\n")
    (folder / "picture").write_bytes(bytes(range(256)))
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", "Begin")
    return folder


async def cut(repository, run="run_1", **more):
    names = {"card": "WEB-1", "slug": "Add a: greeting!"}
    return await Worktree.cut(repository, repository.parent / "work", run, names=names, **more)


async def test_a_run_works_apart_from_the_users_checkout(repository):
    tree = await cut(repository)
    assert tree.branch == "signalbox/WEB-1-Add-a-greeting"
    (tree.folder / "readme.md").write_text("hello\nworld\n")
    (tree.folder / "new ünïcode\tname.txt").write_text("1\n2\n")
    (tree.folder / "picture").write_bytes(b"\0" * 10)
    assert await tree.commit_rest("Say more\n\nBecause.") is True
    assert await tree.commit_rest("Nothing") is False
    diff = await tree.diff()
    assert {(f.path, f.additions, f.deletions) for f in diff.files} == {
        ("readme.md", 1, 0),
        ("new ünïcode\tname.txt", 2, 0),
        ("picture", None, None),
    }
    assert (diff.additions, diff.deletions, diff.is_cut) == (3, 0, False)
    assert "+world" in diff.patch
    [commit] = await tree.commits()
    assert (commit.subject, commit.sha) == ("Say more", await tree.head())
    assert (repository / "readme.md").read_text() == "hello\n"
    assert run_git(repository, "status", "--porcelain") == ""


async def test_a_rename_is_one_file(repository):
    tree = await cut(repository)
    (tree.folder / "readme.md").rename(tree.folder / "README")
    await tree.commit_rest("Rename")
    assert [f.path for f in (await tree.diff()).files] == ["README"]


async def test_many_runs_of_one_card_get_branches_of_their_own(repository):
    trees = await asyncio.gather(*(cut(repository, f"run_{n}") for n in range(8)))
    assert len({tree.branch for tree in trees}) == len({tree.folder for tree in trees}) == 8
    listed = run_git(repository, "branch", "--list", "signalbox/*").split()
    assert len([name for name in listed if name.startswith("signalbox/")]) == 8


async def test_a_run_that_goes_on_finds_its_folder_and_its_base_again(repository):
    tree = await cut(repository)
    (tree.folder / "a").write_text("a")
    await tree.commit_rest("A")
    run_git(repository, "merge", "-q", "--no-ff", "-m", "Merge", tree.branch)
    again = await cut(repository)
    assert again == tree
    assert [f.path for f in (await again.diff()).files] == ["a"]


async def test_another_run_goes_on_with_the_same_branch(repository):
    tree = await cut(repository)
    (tree.folder / "a").write_text("a")
    await tree.commit_rest("A")
    other = await cut(repository, "run_2", branch=tree.branch)
    assert (other.branch, (other.folder / "a").read_text()) == (tree.branch, "a")
    assert [c.subject for c in await other.commits()] == ["A"]


async def test_cleaning_up_never_deletes_unmerged_work(repository):
    tree = await cut(repository)
    (tree.folder / "new.txt").write_text("precious")
    with pytest.raises(Unmerged):
        await tree.remove()
    assert (tree.folder / "new.txt").exists()
    await tree.commit_rest("Keep it")
    assert await tree.remove() is False
    assert not tree.folder.exists()
    assert run_git(repository, "show", f"{tree.branch}:new.txt") == "precious"
    run_git(repository, "merge", "-q", tree.branch)
    assert await tree.remove() is True
    assert run_git(repository, "branch", "--list", "signalbox/*") == ""
    assert run_git(repository, "for-each-ref", "refs/signalbox") == ""


async def test_commits_off_the_branch_are_not_lost_either(repository):
    tree = await cut(repository)
    run_git(tree.folder, "checkout", "-q", "--detach")
    (tree.folder / "new.txt").write_text("precious")
    await tree.commit_rest("Astray")
    with pytest.raises(Unmerged):
        await tree.remove()


async def test_discarding_is_a_word_of_its_own(repository):
    tree = await cut(repository)
    (tree.folder / "new.txt").write_text("worthless")
    await tree.discard()
    assert not tree.folder.exists()
    assert run_git(repository, "branch", "--list", "signalbox/*") == ""


@pytest.mark.parametrize(
    "template",
    [
        "-f",
        "--upload-pack=evil",
        "a..b",
        "a b",
        "a~1",
        "a\nb",
        "refs/heads/x",
        "HEAD",
        "x.lock",
        "@{-1}",
        "@",
        "",
        "a" * 300,
    ],
)
async def test_a_hostile_branch_is_refused(repository, template):
    with pytest.raises(WorkspaceError):
        await cut(repository, "run_x", branch=template) if template else await cut(
            repository, "run_x", template="//"
        )
    assert not (repository.parent / "work" / "run_x").exists()


@pytest.mark.parametrize("run", ["../x", "/etc", "", ".", "a/b", "-x", "a\0b", "x" * 99])
async def test_a_hostile_folder_is_refused(repository, run):
    with pytest.raises(WorkspaceError):
        await cut(repository, run)


@pytest.mark.parametrize("base", ["nowhere", "--output=/tmp/x", "HEAD:readme.md", "-q"])
async def test_a_base_that_is_no_commit_is_refused(repository, base):
    with pytest.raises(WorkspaceError):
        await cut(repository, base=base)


def test_names_become_words_that_a_branch_can_hold():
    assert filled("{who}/{card}-{slug}", {"card": "WEB-1", "slug": "../../$(rm -rf ~)"}) == "WEB-1-rm-rf"


async def test_places_that_are_no_repository_are_told(repository, tmp_path):
    with pytest.raises(WorkspaceError, match="not a git repository"):
        await Worktree.cut(tmp_path / "nowhere", tmp_path / "work", "run_1")
    empty = tmp_path / "empty"
    empty.mkdir()
    run_git(empty, "init", "-q")
    with pytest.raises(WorkspaceError, match="has no commit"):
        await Worktree.cut(empty, tmp_path / "work", "run_1")
    (tmp_path / "work" / "run_7").mkdir(parents=True)
    with pytest.raises(WorkspaceError):
        await cut(repository, "run_7")


async def test_nothing_of_the_repository_is_executed(repository, tmp_path):
    witness = tmp_path / "witness"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {witness}\n")
    evil.chmod(0o755)
    for hook in ("pre-commit", "post-commit", "post-checkout", "commit-msg", "reference-transaction"):
        (repository / ".git" / "hooks" / hook).write_text(evil.read_text())
        (repository / ".git" / "hooks" / hook).chmod(0o755)
    for setting in ("core.fsmonitor", "diff.external", "core.pager", "diff.evil.textconv"):
        run_git(repository, "config", setting, str(evil))
    tree = await cut(repository)
    (tree.folder / ".gitattributes").write_text("* diff=evil\n")
    await tree.commit_rest("Quietly")
    await tree.diff()
    await tree.commits()
    assert not witness.exists()


async def test_a_large_patch_is_cut_and_git_is_ended(repository):
    tree = await cut(repository)
    (tree.folder / "large.txt").write_text("line of text\n" * 400_000)
    await tree.commit_rest("Large")
    diff = await tree.diff()
    assert (diff.is_cut, diff.additions) == (True, 400_000)
    assert len(diff.patch.encode()) == 1_048_576


async def test_an_error_of_git_is_one_sentence(repository):
    with pytest.raises(WorkspaceError, match=r"^git rev-parse: [^\n]+$"):
        await git(repository, "rev-parse", "--verify", "nonsense")
