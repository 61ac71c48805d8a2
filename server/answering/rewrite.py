"""What a chat message is searched with: itself, or itself with the question it leans on. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from server.answering.leaning import leans

MAX_CONTEXT = 2000


def search_query(message: str, questions: Sequence[str]) -> str:
    """The query for ``message`` after the earlier ``questions`` of the conversation, oldest first.

    A message that leans on what was said (see ``leans``) is searched together with the latest question that stands
    alone and the last of those in between; any other is searched as it is.
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
