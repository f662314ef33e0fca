"""Text in crumbs: gathered, bounded, and never changed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.events import (
    OutputStream,
    OutputText,
    ProgressReported,
    ThinkingText,
    ToolStarted,
    is_ephemeral,
)
from protocol.text import clean
from worker import coalesce
from worker.coalesce import (
    FLUSH_INTERVAL_SECONDS,
    MAX_CHUNK_BYTES,
    MAX_PART_BYTES,
    MAX_UNSENT_SECONDS,
    Coalescer,
)

text = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["é" * 9, "🙂", "\n", "x" * 40])
step = st.one_of(
    st.tuples(st.just("say"), st.sampled_from("ab"), st.sampled_from(["", "helper"]), text),
    st.tuples(st.just("think"), st.sampled_from("ab"), st.sampled_from(["", "helper"]), text),
    st.tuples(st.just("shell"), st.just("stdout"), st.just(""), text),
    st.tuples(st.just("final"), st.sampled_from("ab"), st.sampled_from(["", "helper"]), st.none()),
    st.tuples(st.just("tool"), st.none(), st.sampled_from(["", "helper"]), st.none()),
    st.tuples(
        st.just("wait"),
        st.none(),
        st.none(),
        st.sampled_from([0.01, FLUSH_INTERVAL_SECONDS, 1.0, MAX_UNSENT_SECONDS]),
    ),
)


def size(event):
    return len(event.text.encode())


@settings(deadline=None, max_examples=150)
@given(st.lists(step, max_size=60))
def test_the_kept_text_is_the_chunks_byte_for_byte(steps):
    small = {"MAX_CHUNK_BYTES": 32, "MAX_PART_BYTES": 100}
    was = {name: getattr(coalesce, name) for name in small}
    for name, value in small.items():
        setattr(coalesce, name, value)
    try:
        check(steps)
    finally:
        for name, value in was.items():
            setattr(coalesce, name, value)


def check(steps):
    """Items are named anew after each end, as programs name them."""
    gather, now, out, said, turn = Coalescer(), 0.0, [], {}, 0
    for kind, item, agent, more in steps:
        now += 0.001
        if kind == "wait":
            now += more
            out += gather.tick(now)
        elif kind == "tool":
            turn += 1
            out += gather.feed(ToolStarted(tool="t", name="t", agent=agent), now)
        elif kind == "final":
            key = ("say", f"{item}{turn}", agent)
            out += gather.feed(OutputText(text="".join(said.get(key, [])), item=key[1], agent=agent), now)
            turn += 1
        else:
            key = (kind, f"{item}{turn}", agent)
            said.setdefault(key, []).append(clean(more))  # events hold no NUL
            if kind == "think":
                event = ThinkingText(text=more, item=key[1], agent=agent, chunk=True)
            else:
                stream = OutputStream.STDOUT if kind == "shell" else OutputStream.ANSWER
                event = OutputText(text=more, item=key[1], agent=agent, chunk=True, stream=stream)
            out += gather.feed(event, now)
        due = gather.due()
        assert due is None or due <= now + MAX_UNSENT_SECONDS
    out += gather.close()
    assert gather.close() == []
    for (kind, item, agent), texts in said.items():
        mine = [e for e in out if isinstance(e, ThinkingText if kind == "think" else OutputText)]
        mine = [e for e in mine if (e.item, e.agent) == (item, agent)]
        chunks = "".join(e.text for e in mine if e.chunk)
        kept = [e for e in mine if not e.chunk]
        assert chunks == "".join(texts)
        assert "".join(e.text for e in kept) == "".join(texts)
        assert [e.part for e in kept if e.text] == list(range(len([e for e in kept if e.text])))
        assert all(size(e) <= 32 for e in mine if e.chunk)
        assert all(size(e) <= 100 for e in kept)


def test_crumbs_leave_ten_times_a_second():
    gather, out, now = Coalescer(), [], 0.0
    for n in range(600):  # sixty a second for ten seconds
        now = n / 60
        out += gather.tick(now)
        out += gather.feed(OutputText(text="ab", item="a", chunk=True), now)
    out += gather.close()
    assert len([e for e in out if e.chunk]) <= 101
    assert [len(e.text) for e in out if not e.chunk][:-1] == [600]  # a part is kept every five seconds
    assert sum(len(e.text) for e in out if not e.chunk) == 1200


def test_a_boundary_flushes_before_it_passes():
    gather = Coalescer()
    assert gather.feed(OutputText(text="so ", item="a", chunk=True), 0.0) == []
    assert gather.feed(OutputText(text="far", item="a", chunk=True), 0.01) == []
    out = gather.feed(ProgressReported(text="Testing"), 0.02)
    assert [(e.text, is_ephemeral(e)) for e in out] == [
        ("so far", True),
        ("so far", False),
        ("Testing", False),
    ]
    assert gather.due() is None


def test_a_sub_agent_does_not_break_off_its_parent():
    gather = Coalescer()
    gather.feed(OutputText(text="so", item="a", chunk=True), 0.0)
    assert [e.text for e in gather.feed(ProgressReported(text="x", agent="helper"), 0.0)] == ["x"]
    assert gather.due() == FLUSH_INTERVAL_SECONDS


def test_the_programs_own_word_wins_over_its_chunks():
    gather = Coalescer()
    gather.feed(OutputText(text="helo", item="a", chunk=True), 0.0)
    gather.tick(MAX_UNSENT_SECONDS + 1)
    out = gather.feed(OutputText(text="hello", item="a"), MAX_UNSENT_SECONDS + 2)
    assert [(e.text, e.part) for e in out] == [("hello", 0)]


def test_large_text_is_bounded():
    gather = Coalescer()
    whole = "ü" * 1_000_000
    out = [*gather.feed(OutputText(text=whole, item="a", chunk=True), 0.0), *gather.close()]
    assert max(size(e) for e in out if e.chunk) <= MAX_CHUNK_BYTES
    assert max(size(e) for e in out if not e.chunk) <= MAX_PART_BYTES
    assert "".join(e.text for e in out if not e.chunk) == whole
    out = gather.feed(OutputText(text=whole, item="b"), 0.0)
    assert max(map(size, out)) <= MAX_PART_BYTES
    assert "".join(e.text for e in out) == whole
