"""A small invented code base for pictures: few words, so that a night takes minutes."""

from __future__ import annotations

import random

from bench.corpus import Corpus, Question

VERBS = {
    "load": "bring in", "save": "keep", "parse": "take apart", "delete": "wipe", "sort": "put in order",
    "close": "shut", "find": "look up", "merge": "bring together", "check": "make sure of", "send": "hand over",
}  # fmt: skip
THINGS = {
    "file": "document", "table": "grid", "token": "pass", "user": "account", "model": "network", "config": "setting",
    "order": "purchase", "folder": "directory", "message": "mail", "image": "picture",
}  # fmt: skip


def toolbox() -> Corpus:
    """A small invented code base, a function a file, and a question for each in other words than the code's.

    What the code calls ``delete_user``, people call wiping an account: only ratings can teach that.
    """
    code, questions = {}, []
    for thing, called in THINGS.items():
        for verb, said in VERBS.items():
            path = f"{thing}/{verb}.py"
            code[path] = (
                f"def {verb}_{thing}(store, {thing}_id):\n"
                f'    """{verb.capitalize()} the {thing} with this id."""\n'
                f"    {thing} = store.{thing}s.get({thing}_id)\n"
                f"    return {thing}.{verb}() if {thing} else None\n"
            )
            questions.append(Question(f"Where do we {said} the {called}?", frozenset({path})))
    random.Random(7).shuffle(questions)
    return Corpus("toolbox", code, tuple(questions))
