"""What a syntax node defines and by which name, language by language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tree_sitter import Node

from server.indexing.bodies import is_function
from server.indexing.languages import Language

_LONGEST = 80  # characters of a name; a selector or heading can be a paragraph


@dataclass(frozen=True, slots=True)
class Named:
    text: str
    node: Node
    """The definition itself, inside any wrapper such as a decorator or ``export``."""


_LONG_VALUE = 2  # lines after the first from which an assigned value is a definition

Namer = Callable[[Node], str | None]

_LEADS = {
    "comment",
    "line_comment",
    "block_comment",
    "attribute_item",
    "inner_attribute_item",
    "decorator",
    "marginalia",
}
_CONTAINERS = {"namespace_declaration", "namespace_definition", "internal_module", "module", "mod_item"}
_WRAPPERS = {"decorated_definition", "export_statement", "template_declaration", "ambient_declaration"}


def contains(node: Node) -> bool:
    """Whether the definition is but a place for others."""
    return node.type in _CONTAINERS


def leads(node: Node) -> bool:
    """Whether the node belongs to the definition that follows it."""
    return node.type in _LEADS


def name(node: Node, language: Language, level: int) -> Named | None:
    """The name of what ``node`` defines, or None. ``level`` is the number of definitions around it."""
    if node.type in _WRAPPERS:
        for child in node.named_children:
            inner = name(child, language, level)
            if inner is not None:
                return inner
        return None
    namer = _NAMERS.get(language.name, {}).get(node.type)
    if namer is None or (language.name in ("json", "yaml") and level >= 2):
        return None
    found = namer(node)
    return Named(" ".join(found.split())[:_LONGEST], node) if found else None


def _text(node: Node | None) -> str | None:
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else None


def _field(field: str) -> Namer:
    return lambda node: _text(node.child_by_field_name(field))


_named = _field("name")


def _first(*types: str) -> Namer:
    def namer(node: Node) -> str | None:
        return next((_text(child) for child in node.named_children if child.type in types), None)

    return namer


def _with_body(node: Node) -> str | None:
    """C's ``struct x { … }``; a mere mention of ``struct x`` defines nothing."""
    return _named(node) if node.child_by_field_name("body") is not None else None


def _declarator(node: Node) -> str | None:
    """The name inside C's nested declarators: ``static int *name(…)``."""
    inner: Node | None = node.child_by_field_name("declarator")
    while inner is not None:
        deeper = inner.child_by_field_name("declarator")
        if deeper is None:
            deeper = next((c for c in inner.named_children if c.type.endswith("declarator")), None)
        if deeper is None:
            return re.sub(r"<[^<>]*>", "", _text(inner) or "")
        inner = deeper
    return None


def _typedef(node: Node) -> str | None:
    body = node.child_by_field_name("type")
    if body is None or body.child_by_field_name("body") is None:
        return None
    return _declarator(node)


def _impl(node: Node) -> str | None:
    """Rust's ``impl Trait for Type``: its functions belong to the type."""
    found = _text(node.child_by_field_name("type"))
    return re.sub(r"<.*", "", found, flags=re.DOTALL) if found else None


def _go_method(node: Node) -> str | None:
    receiver = re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$", _text(node.child_by_field_name("receiver")) or "")
    own = _named(node)
    return f"{receiver.group(1)}.{own}" if receiver and own else own


def _go_type(node: Node) -> str | None:
    return next((_named(child) for child in node.named_children if child.type in ("type_spec", "type_alias")), None)


def _js_variable(node: Node) -> str | None:
    """``const name = () => …`` and its kin, and long values such as tables."""
    for child in node.named_children:
        value = child.child_by_field_name("value") if child.type == "variable_declarator" else None
        if value is not None and (is_function(value) or _long(node)):
            return _named(child)
    return None


def _long(node: Node) -> bool:
    return node.end_point[0] - node.start_point[0] >= _LONG_VALUE


def _assignment(node: Node) -> str | None:
    """Python's ``name = …`` where the value is long enough to be looked for."""
    inner = node.named_children[0] if node.named_children else None
    if inner is None or inner.type != "assignment" or not _long(node):
        return None
    left = inner.child_by_field_name("left")
    return _text(left) if left is not None and left.type == "identifier" else None


