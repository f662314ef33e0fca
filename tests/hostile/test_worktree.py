"""Worktrees whose agents write what git reads: nothing of it is run by the worker, and no work is lost."""

import contextlib
import os
import subprocess

import pytest

from tests.worker import test_worker, test_worktree
from tests.worker.test_worker import ended, enqueue
from tests.worker.test_worktree import run_git
from worker.worktree import WorkspaceError, Worktree

pytestmark = pytest.mark.processes

services = test_worker.services
repository, trees = test_worktree.repository, test_worktree.trees
cut, let_go = test_worktree.cut, test_worktree.let_go


@pytest.fixture
def witness(tmp_path):
    return tmp_path / "witness"


@pytest.fixture
def evil(tmp_path, witness):
    """A program that leaves a witness, and passes on what it is given."""
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\necho ran >> {witness}\ncat\n")
    program.chmod(0o755)
    return program


def config_of(evil, folder):
    """What an agent may write so that git runs a program."""
    return f"""[core]
\trepositoryformatversion = 0
\tfsmonitor = {evil}
\thooksPath = {folder}/hooks
\tpager = {evil}
\tsshCommand = {evil}
[filter "evil"]
\tclean = {evil}
\tsmudge = {evil}
\trequired = true
[diff]
\texternal = {evil}
[diff "evil"]
\ttextconv = {evil}
\tcommand = {evil}
[gpg]
\tprogram = {evil}
[log]
\tshowSignature = true
[credential]
\thelper = {evil}
[include]
\tpath = {folder}/more
"""


def written_git_folder(folder, evil):
    """A git directory as it can be written with an editor: without git, and without permission to run."""
    for path in ("objects", "refs/heads", "hooks"):
        (folder / path).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "config").write_text(config_of(evil, folder))
    return folder


async def settled(tree):
    """The same steps as a worker's at the end of a run; a failure is no harm."""
    with contextlib.suppress(WorkspaceError):
        await tree.commit_rest("Work")
        await tree.diff()
        await tree.commits()
    with contextlib.suppress(WorkspaceError):
        await tree.remove()


