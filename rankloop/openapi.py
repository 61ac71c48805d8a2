"""The OpenAPI description as JSON: what the GUI's types are generated from."""

from __future__ import annotations

import json

from server.app import create_app
from store.settings import Settings


def openapi_json() -> str:
    """Describe the application without starting it (no database, no model is opened)."""
    return json.dumps(create_app(Settings()).openapi(), indent=1, sort_keys=True)
