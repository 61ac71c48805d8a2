from __future__ import annotations

import pytest

from trainer.undocumented import undocumented


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('def f(a):\n    """Adds one.\n\n    More.\n    """\n    return a + 1', "def f(a):\n    return a + 1"),
        ("def f(a):\n    r'''Adds one.'''\n    # and no more\n    return a + 1", "def f(a):\n    return a + 1"),
        ("/**\n * Adds one.\n */\nfunction f(a) { return a + 1 }", "function f(a) { return a + 1 }"),
        ("/// Adds one.\n#[inline]\nfn f(a: u8) -> u8 { a + 1 }", "#[inline]\nfn f(a: u8) -> u8 { a + 1 }"),
        ("// One.\n#include <stdio.h>\nint f() { return 1; }", "#include <stdio.h>\nint f() { return 1; }"),
        ("-- Adds one.\nselect a + 1;", "select a + 1;"),
        ("<!-- One. -->\n<p>1</p>", "<p>1</p>"),
        ("=begin\nAdds one.\n=end\ndef f(a) a + 1 end", "def f(a) a + 1 end"),
        ('url = "http://a.b//c"  # stays', 'url = "http://a.b//c"  # stays'),
        ("", ""),
    ],
)  # fmt: skip
def test_what_code_says_about_itself_is_taken_out(text: str, bare: str) -> None:
    assert undocumented(text) == bare
    assert undocumented(bare) == bare
