"""Which names this server answers to: a page that has its own name point here must not be taken for ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from store.settings import Settings, is_loopback


class Hosts:
    """Names that a request's ``Host`` may carry. Anything goes where the server listens beyond this machine and
    no names are set: which ones lead here is then not known."""

    def __init__(self, settings: Settings) -> None:
        public = urlsplit(settings.public_url).hostname if settings.public_url else None
        self._names = settings.host_names | ({public} if public else frozenset())
        self._checked = is_loopback(settings.host) or bool(self._names)

    def answers(self, header: bytes | None) -> bool:
        """Whether a request with this ``Host`` is meant for us. Browsers always send one, so none at all passes."""
        if header is None or not self._checked:
            return True
        name = _name(header.decode("latin-1"))
        return is_loopback(name) or name in self._names


def _name(host: str) -> str:
    """``Host`` without its port, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")
