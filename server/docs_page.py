"""``/docs``: every call on one page, made from the OpenAPI description, without any script.

The usual interactive page loads its script from elsewhere, which the content security policy forbids and a machine
without network can't reach. ``/openapi.json`` feeds whatever tool someone prefers.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from store.types import Json

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 0.9em ui-monospace, monospace; } h2 { margin-top: 2.5rem; text-transform: capitalize; }
article { border-top: 1px solid #8884; padding: 0.5rem 0; } article p { margin: 0.25rem 0; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
dt { float: left; clear: left; min-width: 12rem; } dd { margin-left: 13rem; } :root { color-scheme: light dark; }
"""


def page(schema: Json) -> str:
    """The page as HTML."""
    by_tag: dict[str, list[str]] = {}
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            by_tag.setdefault((call.get("tags") or ["other"])[0], []).append(_call(path, method, call))
    sections = "".join(f"<section><h2>{escape(tag)}</h2>{''.join(calls)}</section>" for tag, calls in by_tag.items())
    schemas = "".join(_schema(name, body) for name, body in sorted(schema["components"]["schemas"].items()))
    title = f"{escape(schema['info']['title'])} {escape(schema['info']['version'])}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: HTTP calls</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/docs.css"></head>'
        f'<body><main><h1>{title}</h1><p>For tools: <a href="/openapi.json">openapi.json</a>. Errors read '
        '<code>{"error": {"code", "message"}}</code>.</p>'
        f"{sections}<section><h2>Bodies</h2>{schemas}</section></main></body></html>"
    )


def _call(path: str, method: str, call: Json) -> str:
    bodies = [f"body {_link(ref)}" for ref in _refs(call.get("requestBody", {}))]
    results = [f"result {_link(ref)}" for ref in _refs(_success(call))]
    named = ", ".join(f"<code>{escape(p['name'])}</code>" for p in call.get("parameters", []) if p["in"] == "query")
    facts = "; ".join([*bodies, *results, *([f"query {named}"] if named else [])])
    return (
        f'<article><p><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code></p>'
        f"<p>{escape(call.get('description', ''))}</p><p>{facts}</p></article>"
    )


def _success(call: Json) -> Json:
    return next((body for status, body in call["responses"].items() if status.startswith("2")), {})


def _schema(name: str, body: Json) -> str:
    needed = set(body.get("required", []))
    fields = "".join(
        f"<dt><code>{escape(field)}</code>{'' if field in needed else '?'}</dt><dd>{_type(kind)}</dd>"
        for field, kind in body.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(value))}</code>" for value in body.get("enum", []))
    about = escape(body.get("description", ""))
    head = f"<p><strong>{escape(name)}</strong> {about} {values}</p>"
    return f'<article id="{escape(name)}">{head}<dl>{fields}</dl></article>'


def _type(kind: Json) -> str:
    if "$ref" in kind:
        return _link(kind["$ref"])
    if "anyOf" in kind:
        return " or ".join(_type(one) for one in kind["anyOf"])
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    if "enum" in kind:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in kind["enum"])
    limits = [f"{word} {kind[key]}" for key, word in _LIMITS.items() if key in kind]
    return escape(" ".join([str(kind.get("type", "any")), *limits]))


_LIMITS = {"minimum": "from", "maximum": "to", "minLength": "at least", "maxLength": "at most", "maxItems": "at most"}


def _refs(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def _link(ref: str) -> str:
    name = escape(ref.rsplit("/", 1)[-1])
    return f'<a href="#{name}">{name}</a>'
