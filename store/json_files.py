"""Read a JSON file that somebody else may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from store.errors import ModelRefused

MAX_JSON = 64 * 2**20


def read_json(path: Path) -> Any:
    """Raises ModelRefused when the file is missing, too large or not JSON."""
    try:
        if path.stat().st_size > MAX_JSON:
            raise ModelRefused(f"{path.name} is too large for a JSON file")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ModelRefused(f"missing file: {path.name}") from error
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path.name} is not readable as JSON: damaged or truncated") from error
