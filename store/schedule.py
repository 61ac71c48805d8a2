"""What a person has chosen of the nightly schedule: ``meta["schedule"]`` = ``{"cron"?, "auto_promote"?}``.

What nobody chose is absent, so that a changed setting still takes effect.
"""

from __future__ import annotations

from sqlalchemy import Connection

from store import deployments, meta
from store.settings import Settings

KEY = "schedule"


def chosen_promotion(stored: object, settings: Settings) -> bool:
    """Automatic promotion in a stored value, the settings' where nobody chose."""
    found = stored if isinstance(stored, dict) else {}
    return bool(found.get("auto_promote", settings.auto_promote))


def promotes_by_itself(tx: Connection, settings: Settings) -> bool:
    """May the gate's decision move the champion: chosen, and not paused since a rollback. Raises NotFound."""
    return chosen_promotion(meta.get(tx, KEY), settings) and deployments.champion(tx).auto_promote
