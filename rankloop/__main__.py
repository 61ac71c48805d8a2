"""``python -m rankloop`` is the ``rankloop`` command."""

from rankloop.cli import app

app()