@pytest.mark.parametrize("kind", ["pointer", "folder", "link", "gone", "pipe"])
async def test_a_git_pointer_that_was_replaced_is_refused_and_the_folder_kept(
    cut, let_go, repository, evil, witness, kind
):
    tree = await cut()
    pointer = tree.folder / ".git"
    pointer.unlink()
    other = written_git_folder(tree.folder / (".git" if kind == "folder" else "other"), evil)
    if kind == "pointer":
        pointer.write_text(f"gitdir: {other}\n")
    elif kind == "link":
        pointer.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(pointer)
    (tree.folder / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (tree.folder / "precious.txt").write_text("precious")
    with pytest.raises(WorkspaceError, match=r"\.git of .* was changed"):
        await tree.commit_rest("Work")
    await settled(tree)
    assert not witness.exists()
    assert (tree.folder / "precious.txt").read_text() == "precious"
    let_go(tree)
    with pytest.raises(WorkspaceError, match=r"\.git of .* was changed"):
        await cut(attempt=2)
    assert not witness.exists()
    assert (tree.folder / "precious.txt").exists()


async def test_a_run_whose_git_pointer_was_replaced_fails_and_says_why(
    services, repository, evil, witness, tmp_path
):
    other = written_git_folder(tmp_path / "other", evil)
    await services.worker()
    enqueue(
        services,
        command=f"echo 'gitdir: {other}' > .git; echo '* filter=evil' > .gitattributes; echo x > new",
    )
    how, failure = await ended(services)
    assert (how, failure.code, failure.retryable) == ("fail", "WORKSPACE_ERROR", False)
    assert ".git" in failure.reason
    assert (tmp_path / "work" / "run_1" / "new").exists()
    assert not witness.exists()


async def test_a_repository_within_the_folder_runs_nothing(cut, evil, witness):
    tree = await cut()
    for name, head in (("one", "ref: refs/heads/main\n"), ("two", "1" * 40 + "\n")):
        other = written_git_folder(tree.folder / name / ".git", evil)
        (other / "HEAD").write_text(head)
        (tree.folder / name / ".gitattributes").write_text("* filter=evil diff=evil\n")
        (tree.folder / name / "file").write_text("text")
    (tree.folder / ".gitmodules").write_text(
        f'[submodule "two"]\n\tpath = two\n\turl = ext::{evil}\n\tupdate = !{evil}\n\tignore = none\n'
    )
    await settled(tree)
    await settled(tree)  # what is a link to a commit by now is looked into by git
    assert not witness.exists()


async def test_a_link_to_a_commit_with_a_planted_repository_runs_nothing(cut, repository, evil, witness):
    """The owner's own submodule, whose folder is empty until an agent fills it."""
    head = run_git(repository, "rev-parse", "HEAD").strip()
    run_git(repository, "update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    run_git(repository, "commit", "-qm", "A submodule")
    tree = await cut()
    other = written_git_folder(tree.folder / "sub" / ".git", evil)
    (other / "refs/heads/main").write_text(head + "\n")
    (tree.folder / "sub" / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (tree.folder / "sub" / "file").write_text("text")
    (tree.folder / "new").write_text("text")
    await settled(tree)
    assert not witness.exists()
    assert run_git(repository, "show", f"{tree.branch}:new") == "text"


@pytest.mark.parametrize("where", ["config", "config.worktree", "include", "global"])
async def test_settings_that_a_run_writes_into_the_repository_are_not_used(
    cut, let_go, repository, evil, witness, tmp_path, monkeypatch, where
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (repository / "readme.md").write_text("hello\n" * 2)
    if where == "config.worktree":
        run_git(repository, "config", "extensions.worktreeConfig", "true")
    if where == "include":
        run_git(repository, "config", "include.path", str(tmp_path / "included"))
    tree = await cut()
    own = run_git(tree.folder, "rev-parse", "--absolute-git-dir").strip()
    file = {
        "config": repository / ".git" / "config",
        "config.worktree": f"{own}/config.worktree",
        "include": tmp_path / "included",
        "global": home / ".gitconfig",
    }[where]
    with open(file, "a") as config:
        config.write(config_of(evil, tmp_path))
    (repository / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil\n")
    (tree.folder / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (tree.folder / "new").write_text("text")
    settled = await tree.settle("Work")
    await tree.diff()
    await tree.commits()
    assert not witness.exists()
    assert shown_at(repository, tree.branch, "new") == "text"
    if where != "config.worktree":
        assert any("filter.evil.clean" in text for text in settled.warnings), settled.warnings
    assert any("info/attributes" in text for text in settled.warnings), settled.warnings
    await cut("run_2")  # its files are written by git as well
    assert not witness.exists()


def shown_at(repository, branch, path):
    """A file of a branch, read without any filter."""
    words = ("git", "-C", str(repository), "cat-file", "blob", f"{branch}:{path}")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


async def test_a_hook_that_a_run_writes_is_told(cut, repository, evil, witness):
    tree = await cut()
    (repository / ".git" / "hooks" / "post-commit").write_text(evil.read_text())
    (repository / ".git" / "hooks" / "post-commit").chmod(0o755)
    (tree.folder / "new").write_text("text")
    settled = await tree.settle("Work")
    assert any("hooks/post-commit" in text for text in settled.warnings)
    assert not witness.exists()


async def test_the_owners_own_filter_is_used(cut, repository, tmp_path):
    run_git(repository, "config", "filter.shout.clean", "tr a-z A-Z")
    run_git(repository, "config", "filter.shout.smudge", "tr A-Z a-z")
    (repository / ".gitattributes").write_text("*.txt filter=shout\n")
    (repository / "old.txt").write_text("old")
    run_git(repository, "add", "-A")
    run_git(repository, "commit", "-qm", "Shout")
    tree = await cut()
    assert (tree.folder / "old.txt").read_text() == "old"
    (tree.folder / "new.txt").write_text('say "so"\\')
    await tree.commit_rest("Work")
    assert shown_at(repository, tree.branch, "new.txt") == 'SAY "SO"\\'


async def test_names_of_every_kind_are_committed(cut, repository):
    tree = await cut()
    names = [b"a\nb", b"-rf", b"--all", b"\xff\xfe", b":(top)x", b"!x", b"a\tb", b'"q"', b"sp ace ", b"*"]
    for name in names:
        with open(os.path.join(os.fsencode(tree.folder), name), "wb") as file:
            file.write(b"1\n")
    for name in names[:4]:
        folder = os.path.join(os.fsencode(tree.folder), b"in " + name)
        os.mkdir(folder)
        subprocess.run(["git", "init", "-q", folder], check=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"1\n")
    settled = await tree.settle("Work")
    assert settled.warnings == ()
    diff = await tree.diff()
    assert len(diff.files) == diff.additions == len(names) + 4
    words = ["git", "-C", str(repository), "ls-tree", "-r", "-z", "--name-only", tree.branch]
    listed = subprocess.run(words, check=True, capture_output=True).stdout.split(b"\0")
    assert {*names, *(b"in " + name + b"/" + name for name in names[:4])} <= set(listed)
    "".join(file.path for file in diff.files).encode()  # it can be told
    await tree.remove()
    assert not tree.folder.exists()


async def test_pipes_links_and_unreadable_places_hold_nobody(cut, repository, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    (repository / "tracked").write_text("text")
    run_git(repository, "add", "-A")
    run_git(repository, "commit", "-qm", "More")
    tree = await cut()
    (tree.folder / "tracked").unlink()
    for name in ("tracked", "pipe", ".gitignore", ".gitmodules"):
        os.mkfifo(tree.folder / name)
    (tree.folder / "sub").mkdir()
    os.mkfifo(tree.folder / "sub" / ".gitattributes")
    (tree.folder / "out").symlink_to(secret)
    (tree.folder / "round").symlink_to(tree.folder)
    (tree.folder / "passwd").symlink_to("/etc/passwd")
    if os.geteuid() == 0:
        os.mknod(tree.folder / "zero", 0o666 | 0o020000, os.makedev(1, 5))
    (tree.folder / "new").write_text("text")
    settled = await tree.settle("Work")
    diff = await tree.diff()
    assert {file.path for file in diff.files} >= {"new", "out", "passwd", "round"}
    assert "secret" not in diff.patch.replace(str(secret), "")
    assert "tracked" in "".join(settled.warnings)
    assert (secret / "key").exists()
    with pytest.raises(WorkspaceError):
        await tree.remove()
    os.unlink(tree.folder / "tracked")
    await tree.commit_rest("Gone")
    await tree.remove()
    assert (secret / "key").read_text() == "secret"
    assert not tree.folder.exists()


@pytest.fixture
def dig(tmp_path):
    """Makes folders within folders; what is left of them in the end is more than pytest can remove."""

    def dig(folder, depth):
        lines = (
            f"for n in range({depth}):",
            "    os.mkdir('deep')",
            "    os.chdir('deep')",
            "open('f', 'w')",
        )
        script = "\n".join(("import os", *lines))
        subprocess.run(["python3", "-c", script], cwd=folder, check=True)

    yield dig
    subprocess.run(["rm", "-rf", str(tmp_path / "work")], check=True)


async def test_a_very_deep_folder_is_removed(cut, dig):
    tree = await cut()
    dig(tree.folder, 3000)
    (tree.folder / ".gitignore").write_text("deep\n")
    settled = await tree.settle("Work")
    assert settled.committed
    await tree.remove()
    assert not [path.name for path in tree.folder.parent.iterdir() if path.is_dir()]


async def test_a_folder_that_git_cannot_read_is_kept_and_told(cut, dig, repository):
    tree = await cut()
    script = (
        "import os\nfor n in range(1200):\n    os.mkdir('deep')\n    os.chdir('deep')\nopen('f', 'w').close()"
    )
    subprocess.run(["python3", "-c", script], cwd=tree.folder, check=True)
    (tree.folder / "new").write_text("text")
    settled = await tree.settle("Work")
    assert "cannot be committed" in "".join(settled.warnings)
    assert run_git(repository, "show", f"{tree.branch}:new") == "text"
    with pytest.raises(WorkspaceError):
        await tree.remove()
    assert tree.folder.exists()


@pytest.mark.slow("a hundred thousand files")
async def test_a_hundred_thousand_files_are_committed(cut, repository):
    tree = await cut()
    for folder in range(100):
        (tree.folder / f"f{folder}").mkdir()
        for file in range(1000):
            (tree.folder / f"f{folder}" / str(file)).touch()
    settled = await tree.settle("Work")
    assert settled.warnings == ()
    diff = await tree.diff()
    assert len(diff.files) + diff.more_files == 100_000
    await tree.remove()
    assert not tree.folder.exists()


async def test_a_folder_that_was_replaced_is_refused(cut, repository):
    tree = await cut()
    tree.folder.rename(tree.folder.with_name("elsewhere"))
    tree.folder.symlink_to(repository)
    (repository / "new").write_text("the owner's")
    with pytest.raises(WorkspaceError, match="replaced"):
        await tree.commit_rest("Work")
    assert run_git(repository, "log", "--format=%s").strip() == "Begin"
    tree.folder.unlink()
    tree.folder.with_name("elsewhere").rename(tree.folder)
    assert await tree.is_clean()


async def test_the_environment_names_no_other_repository(cut, repository, tmp_path, monkeypatch):
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    tree = await Worktree.cut(repository, tmp_path / "work", "run_1")
    (tree.folder / "new").write_text("text")
    await tree.commit_rest("Work")
    assert [file.path for file in (await tree.diff()).files] == ["new"]
    tree.let_go()
    assert not (other / "index").exists()
