"""Values of a spec as ITF JSON, directed by their types in both directions.

| type | written |
| --- | --- |
| int | `{"#bigint": "3"}`; a plain number is accepted on reading |
| enumeration, node | a string: the member's name, the node's name |
| option | `{"tag": "Nothing", "value": []}`, `{"tag": "Some", "value": [x]}` |
| record | an object |
| union | `{"tag": "Prepared", "value": {the record}}` |
| set, sequence | `{"#set": [...]}` sorted, `[...]` |
| map, bag | `{"#map": [[key, value], ...]}` sorted by key; a bag's values are its copies |

NOTE(itf-py): the package itf-py turns tags into Python class names and the keys of a variant's
payload into field names. So it cannot read a tag `None` (a keyword) nor a payload that is a bare
`{"#bigint": ...}`; hence `Nothing`, and the list around the value of `Some`. It takes any object
with exactly the keys `tag` and `value` for a variant: a record with these two fields is written as
a union of one. It writes a variant without fields with the payload null, and one with the single
field `value` without the object around it: both are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..language.ir.types import (
    BagType,
    BoolType,
    EnumType,
    IntType,
    MapType,
    NodeType,
    OptionType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
    cardinality,
)
from ..language.values import FrozenBag, FrozenMap, Node, Universe, Value, order_key
from .show import show
from .trace import TraceError

Json = Any
"""What `json` reads and writes."""

_INTEGER = re.compile(r"-?[0-9]{1,40}")
_SHOWN = 60


def found(item: Json) -> str:
    """What was found, in short, for a message."""
    text = "null" if item is None else f"{item!r}"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def fail(where: str, allowed: str, item: Json) -> TraceError:
    """The error for an item that is not what is allowed there."""
    return TraceError(f"{where}: expected {allowed}, found {found(item)}")


def payload(item: Json, tag: str, where: str, allowed: str) -> list[Json]:
    """The list behind a tag such as `#set`, which must be the object's only key."""
    if not isinstance(item, dict) or set(item) != {tag}:
        raise fail(where, allowed, item)
    inner = item[tag]
    if not isinstance(inner, list):
        raise fail(f"{where}, {tag}", "an array", inner)
    return inner


def pairs(item: Json, where: str, allowed: str) -> list[tuple[Json, Json]]:
    """The pairs of a `#map`."""
    entries = payload(item, "#map", where, allowed)
    result = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) != 2:
            raise fail(f"{where}, entry {position}", "[key, value]", entry)
        result.append((entry[0], entry[1]))
    return result


def integer(item: Json, where: str) -> int:
    """An integer, as `#bigint` or as a plain number."""
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    if isinstance(item, dict) and set(item) == {"#bigint"}:
        digits = item["#bigint"]
        if isinstance(digits, str) and _INTEGER.fullmatch(digits):
            return int(digits)
    raise fail(where, 'an integer such as {"#bigint": "3"}', item)


