"""The difference between two changes of the same base, computed from their hunks alone.

Where a change has no hunk, its file is as the base. The base is known wherever either change has a hunk, and both
are equal everywhere else. So the two files can be compared without having either.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
MAX_LINES_COMPARED = 4_000  # of one region; more are told as replaced
CONTEXT_LINES = 3


@dataclass
class Hunk:
    """A part of a change: the base's lines from `start`, counted from 0, and the lines that replace them."""

    start: int
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.old)


def parse_hunks(text: str) -> list[Hunk]:
    """Parse hunks in unified format. Lines that belong to no hunk are ignored."""
    hunks: list[Hunk] = []
    for line in text.split("\n"):
        if found := HEADER.match(line):
            start, count = int(found[1]), int(found[2] or 1)
            hunks.append(Hunk(start - 1 if count else start))
        elif hunks and line[:1] in ("+", "-", " "):
            if line[0] != "+":
                hunks[-1].old.append(line[1:])
            if line[0] != "-":
                hunks[-1].new.append(line[1:])
    return hunks


def interdiff(before: str, after: str) -> str:
    """Return the hunks that lead from the file of one change to the file of the other; empty if they are equal."""
    regions, shift_before, shift_after, out = _regions(parse_hunks(before), parse_hunks(after)), 0, 0, []
    for start, base, ours, theirs in regions:
        one, two = _apply(start, base, ours), _apply(start, base, theirs)
        if one != two:
            out += list(_hunks_of(one, two, start + shift_before, start + shift_after))
        shift_before += len(one) - len(base)
        shift_after += len(two) - len(base)
    return "\n".join(out)


def _regions(
    before: list[Hunk], after: list[Hunk]
) -> Iterator[tuple[int, list[str], list[Hunk], list[Hunk]]]:
    """Yield the parts of the base that either change has hunks for: where, its lines, and the hunks of each."""
    pending = sorted(
        [(hunk.start, 0, n, hunk) for n, hunk in enumerate(before)]
        + [(hunk.start, 1, n, hunk) for n, hunk in enumerate(after)],
        key=lambda entry: entry[:3],
    )
    while pending:
        group = [pending.pop(0)]
        start, end = group[0][3].start, group[0][3].end
        while pending and pending[0][3].start <= end:
            group.append(pending.pop(0))
            end = max(end, group[-1][3].end)
        base = [""] * (end - start)
        for *_, hunk in group:
            base[hunk.start - start : hunk.end - start] = hunk.old
        yield (
            start,
            base,
            [hunk for _, side, _, hunk in group if side == 0],
            [hunk for _, side, _, hunk in group if side == 1],
        )


def _apply(start: int, base: list[str], hunks: list[Hunk]) -> list[str]:
    lines, at = [], 0
    for hunk in hunks:
        lines += base[at : hunk.start - start]
        lines += hunk.new
        at = hunk.end - start
    return lines + base[at:]


def _hunks_of(one: list[str], two: list[str], at_one: int, at_two: int) -> Iterator[str]:
    """Yield the hunks between two lists of lines that stand at these places of their files, counted from 0."""
    if max(len(one), len(two)) > MAX_LINES_COMPARED:
        groups = [[("replace", 0, len(one), 0, len(two))]]
    else:
        matcher = difflib.SequenceMatcher(None, one, two, autojunk=True)
        groups = [list(group) for group in matcher.get_grouped_opcodes(CONTEXT_LINES)]
    for group in groups:
        first, last = group[0], group[-1]
        ranges = _range(at_one, first[1], last[2]), _range(at_two, first[3], last[4])
        yield f"@@ -{ranges[0]} +{ranges[1]} @@"
        for tag, low_one, high_one, low_two, high_two in group:
            if tag == "equal":
                yield from (f" {line}" for line in one[low_one:high_one])
            else:
                yield from (f"-{line}" for line in one[low_one:high_one])
                yield from (f"+{line}" for line in two[low_two:high_two])


def _range(at: int, low: int, high: int) -> str:
    start, count = at + low, high - low
    return f"{start + 1 if count else start},{count}"
