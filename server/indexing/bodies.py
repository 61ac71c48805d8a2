"""What kind of definition a syntax node is, and where its body begins."""

from __future__ import annotations

from tree_sitter import Node

_FUNCTIONS = {
    "function_definition",
    "function_declaration",
    "generator_function_declaration",
    "method_definition",
    "method_declaration",
    "constructor_declaration",
    "compact_constructor_declaration",
    "destructor_declaration",
    "local_function_statement",
    "function_item",
    "method",
    "singleton_method",
    "create_function",
    "create_procedure",
}
_VARIABLES = {
    "expression_statement",
    "lexical_declaration",
    "variable_declaration",
    "public_field_definition",
    "field_definition",
    "pair",
}
_FUNCTION_VALUES = {"arrow_function", "function_expression", "function", "class", "generator_function"}


def runs(node: Node) -> bool:
    """Whether the definition is a function: what stands in it is its own affair."""
    return node.type in _FUNCTIONS or any(is_function(value) and value.type != "class" for value in _values(node))


def varies(node: Node) -> bool:
    """Whether the definition is a variable or a call: nobody looks for one that stands in a function."""
    return node.type in _VARIABLES and not runs(node)


def is_function(value: Node) -> bool:
    """A function (or class) of JavaScript, or one passed through a call such as ``memo(() => …)``."""
    if value.type != "call_expression":
        return value.type in _FUNCTION_VALUES
    arguments = value.child_by_field_name("arguments")
    return arguments is not None and any(child.type in _FUNCTION_VALUES for child in arguments.named_children)


def opening(node: Node) -> int:
    """Line (from 0) of the first statement after signature and docstring; -1 where there is no body."""
    bodies = (holder.child_by_field_name("body") for holder in (node, *_values(node)))
    statements = next((body.named_children for body in bodies if body is not None), [])
    if not statements:
        return -1
    documented = len(statements) > 1 and _is_text(statements[0])
    return statements[1 if documented else 0].start_point[0]


def explained_until(node: Node, last: int) -> int:
    """The line on which the text ends that stands right below Python's ``name = …``, whose last line is ``last``."""
    below = node.next_named_sibling
    if node.type != "expression_statement" or below is None or not _is_text(below):
        return last
    return below.end_point[0] if below.start_point[0] == last + 1 else last


def _is_text(statement: Node) -> bool:
    inner = statement.named_children
    return statement.type == "expression_statement" and len(inner) == 1 and inner[0].type == "string"


def _values(node: Node) -> list[Node]:
    """What JavaScript's variable, field or assignment ``node`` holds."""
    if node.type not in _VARIABLES:
        return []
    holders = (node, *node.named_children)
    values = [holder.child_by_field_name(field) for holder in holders for field in ("value", "right")]
    return [value for value in values if value is not None]
