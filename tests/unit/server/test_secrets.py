"""Secrets are found by shape and by name, and code that only talks about them is left alone."""

from __future__ import annotations

import random
import string
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.indexing.chunking import chunk_file
from server.indexing.secrets import MARKER, without_secrets

RNG = random.Random(6)
APART = 500_000
"""Characters of installed packages for which one find is allowed: some 700 chunks."""


def made(alphabet: str, n: int) -> str:
    """A value as issuers make them; made here, so that no scanner finds a token in this file."""
    least = "aB3" if alphabet == MIXED else "a3"
    return least + "".join(RNG.choices(alphabet, k=n - len(least)))


MIXED = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + "234567"

TOKENS = {
    "AWS access key": "AK" + "IA" + "".join(RNG.choices(UPPER, k=16)),
    "GitHub token": "gh" + "p_" + made(MIXED, 36),
    "GitHub fine-grained token": "github" + "_pat_" + made(MIXED, 22) + "_" + made(MIXED, 59),
    "GitLab token": "gl" + "pat-" + made(MIXED, 20),
    "Slack token": "xo" + "xb-" + "120345678901-" + made(MIXED, 24),
    "Slack webhook": "https://hooks." + "slack.com/services/T0AB12CD3/B0AB12CD3/" + made(MIXED, 24),
    "Stripe key": "sk" + "_live_" + made(MIXED, 24),
    "Google key": "AI" + "za" + made(MIXED, 35),
    "OpenAI key": "sk" + "-proj-" + made(MIXED, 40),
    "Hugging Face token": "h" + "f_" + made(MIXED, 34),
    "npm token": "np" + "m_" + made(MIXED, 36),
    "PyPI token": "pyp" + "i-AgE" + made(MIXED, 80),
    "SendGrid key": "S" + "G." + made(MIXED, 22) + "." + made(MIXED, 43),
    "Mailchimp key": made(HEX, 32) + "-u" + "s12",
    "Twilio key": "S" + "K" + made(HEX, 32),
    "Telegram bot token": "1234509876" + ":A" + "A" + made(MIXED, 33),
    "DigitalOcean token": "do" + "p_v1_" + made(HEX, 64),
    "Shopify token": "shp" + "at_" + made(HEX, 32),
    "JSON web token": "ey" + "J" + made(MIXED, 30) + ".ey" + "J" + made(MIXED, 60) + "." + made(MIXED, 43),
    "Vault token": "hv" + "s." + made(MIXED, 24),
}
RANDOM = made(MIXED, 32)
PASSWORD = "Tr0ub" + "4dor&3xq"

NAMED = {
    "settings.py": f'DB_PASSWORD = "{PASSWORD}"',
    "typed.py": f'client_secret: str = "{RANDOM}"',
    "keyword.py": f'connect(host, api_key="{RANDOM}", retries=3)',
    "dictionary.py": f'CONFIG = {{"auth_token": b"{RANDOM}"}}',
    "subscript.py": f"os.environ['SECRET_KEY'] = '{RANDOM}'",
    "argument.py": f'os.environ.setdefault("ACCESS_TOKEN", "{RANDOM}")',
    "config.ts": f"const apiKey = `{RANDOM}`;",
    "ruby.rb": f":signing_key => '{RANDOM}'",
    "go.go": f'accessKey := "{RANDOM}"',
    "compose.yaml": f"    - POSTGRES_PASSWORD={PASSWORD}",
    "values.yaml": f"  token: {RANDOM}  # of the deployment",
    "app.properties": f"spring.datasource.password={PASSWORD}",
    "deploy.sh": f"export API_KEY={RANDOM}",
    "connection.py": f'URL = "postgresql://shop:{PASSWORD}@db.internal/shop"',
    "azure.cs": f'var s = "DefaultEndpointsProtocol=https;AccountKey={RANDOM}";',
    "curl.md": f"curl -H 'Authorization: Bearer {RANDOM}' https://api.shop/",
}

