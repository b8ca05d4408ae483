"""Output as Hypothesis draws it: ordinary, odd and broken."""

from hypothesis import strategies as st

from recorder.terminal import Step

TEXT = st.text(
    st.sampled_from("ab Z~é─│日本한🎉👍🏽🇫🇷\u0301\u200d\ufe0f\u1100\u1161\u200b\u00ad\u202e❤"), max_size=40
)
FINALS = st.sampled_from("ABCDEFGHIJKLMPSTXZ@`abdefghlmrsu")
PARAMETERS = st.lists(
    st.integers(0, 130) | st.sampled_from([0, 65535, 99999999, 1049, 47, 7, 6, 4]), max_size=5
)


@st.composite
def sequences(draw: st.DrawFn) -> str:
    """A control sequence, possibly cut short or spoiled by an embedded control."""
    prefix = draw(st.sampled_from(["", "", "", "?", ">", "="]))
    between = draw(st.sampled_from([";", ";", ":", ";;", "\n", "\x7f", "é"]))
    body = between.join(str(number) for number in draw(PARAMETERS))
    return f"\x1b[{prefix}{body}{draw(st.sampled_from(['', '', '!', ' ']))}{draw(FINALS)}"


_PLAIN = "7 8 c #8 M D E H (0 (B [?1049h [?1049l [?7l [?7h [?6h [4h [4l [3;7r [5b [ ] P [38;2;1"
_STRINGS = ["]0;title\x07", "]7;file:///\x1b\\", "]133;A\x07", "Pq\x1b\\", "_x\x1b\\", "kname\x1b\\", ""]
_CONTROLS = ["\r\n", "\n", "\r", "\t", "\x08", "\x0e", "\x0f", "\x18", "\x07"]
ESCAPES = st.sampled_from([*("\x1b" + body for body in (*_PLAIN.split(" "), *_STRINGS)), *_CONTROLS])

OUTPUT = st.lists(
    st.one_of(TEXT, TEXT, sequences(), ESCAPES).map(lambda text: text.encode()) | st.binary(max_size=6),
    max_size=30,
).map(b"".join)

SIZES = st.tuples(st.integers(0, 40) | st.just(5000), st.integers(0, 15) | st.just(9000))
CHANGES = OUTPUT | SIZES


@st.composite
def recordings(draw: st.DrawFn) -> list[Step]:
    """Events with times that never go back."""
    time = 0.0
    steps = []
    for change in draw(st.lists(CHANGES, max_size=12)):
        time += draw(st.sampled_from([0.0, 0.5, 1.0]))
        steps.append(Step(time, change))
    return steps
