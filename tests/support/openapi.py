"""Meta's OpenAPI file as a judge: its schemas, with the contradictions we know of switched on or off one by one."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FILE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "meta-business-messaging-v23.yaml"
ROOT = "urn:meta-business-messaging"
Json = dict[str, Any]
Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Contradiction:
    """The file says one thing at `where` (a JSON pointer), the reference another; `change` turns the file's schema into what the
    reference says. `why` names the section of cloud-api.md and the reason to follow it."""

    where: str
    change: Change
    why: str

    def __str__(self) -> str:
        return self.where


def differs(where: str, why: str, *changes: Change) -> Contradiction:
    """One row: several changes at the same place are one contradiction."""
    return Contradiction(where, lambda node: functools.reduce(lambda so_far, change: change(so_far), changes, node), why)


def without(*keys: str) -> Change:
    """The schema less these keywords."""
    return lambda node: {key: value for key, value in node.items() if key not in keys}


def optional(*names: str) -> Change:
    """These properties need not be there."""
    return lambda node: {**node, "required": [name for name in node["required"] if name not in names]}


def also(*values: Any) -> Change:
    """An enumeration that knows more values."""
    return lambda node: {**node, "enum": [*node["enum"], *values]}


def having(**properties: Json) -> Change:
    """An object with further properties."""
    return lambda node: {**node, "properties": {**node.get("properties", {}), **properties}}


def instead(**keywords: Any) -> Change:
    """Keywords that say otherwise."""
    return lambda node: {**node, **keywords}


class OpenAPI:
    """The file with every contradiction applied, but those in `off`. `seen` gathers the contradictions a validation came by."""

    def __init__(self, contradictions: Iterable[Contradiction]) -> None:
        self.document: Json = _load()
        self.contradictions = tuple(contradictions)
        self.off: frozenset[int] = frozenset()
        self.seen: set[int] = set()
        self._pairs: list[tuple[Any, Any]] = []
        self._deciding: set[int] = set()
        for index, row in enumerate(self.contradictions):
            self._mark(index, row)
        self._class = extend(
            Draft202012Validator,
            {"x-contradiction": self._contradiction, "discriminator": self._discriminator, "oneOf": _one_of},
        )
        self._registry: Registry[Any] = Registry().with_resource(ROOT, DRAFT202012.create_resource(self.document))

    def errors(self, pointer: str, value: Any) -> list[str]:
        """What is wrong with `value` by the schema at `pointer`: `<path in the value>: <why>`."""
        validator = self._class({"$ref": f"{ROOT}#{pointer}"}, registry=self._registry)
        return [f"{error.json_path}: {_told(error)}" for error in validator.iter_errors(value)]

    def idle(self, pairs: Iterable[tuple[str, Any]]) -> list[int]:
        """The contradictions that none of these (pointer, value) needs: all that fit would fit by the file's own word."""
        needless = set(range(len(self.contradictions)))
        for pointer, value in pairs:
            self.seen.clear()
            if self.errors(pointer, value):
                continue
            for index in self.seen & needless:
                self.off = frozenset({index})
                if self.errors(pointer, value):
                    needless.discard(index)
                self.off = frozenset()
        return sorted(needless)

    def request(self, method: str, path: str) -> str:
        """The pointer of an operation's JSON request body."""
        return f"/paths/{_escaped(path)}/{method.lower()}/requestBody/content/application~1json/schema"

    def response(self, method: str, path: str, status: int) -> str | None:
        """The pointer of the schema of an answer; None where the file has none for that status."""
        pointer = f"/paths/{_escaped(path)}/{method.lower()}/responses/{status}"
        responses = self.document["paths"][path][method.lower()]["responses"]
        answer = responses.get(str(status), responses.get(status))
        if answer is None:
            return None
        while "$ref" in answer:
            pointer = answer["$ref"].removeprefix("#")
            answer = self.at(pointer)
        return f"{pointer}/content/application~1json/schema" if "schema" in answer.get("content", {}).get("application/json", {}) else None

    def at(self, pointer: str) -> Any:
        return functools.reduce(_step, _parts(pointer), self.document)

    def _mark(self, index: int, row: Contradiction) -> None:
        *way, last = _parts(row.where)
        parent = self._settled(functools.reduce(lambda node, name: _step(self._settled(node), name), way, self.document))
        original = _step(parent, last)
        self._pairs.append((original, row.change(self._settled(original))))
        parent[int(last) if isinstance(parent, list) else last] = {"x-contradiction": index}

    def _settled(self, node: Any) -> Any:
        while isinstance(node, dict) and "x-contradiction" in node:
            node = self._pairs[node["x-contradiction"]][1]
        return node

    def _chosen(self, index: int) -> Any:
        self.seen.add(index)
        original, changed = self._pairs[index]
        return original if index in self.off else changed

    def _contradiction(self, validator: Any, index: int, instance: Any, _: Any) -> Iterator[ValidationError]:
        yield from validator.descend(instance, self._chosen(index))

    def _discriminator(self, validator: Any, rule: Json, instance: Any, _: Any) -> Iterator[ValidationError]:
        """OpenAPI's choice among schemas by a property; a contradiction may name a schema itself in place of a reference. A schema that
        is the base of those it names is entered once an instance."""
        if not isinstance(instance, dict) or id(instance) in self._deciding:
            return
        while "x-contradiction" in rule:
            rule = self._chosen(rule["x-contradiction"])
        name = rule["propertyName"]
        value = instance.get(name, rule.get("x-default"))
        chosen = rule["mapping"].get(value if isinstance(value, str) else None)
        if chosen is None:
            yield ValidationError(f"{name} {value!r} is none of {', '.join(rule['mapping'])}")
            return
        self._deciding.add(id(instance))
        try:
            found = list(validator.descend(instance, chosen if isinstance(chosen, dict) else {"$ref": f"{ROOT}{chosen}"}))
        finally:
            self._deciding.discard(id(instance))
        yield from found


def _one_of(validator: Any, branches: Any, instance: Any, schema: Json) -> Iterator[ValidationError]:
    """Where a discriminator chooses there is nothing left to try."""
    if "discriminator" not in schema:
        yield from Draft202012Validator.VALIDATORS["oneOf"](validator, branches, instance, schema)


def _told(error: ValidationError) -> str:
    """A choice that failed is told by its nearest branch."""
    best = jsonschema.exceptions.best_match([error])
    where = "/".join(str(part) for part in list(error.absolute_schema_path)[-4:])
    return f"{(best or error).message[:300]} [{where}]"


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/")]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _step(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return node[int(name)]
    name = name.replace("%7B", "{").replace("%7D", "}")
    return node[name] if name in node else node[int(name)]


def _load() -> Json:
    if not FILE.is_file() and not os.environ.get("CI"):
        pytest.skip("Meta's OpenAPI file is not beside this checkout (../shared/reference)")
    return yaml.load(FILE.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 a safe loader, less the guess at dates


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # the C one is ten times faster, and not in every wheel
    """Dates in the file's examples are text, as they are in JSON."""


_Loader.yaml_implicit_resolvers = {
    sign: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"] for sign, pairs in _Loader.yaml_implicit_resolvers.items()
}
