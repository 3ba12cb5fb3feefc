"""A student's own words inside Markdown: nothing in them is read as Markdown."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ui.plain import plain


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a_b *d*.png", "a_b &#42;d&#42;.png"),
        ("_a_", "&#95;a&#95;"),
        ("![x](http://a.b)", "&#33;&#91;x&#93;(http&#58;//a.b)"),
        (":red[y] $z$", "&#58;red&#91;y&#93; &#36;z&#36;"),
        ("www.a.b", "www&#46;a.b"),
        ("<b> &amp; `c` a|b", "&#60;b&#62; &#38;amp; &#96;c&#96; a&#124;b"),
        ("conv.weight: 3 of 4", "conv.weight: 3 of 4"),
        ("a\n\n# b", "a &#35; b"),
    ],
)
def test_marks_are_shown_not_obeyed(words, shown):
    assert plain(words) == shown


@given(some.text("ab_*:.&[w\n ", max_size=20))
def test_all_the_words_are_there(words):
    assert html.unescape(plain(words)) == " ".join(words.split())
