"""Checks documents against the field list of the Elastic Common Schema."""

import ipaddress
import json
import os
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
OWN = "sealcast"
_KINDS: dict[str, tuple[type, ...]] = {
    "keyword": (str,),
    "wildcard": (str,),
    "constant_keyword": (str,),
    "match_only_text": (str,),
    "long": (int,),
    "boolean": (bool,),
    "float": (int, float),
}


@cache
def fields() -> dict[str, dict[str, Any]]:
    """The published list where it is at hand, else the committed part of it."""
    vectors = Path(os.environ.get("SEALCAST_VECTORS") or PROJECT.parent / "shared" / "vectors")
    published = vectors / "ecs_flat.yml"
    if published.is_file():
        with open(published, encoding="utf-8") as file:
            whole: dict[str, dict[str, Any]] = yaml.load(file, Loader=yaml.CSafeLoader)
            return whole
    return committed_fields()


def committed_fields() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((PROJECT / "tests/vectors/ecs_fields.json").read_text())
    return found


def problems(document: dict[str, Any], known: dict[str, dict[str, Any]]) -> list[str]:
    """Everything in the document that the schema does not allow."""
    found = [problem for name, value in flatten(document) for problem in _field_problems(name, value, known)]
    found += [f"{name} is missing" for name in ("@timestamp", "ecs.version") if not _has(document, name)]
    return found + list(_pair_problems(document, known))


def flatten(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _has(document: dict[str, Any], name: str) -> bool:
    return any(name == other for other, _ in flatten(document))


def _field_problems(name: str, value: object, known: dict[str, dict[str, Any]]) -> Iterator[str]:
    if name.startswith(f"{OWN}."):
        return
    field = known.get(name)
    if field is None:
        yield f"{name} is not in ECS"
        return
    if ("array" in field["normalize"]) != isinstance(value, list):
        yield f"{name}: array or not"
    allowed = {item["name"] for item in field.get("allowed_values", [])}
    for item in value if isinstance(value, list) else [value]:
        if not _is_of_type(item, field["type"]):
            yield f"{name}: {item!r} is no {field['type']}"
        if allowed and item not in allowed:
            yield f"{name}: {item!r} is not allowed"
        if isinstance(item, str) and len(item) > field.get("ignore_above", len(item)):
            yield f"{name}: {len(item)} characters would not be indexed"


def _is_of_type(value: object, kind: str) -> bool:
    try:
        if kind == "ip":
            ipaddress.ip_address(str(value))
        elif kind == "date":
            datetime.fromisoformat(str(value))
        else:
            return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    except ValueError:
        return False
    return True


def _pair_problems(document: dict[str, Any], known: dict[str, dict[str, Any]]) -> Iterator[str]:
    expected = {
        item["name"]: item["expected_event_types"] for item in known["event.category"]["allowed_values"]
    }
    for kind in document["event"]["type"]:
        if not any(kind in expected.get(category, []) for category in document["event"]["category"]):
            yield f"event.type {kind} is not one of {document['event']['category']}"
