"""What a chat message is searched with: itself, or itself with the question it leans on. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.answering.lines import terms

_LEANS = re.compile(
    r"^(and|but|or|so|then|also|ok|okay|why|how come|how so|what about|how about|what else|where else|anything else|"
    r"in which|which one|same)\b"
    r"|\b(it|its|it's|that|this|those|these|they|them|their|there|he|she|former|latter|above|previous|instead|else)\b",
    re.IGNORECASE,
)
_FEW = 1
"""A message of this many telling words, or fewer, does not stand alone."""
MAX_CONTEXT = 2000


def search_query(message: str, questions: Sequence[str]) -> str:
    """The query for ``message`` after the earlier ``questions`` of the conversation, oldest first.

    A message that leans on what was said (a pronoun, an opening such as "and", or hardly any words) is searched
    together with the latest question that stands alone and those in between; any other is searched as it is.
    """
    if not questions or not leans(message):
        return message
    context: list[str] = []
    for question in reversed(questions):
        context.insert(0, question)
        if not leans(question):
            break
    else:
        context = list(questions[-1:])
    kept = [context[0], *context[-1:]] if len(context) > 2 else context
    return "\n".join([*(text[:MAX_CONTEXT] for text in kept), message])


def leans(message: str) -> bool:
    """Whether a message needs an earlier one to be understood."""
    return _LEANS.search(message) is not None or len(terms(message)) <= _FEW
