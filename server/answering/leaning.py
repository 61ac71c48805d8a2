"""Whether a message needs an earlier one to be understood. Pure.

A question that is searched together with a foreign one finds the wrong code, and the person does not see why. A
follow-up that is searched alone finds little, and is asked again with a word more. So where it is not clear, a message
stands alone. English and German by their words, Chinese and Japanese by their characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_CJK_LEANS = re.compile(
    r"^(为什么|為什麼|为何|怎么|怎么样|怎麼樣|如何|例子|举个例子|继续|繼續|更多|详细|なぜ|どうして|もっと)(呢|吗|嗎|ですか)?$"
    r"|^(那|那么|那麼|还有|還有|然后|然後|以及|それから|じゃあ|では).{0,6}(呢|吗|嗎|は|ですか)$"
    r"|^(它|它们|它們|それ|これ).{1,10}$"
    r"|^.{0,2}(它|它们|它們)(在哪|是怎|怎|如何|为什么|為什麼|被|有).{0,8}$"
    r"|^.{1,6}呢$"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(_WORD.findall(words))


FUNCTION_WORDS = _set("""
    a an and any are as at be been being but by can cannot could did do does doing don else etc ever for from had has
    have he her here him his how i if in instead into is isn it its just let ll may me might must my no not now of off
    ok okay on once one ones only or other our out over please re same shall she should so some such than that the
    their them then there these they thing things this those through to too under until up us ve very via was we were
    what when where whether which while who whom whose why will with within without would yes yet you your also come
    about former latter above previous whole all both each every
    aber alle als also am an auch auf aus bei beim bitte da das dann dem den denn der des die dies diese diesem diesen
    dieser dieses doch dort du durch ein eine einem einen einer eines er es für genau gibt hat haben hier ich ihm ihn
    ihr ihre im ist ja kann kein keine können man mal mich mir mit muss müssen nach nicht noch nun nur ob oder ohne
    sein seine sie sind so soll sollte sondern über um und uns unter vom von vor war warum was weil welche welchem
    welchen welcher welches wenn wer werden weshalb wie wieso wir wird wo worden wurde wurden zu zum zur dafür daran
    dabei damit darin davon dazu
    """)
"""English and German words that say nothing about the code."""
_VAGUE = _set("""
    again call called calls continue cover covers defined detail details do done elaborate example examples exactly
    explain further give happen happens how know line file files look mean means more need place show shown tell thanks
    understand use used uses work works working
    aufgerufen beispiel benutzt erkläre erklären funktioniert gemacht geht mehr passiert verwendet weiter zeig zeige
    """)
"""Words that do not say what a message is about: it leans where it has nothing but these."""
_ASKING = _set("""
    are can could did do does had has have how is must should was were what when where which who whose why will would
    ist kann können sind soll wann warum was weshalb welche welcher welches wer werden wie wieso wird wo
    """)
_WHOLE = _set("""
    app application codebase code library package product program project repo repository service software system tool
    anwendung bibliothek paket programm projekt
    """)
"""What "this project" names is always there, whatever was asked before."""
_OPENING = _set("also and auch but or oder plus so then und aber dann same")
_AGREEING = _set("ok okay yes no thanks ja nein danke")
_PREPOSITION = _set("at by for from in on via with without bei für im in mit ohne")
_ABOUT = re.compile(
    r"^(and |but |so |ok |und )?(what|how) about\b|^(und )?(was ist|wie (ist|steht|sieht) es) (mit|bei)\b"
)
_POINTING = _set("this that these those dies diese dieser dieses diesem diesen")
_STANDING = _set("it they them its their es ihn ihm davon daran dabei darin dafür dazu dort")
_LEANING = re.compile(
    r"\b(what|where|who|how|anything|something|anyone) else\b|\binstead\b|\bthe (former|latter|above)\b|\bthe same\b"
    r"|\bwhich (one|ones)\b|\b(the|this|that) (\w+ )?(one|ones)$|\bwas noch\b|\bwo noch\b"
)
_EXPLETIVE = re.compile(
    r"\b(is|was|does|did|would|will|can) it (a |an |be |not )*(possible|safe|necessary|required|ok|okay|allowed|"
    r"take|takes|mean|matter|make sense|work (to|if|when))\b|\bgibt es\b|\b(ist|wäre) es (möglich|sicher|nötig)\b"
    r"|\b(is|was) it that\b|\b(is|are|was|were) there\b|\bthere (is|are|was|were)\b"
    r"|\bit (is|was) (possible|safe|necessary)\b"
)
_FEW = 3
"""Words of its own with which even a message with a pronoun stands alone."""


@dataclass(frozen=True, slots=True)
class _Words:
    """``all`` in order; ``own`` the positions of those that say what the message is about."""

    all: tuple[str, ...]
    own: tuple[int, ...]

    def own_before(self, position: int) -> int:
        return sum(index < position for index in self.own)


def leans(message: str) -> bool:
    """Whether a message needs an earlier one to be understood. One without any words, such as only signs, does not."""
    letters = [character for character in message if character.isalpha()]
    if not letters:
        return False
    if sum(_CJK.match(letter) is not None for letter in letters) * 2 > len(letters):
        return _CJK_LEANS.search("".join(letters)) is not None
    text = message.lower().replace("’", "'")
    words = _words(text)
    flat = " ".join(words.all)
    if set(words.all) <= _AGREEING:
        return False
    if not words.own:
        return _EXPLETIVE.search(flat) is None or len(words.all) <= 3
    if len(words.own) > _FEW:
        return False
    return _ABOUT.search(flat) is not None or _is_piece(words) or _points_back(words, flat)


def _words(text: str) -> _Words:
    found = tuple(_WORD.findall(text))
    own = (index for index, word in enumerate(found) if len(word) > 1 and word not in FUNCTION_WORDS | _VAGUE)
    return _Words(found, tuple(own))


def _is_piece(words: _Words) -> bool:
    """No sentence, but the rest of one: "and in the tests?", "for Postgres?"."""
    said = [word for word in words.all if word not in _AGREEING]
    first, rest = said[0], said[1:]
    if first in _OPENING:
        return len(words.own) == 1 or not _ASKING & set(rest)
    return first in _PREPOSITION and len(words.own) == 1 and not _ASKING & set(rest)


def _points_back(words: _Words, flat: str) -> bool:
    """A pronoun, with nothing before it in the message that it could stand for."""
    if _LEANING.search(flat) is not None and len(words.own) <= 1:
        return True
    if _EXPLETIVE.search(flat) is not None:
        return False
    last = len(words.all) - 1
    for index, word in enumerate(words.all):
        after = words.all[index + 1] if index < last else ""
        before = words.own_before(index)
        ends = index == last and len(words.own) == 1 and not {"and", "und"} & set(words.all[1:index])
        if word in _STANDING and (before == 0 or ends):
            return True
        if word in _POINTING and after not in _WHOLE and (ends or _names_what_was_said(words, index)):
            return True
        if word in ("das", "sie") and _is_german_pronoun(words, index, before):
            return True
    return False


def _names_what_was_said(words: _Words, index: int) -> bool:
    """ "that" after a word of its own is a relative or a conjunction: "the code that", "make sure that"."""
    before = words.all[index - 1] if index else ""
    relative = words.all[index] == "that" and before not in FUNCTION_WORDS and bool(before)
    return not relative and words.own_before(index) == 0 and len(words.own) <= 2


def _is_german_pronoun(words: _Words, index: int, before: int) -> bool:
    """At the end, or before a last participle: "wie geht das", "wo wird das getestet"; else an article."""
    rest = words.all[index + 1 :]
    if before or len(rest) > 1:
        return False
    return not rest or re.fullmatch(r"(ge|auf|be|ver|aus|ein|ab).*(t|en)", rest[0]) is not None