def _js_statement(node: Node) -> str | None:
    """``exports.name = function …`` and ``describe("name", () => …)``."""
    inner = node.named_children[0] if node.named_children else None
    if inner is None:
        return None
    if inner.type == "assignment_expression":
        value = inner.child_by_field_name("right")
        return _text(inner.child_by_field_name("left")) if value is not None and is_function(value) else None
    if inner.type == "call_expression" and is_function(inner):
        called, arguments = inner.child_by_field_name("function"), inner.child_by_field_name("arguments")
        first = arguments.named_children[0] if arguments is not None else None
        return f"{_text(called)} {_text(first)}" if first is not None and first.type == "string" else None
    return None


def _js_field(node: Node) -> str | None:
    value = node.child_by_field_name("value")
    if value is None or not is_function(value):
        return None
    return _named(node) or _field("property")(node) or _field("key")(node)


def _element(node: Node) -> str | None:
    """``tag#id`` of an HTML element that has an id."""
    start = node.named_children[0] if node.named_children else None
    tag = re.match(r"<\s*([\w-]+)", _text(start) or "")
    if tag is None or start is None:
        return None
    given = re.search(r"\bid\s*=\s*[\"']?([\w:.-]+)", _text(start) or "")
    if given is None:
        return tag.group(1) if tag.group(1).lower() in ("head", "script", "style", "template") else None
    return f"{tag.group(1)}#{given.group(1)}"


def _head_of_block(node: Node) -> str | None:
    """What stands before the opening brace of a CSS rule."""
    return (_text(node) or "").split("{", 1)[0].strip() or None


def _key(node: Node) -> str | None:
    found = _text(node.child_by_field_name("key"))
    return found.strip("\"'") if found else None


def _heading(node: Node) -> str | None:
    heading = next((c for c in node.named_children[:1] if c.type in ("atx_heading", "setext_heading")), None)
    if heading is None:
        return None
    return re.sub(r"^#+|#+\s*$|\n[=-]+\s*$", "", (_text(heading) or "").strip()).strip() or None


def _all(namer: Namer, types: str) -> dict[str, Namer]:
    return dict.fromkeys(types.split(), namer)


_SCRIPT: dict[str, Namer] = {
    **_all(
        _named,
        "function_declaration generator_function_declaration class_declaration abstract_class_declaration"
        " method_definition interface_declaration enum_declaration type_alias_declaration internal_module module",
    ),
    **_all(_js_variable, "lexical_declaration variable_declaration"),
    **_all(_js_field, "public_field_definition field_definition pair"),
    "expression_statement": _js_statement,
}
_C: dict[str, Namer] = {
    "function_definition": _declarator,
    "type_definition": _typedef,
    **_all(_with_body, "struct_specifier union_specifier enum_specifier"),
}
_NAMERS: dict[str, dict[str, Namer]] = {
    "python": {**_all(_named, "function_definition class_definition"), "expression_statement": _assignment},
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "java": _all(
        _named,
        "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration"
        " method_declaration constructor_declaration compact_constructor_declaration",
    ),
    "go": {"function_declaration": _named, "method_declaration": _go_method, "type_declaration": _go_type},
    "rust": {
        **_all(_named, "function_item struct_item enum_item union_item trait_item mod_item macro_definition"),
        "impl_item": _impl,
    },
    "c": _C,
    "cpp": {**_C, **_all(_with_body, "class_specifier namespace_definition")},
    "csharp": _all(
        _named,
        "namespace_declaration class_declaration interface_declaration struct_declaration record_declaration"
        " enum_declaration delegate_declaration method_declaration constructor_declaration destructor_declaration"
        " property_declaration local_function_statement",
    ),
    "ruby": _all(_named, "method singleton_method class module"),
    "php": _all(
        _named,
        "function_definition class_declaration interface_declaration trait_declaration enum_declaration"
        " method_declaration",
    ),
    "bash": {"function_definition": _named},
    "sql": _all(
        _first("object_reference", "identifier"),
        "create_table create_view create_materialized_view create_function create_procedure create_trigger create_type"
        " create_index create_schema create_sequence",
    ),
    "html": _all(_element, "element script_element style_element"),
    "css": _all(_head_of_block, "rule_set media_statement keyframes_statement supports_statement"),
    "json": {"pair": _key},
    "yaml": {"block_mapping_pair": _key},
    "markdown": {"section": _heading},
}
