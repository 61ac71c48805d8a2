"""Which messages of a conversation are searched together with an earlier question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.answering.leaning import leans
from server.answering.rewrite import search_query

STAND_ALONE = """
Where is the code that validates the redirect URI?
What is the default port of PostgreSQL in this project?
Is there a retry in the HTTP client?
why does login fail with a wrong nonce?
How are the errors of their parsers reported?
令牌如何被撤销？
🔐🔑?
?!
Is it possible to revoke a token?
How long does it take to build the index?
What is it that makes the index slow?
ok thanks
Does it matter which order middleware is added in?
Are there any tests for the session store?
There is a cache somewhere, how is it emptied?
Which class handles those requests that time out in this repository?
When a token expires, how is it refreshed?
How does the parser read a file and then close it?
So how does the scheduler claim a job without a lock?
But where do background tasks get their database session?
And where are password hashes compared with the stored ones?
And where are sessions stored?
Then how are migrations run?
Also, which function parses the cookie header?
Why SQLite?
PostgreSQL
get_jwt_config
login
How can I make sure that the token is valid?
What does this library use to verify signatures?
How is this codebase tested?
Is there anything that limits uploads?
Where are the tests?
In which file is the session cookie signed?
What does BaseClient do when it is closed?
For which routes is authentication required?
With what key are cookies signed?
What is the same-site attribute of the session cookie?
Wo wird das Token geprüft?
Gibt es einen Cache für Antworten?
Wie wird das Passwort eines Benutzers gespeichert?
Warum schlägt die Anmeldung mit falscher Nonce fehl?
Welche Funktion prüft die Signatur?
Wo ist der Code, der die Weiterleitung prüft?
这个项目的默认端口是什么？
在哪里验证重定向地址？
那么令牌是在哪里被撤销的呢？
缓存
トークンはどこで検証されますか？
""".strip().splitlines()

FOLLOW_UPS = """
and in the tests?
why?
Why not?
what about the async one?
where is it called?
how does that work?
show me more
and for Postgres?
And why is it json?
and who calls that?
and where is it written?
and when is it emptied?
but how?
Which tests cover it?
who calls it?
What are its defaults?
Where are they defined?
How does this work?
What does this function do?
where is that tested?
how about refresh tokens?
What about in production?
which one?
What else?
where else is it used?
What should I use instead?
or with a timeout?
more details please
Can you explain?
an example?
In which file?
for Postgres?
what happens there?
How do I use them?
and the other one?
What’s that?
ok, and in the async client?
what does it return?
ok, and with two workers?
same for the client?
Is this thread safe?
Kann man das abschalten?
und in den Tests?
Warum?
Wie funktioniert das?
Wo wird es aufgerufen?
Wo wird das getestet?
Was ist mit dem Client?
Zeig mir mehr
为什么？
它在哪里被调用？
那测试里呢？
异步的呢？
继续
なぜ？
""".strip().splitlines()


@pytest.mark.parametrize("message", STAND_ALONE)
def test_a_question_of_its_own_is_searched_alone(message: str) -> None:
    assert search_query(message, ["Where is the cache filled?"]) == message


@pytest.mark.parametrize("message", FOLLOW_UPS)
def test_a_follow_up_is_searched_with_what_it_leans_on(message: str) -> None:
    assert search_query(message, ["Where is the cache filled?"]) == f"Where is the cache filled?\n{message}"


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert min(len(set(STAND_ALONE)), len(set(FOLLOW_UPS))) >= 30
    assert not set(STAND_ALONE) & set(FOLLOW_UPS)


@given(st.text(max_size=200))
def test_any_text_is_judged_and_signs_alone_never_lean(text: str) -> None:
    assert leans(text) in (True, False)
    if not any(character.isalpha() for character in text):
        assert not leans(text)


def test_many_words_of_its_own_stand_alone_whatever_the_pronouns() -> None:
    assert not leans("and how does it encode the redirect URI of the authorization request?")
