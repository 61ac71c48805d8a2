"""How often somebody may ask, rate and try to sign in: token buckets in this process. Pure; the clock is passed in."""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock

from store.settings import Settings

KEPT = 10_000
"""Callers whose bucket is remembered; beyond that the one that was quiet longest is forgotten."""
SIGN_INS_PER_MINUTE = 30
"""Of one address, which may be a whole office's."""


class Buckets:
    """Each caller may act ``per_minute`` times at once, and gets that many acts back a minute. 0 is no limit.

    Safe to share between threads.
    """

    def __init__(self, per_minute: int, kept: int = KEPT) -> None:
        self._size = per_minute
        self._kept = kept
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str, now: float) -> int:
        """Act once at ``now`` (seconds): 0 when allowed, else the whole seconds to wait, and nothing is taken."""
        if self._size == 0:
            return 0
        with self._lock:
            left = self._filled(caller, now)
            self._left.pop(caller, None)
            self._left[caller] = (left - 1 if left >= 1 else left, now)
            while len(self._left) > self._kept:
                self._left.popitem(last=False)
        return self._seconds(left)

    def wait(self, caller: str, now: float) -> int:
        """As ``take``, without acting."""
        if self._size == 0:
            return 0
        with self._lock:
            return self._seconds(self._filled(caller, now))

    def _filled(self, caller: str, now: float) -> float:
        left, then = self._left.get(caller, (float(self._size), now))
        # A clock that was set back gives nothing and takes nothing.
        return min(self._size, left + max(0.0, now - then) * self._size / 60)

    def _seconds(self, left: float) -> int:
        return 0 if left >= 1 else max(1, math.ceil((1 - left) * 60 / self._size))

    def __len__(self) -> int:
        """Callers that are remembered."""
        return len(self._left)


class Tried:
    """Wrong tokens that were charged for already: sent again they tell nobody anything. Safe to share between threads.

    It is asked and told fingerprints; beyond ``kept`` the oldest is forgotten, and charged for again.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def add(self, caller: str, fingerprint: str) -> None:
        with self._lock:
            self._known[caller, fingerprint] = None
            while len(self._known) > self._kept:
                self._known.popitem(last=False)

    def knows(self, caller: str, fingerprint: str) -> bool:
        return (caller, fingerprint) in self._known

    def __len__(self) -> int:
        """Fingerprints that are remembered."""
        return len(self._known)


class Limits:
    """The buckets of a server."""

    def __init__(self, settings: Settings) -> None:
        self.asking = Buckets(settings.asks_per_minute)
        self.rating = Buckets(settings.ratings_per_minute)
        self.signing_in = Buckets(SIGN_INS_PER_MINUTE)
        self.sent_away = Buckets(SIGN_INS_PER_MINUTE)
        """Sign-ins that begin at the provider; their ends count as ``signing_in``."""
        self.tried = Tried()