class ValueCodec:
    """Encodes and decodes the values of one universe."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._record_names = {kind: name for name, kind in universe.records.items()}
        self._enum_names = {kind: name for name, kind in universe.enums.items()}
        self._nodes = {
            sort: {node.name: node for node in nodes} for sort, nodes in universe.nodes.items()
        }

    # -- typed, for variables and parameters ------------------------------------------------

    def encode(self, value: Value, kind: Type) -> Json:
        """The JSON of a value of a type."""
        match kind:
            case BoolType():
                return bool(value)
            case IntType():
                return {"#bigint": str(value)}
            case EnumType() | NodeType():
                return value.name
            case OptionType(inner):
                if value is None:
                    return {"tag": "Nothing", "value": []}
                return {"tag": "Some", "value": [self.encode(value, inner)]}
            case RecordType(name, fields):
                item = {field: self.encode(getattr(value, field), of) for field, of in fields}
                return {"tag": name, "value": item} if set(item) == {"tag", "value"} else item
            case UnionType(variants):
                name = self._record_names[type(value)]
                variant = next(one for one in variants if one.name == name)
                item = {f: self.encode(getattr(value, f), of) for f, of in variant.fields}
                return {"tag": name, "value": item}
            case SetType(element):
                return {"#set": [self.encode(one, element) for one in _ordered(value)]}
            case SeqType(element):
                return [self.encode(one, element) for one in value]
            case MapType(key, of):
                return {
                    "#map": [
                        [self.encode(one, key), self.encode(value[one], of)]
                        for one in _ordered(value)
                    ]
                }
            case BagType(element):
                return {
                    "#map": [
                        [self.encode(one, element), {"#bigint": str(value[one])}]
                        for one in _ordered(value)
                    ]
                }

    def decode(self, item: Json, kind: Type, where: str) -> Value:
        """The value that an item stands for; raises TraceError where it is not of the type."""
        match kind:
            case BoolType():
                if not isinstance(item, bool):
                    raise fail(where, "true or false", item)
                return item
            case IntType(low, high):
                number = integer(item, where)
                if not low <= number <= high:
                    raise fail(where, f"an integer from {low} to {high}", item)
                return number
            case EnumType() | NodeType():
                return self._named(item, kind, where)
            case OptionType(inner):
                return self._option(item, inner, where)
            case RecordType():
                return self._record(item, kind, where)
            case UnionType(variants):
                names = tuple(variant.name for variant in variants)
                tag, inside = _variant(item, names, where)
                return self._fields(inside, variants[names.index(tag)], f"{where}, {tag}")
            case SetType() | SeqType():
                return self._elements(item, kind, where)
            case MapType():
                return self._map(item, kind, where)
            case BagType():
                return self._bag(item, kind, where)

    def _named(self, item: Json, kind: EnumType | NodeType, where: str) -> Value:
        names: Mapping[str, Value]
        if isinstance(kind, EnumType):
            python = self._universe.enums[kind.name]
            names = {member: python[member] for member in kind.members}
        else:
            names = self._nodes[kind.sort.name]
        if not isinstance(item, str) or item not in names:
            raise fail(where, "one of " + ", ".join(names), item)
        return names[item]

    def _option(self, item: Json, inner: Type, where: str) -> Value:
        tag, inside = _variant(item, ("Nothing", "Some", "None"), where)
        if tag != "Some":
            if inside not in ({}, [], {"#tup": []}, None):
                raise fail(f"{where}, {tag}", "no payload, written []", inside)
            return None
        if not isinstance(inside, list) or len(inside) != 1:
            raise fail(f"{where}, Some", "an array of one element", inside)
        return self.decode(inside[0], inner, where)

    def _record(self, item: Json, kind: RecordType, where: str) -> Value:
        if {name for name, _ in kind.fields} == {"tag", "value"}:
            _, item = _variant(item, (kind.name,), where)
        return self._fields(item, kind, where)

    def _fields(self, item: Json, kind: RecordType, where: str) -> Value:
        names = [name for name, _ in kind.fields]
        if names == ["value"]:
            item = self._unwrapped(item, kind.fields[0][1], where)
        if not names and item in ([], {"#tup": []}, None):
            item = {}
        if not isinstance(item, dict) or set(item) != set(names):
            allowed = f"the fields {', '.join(names)}" if names else "no fields"
            raise fail(f"{where}, record {kind.name}", allowed, item)
        values = {name: self.decode(item[name], of, f"{where}.{name}") for name, of in kind.fields}
        return self._universe.records[kind.name](**values)

    def _unwrapped(self, item: Json, of: Type, where: str) -> Json:
        """The object of a record with the single field `value`, which may be its value alone.

        Both readings never succeed at once: types are finite, so the nesting is fixed.
        """
        if not isinstance(item, dict) or set(item) != {"value"}:
            return {"value": item}
        try:
            self.decode(item["value"], of, where)
        except TraceError:
            return {"value": item}
        return item

    def _elements(self, item: Json, kind: SetType | SeqType, where: str) -> Value:
        if isinstance(kind, SetType):
            items = payload(item, "#set", where, 'a set, {"#set": [...]}')
        elif isinstance(item, list):
            items = item
        else:
            items = payload(item, "#tup", where, "a sequence, [...]")
        if kind.capacity is not None and len(items) > kind.capacity:
            raise TraceError(f"{where}: at most {kind.capacity} elements, found {len(items)}")
        values = [
            self.decode(one, kind.element, f"{where}, element {position}")
            for position, one in enumerate(items)
        ]
        if isinstance(kind, SeqType):
            return tuple(values)
        return frozenset(_distinct(values, where))

    def _map(self, item: Json, kind: MapType, where: str) -> Value:
        entries = []
        for key, value in pairs(item, where, 'a map, {"#map": [[key, value], ...]}'):
            decoded = self.decode(key, kind.key, f"{where}, key")
            entries.append((decoded, self.decode(value, kind.value, f"{where}[{show(decoded)}]")))
        _distinct([key for key, _ in entries], where)
        if len(entries) != cardinality(kind.key):
            raise TraceError(
                f"{where}: a value for each of {cardinality(kind.key)} keys, found {len(entries)}"
            )
        return FrozenMap(sorted(entries, key=lambda entry: order_key(entry[0])))

    def _bag(self, item: Json, kind: BagType, where: str) -> Value:
        entries = []
        for element, copies in pairs(item, where, 'a bag, {"#map": [[element, copies], ...]}'):
            decoded = self.decode(element, kind.element, f"{where}, element")
            count = integer(copies, f"{where}[{show(decoded)}]")
            if not 1 <= count <= kind.copies:
                allowed = f"1 to {kind.copies} copies"
                raise fail(f"{where}[{show(decoded)}]", allowed, copies)
            entries.append((decoded, count))
        _distinct([element for element, _ in entries], where)
        if kind.capacity is not None and len(entries) > kind.capacity:
            raise TraceError(f"{where}: at most {kind.capacity} elements, found {len(entries)}")
        return FrozenBag(sorted(entries, key=lambda entry: order_key(entry[0])))

    # -- self-describing, for choices, whose types depend on the path through the action ----

    def describe(self, value: Value) -> Json:
        """The JSON of a value, which says what it is."""
        match value:
            case None | bool():
                return value
            case int():
                return {"#bigint": str(value)}
            case Node():
                return {"node": value.name, "sort": value.sort.name}
            case Enum():
                return {"enum": self._enum_names[type(value)], "member": value.name}
            case frozenset():
                return {"#set": [self.describe(one) for one in _ordered(value)]}
            case tuple():
                return [self.describe(one) for one in value]
            case FrozenMap():
                entries = [
                    [self.describe(one), self.describe(value[one])] for one in _ordered(value)
                ]
                return {"bag": entries} if isinstance(value, FrozenBag) else {"#map": entries}
        name = self._record_names[type(value)]
        fields = {field: self.describe(getattr(value, field)) for field in _field_names(value)}
        return {"record": name, "fields": fields}

    def recognise(self, item: Json, where: str) -> Value:
        """The value that `describe` wrote; raises TraceError."""
        if item is None or isinstance(item, bool):
            return item
        if isinstance(item, list):
            return tuple(self.recognise(one, where) for one in item)
        if not isinstance(item, dict):
            raise fail(where, "a value", item)
        match sorted(item):
            case ["#bigint"]:
                return integer(item, where)
            case ["node", "sort"]:
                return _pick(_pick(self._nodes, item["sort"], where), item["node"], where)
            case ["enum", "member"]:
                python = _pick(self._universe.enums, item["enum"], where)
                return _pick(python.__members__, item["member"], where)
            case ["#set"]:
                items = payload(item, "#set", where, "a set")
                return frozenset(self.recognise(one, where) for one in items)
            case ["#map"]:
                return FrozenMap(self._recognised_pairs(item, where))
            case ["bag"]:
                return FrozenBag(self._recognised_pairs({"#map": item["bag"]}, where))
            case ["fields", "record"]:
                return self._recognised_record(item, where)
        raise fail(where, "a value", item)

    def _recognised_pairs(self, item: Json, where: str) -> list[tuple[Value, Value]]:
        return [
            (self.recognise(key, where), self.recognise(value, where))
            for key, value in pairs(item, where, "a map")
        ]

    def _recognised_record(self, item: Json, where: str) -> Value:
        python = _pick(self._universe.records, item["record"], where)
        fields = item["fields"]
        if not isinstance(fields, dict) or set(fields) != set(_field_names(python)):
            raise fail(f"{where}, fields", ", ".join(_field_names(python)), fields)
        return python(**{name: self.recognise(one, where) for name, one in fields.items()})


def _ordered(values: Any) -> list[Value]:
    return sorted(values, key=order_key)


def _field_names(record: Any) -> list[str]:
    return list(record.__dataclass_fields__)


def _distinct(values: list[Value], where: str) -> list[Value]:
    seen: set[Value] = set()
    for value in values:
        if value in seen:
            raise TraceError(f"{where}: {show(value)} occurs twice")
        seen.add(value)
    return values


def _variant(item: Json, tags: tuple[str, ...], where: str) -> tuple[str, Json]:
    allowed = '{"tag": ..., "value": ...}'
    if not isinstance(item, dict) or set(item) != {"tag", "value"}:
        raise fail(where, allowed, item)
    tag = item["tag"]
    if not isinstance(tag, str) or tag not in tags:
        raise fail(f"{where}, tag", "one of " + ", ".join(tags), tag)
    return tag, item["value"]


def _pick(table: Mapping[str, Any], name: Json, where: str) -> Any:
    if not isinstance(name, str) or name not in table:
        raise fail(where, "one of " + ", ".join(table), name)
    return table[name]