HARMLESS = """
password = getpass()
password: str | None = None
PASSWORD = "password"
token = "[UNK]"
api_key = os.environ["API_KEY"]
secret = "changeme123"
token_url = "https://auth.shop/oauth2/token/v2/issue"
AUTH_TOKEN_HEADER = "X-Auth-Token-V2-Internal"
tokenizer = "sentence-transformers/all-MiniLM-L6-v2"
SECRET_NAME = "projects/shop-12345/secrets/database-password"
password = "{password1}"
url = "postgresql://user:password1@localhost/test"
url = f"https://{user}:{password}@host"
secret_key = "your-secret-key-goes-here-1"
key = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
public_key_path = "/etc/ssl/certs/shop-2024.pem"
MODELS = ["SmolLM3ForTokenClassification", "SmolLM3ForQuestionAnswering"]
example = "AKIAIOSFODNN7EXAMPLE"
dummy = "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
"""


@pytest.mark.parametrize("kind", TOKENS)
def test_issued_tokens_are_left_out_wherever_they_stand(kind: str) -> None:
    token = TOKENS[kind]
    for line in (f'x = "{token}"', f"# {token}", f"run --with={token} now", f"- {token}"):
        text, found = without_secrets("a/b.py", f"first\n{line}\nlast\n")
        assert text == f"first\n{line.replace(token, MARKER)}\nlast\n"
        assert [place.line for place in found] == [2]
        assert token not in str(found)


@pytest.mark.parametrize("path", NAMED)
def test_values_that_are_named_as_secrets_are_left_out(path: str) -> None:
    line = NAMED[path]
    value = PASSWORD if PASSWORD in line else RANDOM
    text, found = without_secrets(path, f"\n\n{line}\n")
    assert text == f"\n\n{line.replace(value, MARKER)}\n"
    assert [place.line for place in found] == [3]


@pytest.mark.parametrize("line", HARMLESS.strip().split("\n"))
@pytest.mark.parametrize("path", ["a.py", "a.yaml"])
def test_code_that_only_talks_of_secrets_is_left_alone(line: str, path: str) -> None:
    assert without_secrets(path, line) == (line, [])


def test_every_one_of_several_is_found_with_its_line() -> None:
    lines = [f'{n} = "{token}"' for n, token in enumerate(TOKENS.values())]
    text, found = without_secrets("all.py", "\n".join(lines))
    assert [place.line for place in found] == [n + 1 for n in range(len(lines))]
    assert text.count(MARKER) == len(TOKENS)
    assert not any(token in text for token in TOKENS.values())
    chunks = chunk_file("all.py", text)
    assert not any(token in chunk.text for chunk in chunks for token in TOKENS.values())


@given(st.lists(st.sampled_from([*TOKENS.values(), *NAMED.values(), *HARMLESS.split("\n"), "İ", "ß"]), max_size=8))
@settings(max_examples=60, deadline=None)
def test_lines_stay_and_what_is_clean_stays_clean(lines: list[str]) -> None:
    text, found = without_secrets("a.yaml", "\n".join(lines))
    assert len(text.split("\n")) == len("\n".join(lines).split("\n"))
    assert text.count(MARKER) == len(found)
    assert without_secrets("a.yaml", text) == (text, [])


def test_installed_code_is_hardly_touched() -> None:
    """Real code of others: whatever is found in it is a false alarm or an example, and must stay rare."""
    site = Path(sysconfig.get_paths()["purelib"])
    files = sorted(file for name in ("sqlalchemy", "httpx", "fastapi", "pip") for file in (site / name).rglob("*.py"))
    texts = [(str(file), file.read_text(encoding="utf-8", errors="replace")) for file in files]
    found = [(path, place) for path, text in texts for place in without_secrets(path, text)[1]]
    characters = sum(len(text) for _, text in texts)
    assert characters > 10 * APART
    assert len(found) <= characters / APART, found
