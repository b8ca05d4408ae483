"""Patterns: linear whatever they are given, refused with a place, and the words that candidates must have."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.index.regex import PatternError, Regex, minds_case
from recorder.index.regex_literals import Words, fts_query, words_of, words_of_pattern


@pytest.mark.parametrize("pattern", ["(a+)+$", "(x+x+)+y", "(a|aa)+$", "(.*)*=.*z", "a{1,30}a{1,30}a{1,30}b"])
def test_patterns_that_hang_others_are_answered(pattern: str) -> None:
    text = "a" * 200_000 + "x" * 200_000 + "!"
    assert not Regex(pattern, exact=True).found_in(text)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("curl(", "unclosed group at 5"),
        ("a[b", "unclosed set at 2"),
        ("a)", 'unexpected ")" at 2'),
        ("*a", "nothing to repeat at 1"),
        ("a(?!b)", "looking ahead or behind is not supported at 2"),
        (r"(a)\1", "referring back to a group is not supported at 4"),
        ("a{5000}", "repeats over 1000 are not supported at 2"),
        ("(a{500}){3}", "the pattern is too large, use smaller repeats"),
        ("((((a{100}){100}){100}){100})", "the pattern is too large"),
    ],
)
def test_refusals_name_the_place(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=re.escape(reason)):
        Regex(pattern, exact=True)


def test_smart_case_looks_at_letters_that_stand_for_themselves() -> None:
    assert [minds_case(p) for p in (r"\S+\W", "(?P<Name>x)", r"\p{Lu}", "[[:alpha:]]")] == [False] * 4
    assert [minds_case(p) for p in ("Curl", "[A-Z]")] == [True] * 2


def test_hostile_text_is_only_text() -> None:
    for text in ("\0abc", "a\udcff", "\x1b[2Jabc"):
        assert isinstance(Regex("abc$", exact=False).found_in(text), bool)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"curl.*\|\s*(ba)?sh", (("curl",),)),
        (r"10\.9\.\d+", (("10.9.", tuple(f"9.{n}" for n in range(10))),)),
        (
            "image-[0-9]{6}77",
            (("image-", tuple(f"e-{n}" for n in range(10)), tuple(f"{n}77" for n in range(10))),),
        ),
        ("abc?def", (("def",),)),
        ("abcd+e", (("abcd",),)),
        ("abcd{2}e", (("abcd",),)),
        ("abcd{0,2}efg", (("abc", "efg"),)),
        ("foo|bar", (("foo",), ("bar",))),
        ("foo|b", ()),
        ("x[01]y", (("x0y",), ("x1y",))),
        (r"\d\d[ab]c[de]", (("acd",), ("ace",), ("bcd",), ("bce",))),
        ("x[^0]y", ()),
        ("x[:-=]y", ()),
        ("x[0-9]?y", ()),
        ("x[[:digit:]]y", ()),
        (r"x[\d]y", ()),
        ("x[0-9a-z]y", ()),
        ("x[a-b]y|foo", (("xay",), ("xby",), ("foo",))),
        ("(foo|bar)x?", (("foo",), ("bar",))),
        ("abc[de]{2}f", (("abc", ("bcd", "bce"), ("cdd", "cde", "ced", "cee")),)),
        ("abc[de]{9}", (("abc", ("bcd", "bce"), ("cdd", "cde", "ced", "cee")),)),
        ("abc[de]+f[gh]ij", (("abc", ("bcd", "bce"), ("fgi", "fhi")),)),
        ("abc[de]*", (("abc",),)),
        ("x{4}y", (("xxx",),)),
        ("(?:abc)+def", (("def", "abc"),)),
        ("(abc)?", ()),
        ("[abc]def[]x]ghi", (("def", "ghi", ("ade", "bde", "cde")),)),
        (r"[[:alpha:]]xyz\p{Lu}\x41abc", (("xyz", "abc"),)),
        ("(?i)abc", (("abc",),)),
        ("(?P<n>abc)", (("abc",),)),
        (r"\Qa.b\E", ()),
        ("É abc", ((" abc",),)),
        ("日本語", (("日本語",),)),
    ],
)
def test_words_of_patterns(pattern: str, words: Words) -> None:
    Regex(pattern, exact=True)
    assert words_of_pattern(pattern) == words


def test_words_of_text_and_their_query() -> None:
    assert words_of('say "no"\0x ab') == ('say "no"', "x ab")
    assert fts_query((('a"b', "cde"), ("fgh",))) == '("a""b" AND "cde") OR ("fgh")'
    assert fts_query((("abc", ("de1", 'de"')),)) == '("abc" AND ("de1" OR "de"""))'


@given(
    st.one_of(
        st.text(alphabet=r"abcABC()|[]^*+?{}2,.\-dsQEx ", max_size=24),
        st.lists(st.sampled_from(["abc", "a", "b", "c", "[ab]", "[a-c]", "{2}", "{2,}", "+", "?", "."])).map(
            "".join
        ),
    ),
    st.text(alphabet="abcABC(-2, ", max_size=40),
)
def test_what_matches_holds_the_words(pattern: str, text: str) -> None:
    try:
        found = Regex(pattern, exact=False).found_in(text)
    except PatternError:
        return
    words = words_of_pattern(pattern)
    if found and words:
        assert any(all(has_one_of(text.lower(), word) for word in branch) for branch in words)


def has_one_of(text: str, word: str | tuple[str, ...]) -> bool:
    return any(choice.lower() in text for choice in ((word,) if isinstance(word, str) else word))
