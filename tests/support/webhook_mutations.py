"""Webhooks bent by structure: what a faulty, changed or hostile sender could send, from a seed."""

import json
import random
from collections.abc import Callable
from typing import Any

_NOVEL = "novel"
_NUMBERS: list[Any] = [0, -1, 1, 10**9, 10**13, 10**18, 2**63, 2**64, -(2**63) - 1, 10**30, 1.5, -0.0, 1e300, 1e-300]
_TEXTS = [
    "",
    " ",
    "NaN",
    "Infinity",
    "-5",
    "1e400",
    "9" * 400,
    "\u0000",
    "\u202e\x1b[2J",
    "true",
    "null",
    "1790000000",
    "1790000000.5",
    "２０２６",
    "wamid.X",
    "BR.1",
    "👩‍👩‍👧‍👦",
    "\ufffe\uffff",
]
_TYPES = [
    "text",
    "image",
    "system",
    "edit",
    "unsupported",
    "interactive",
    "order",
    "hologram",
    "group",
    "sent",
    "failed",
    "messages",
    "history",
]


class Mutations:
    """An endless, repeatable source of bent bodies made from `bodies`."""

    def __init__(self, bodies: list[bytes], *, seed: int) -> None:
        self._bodies = bodies
        self._is_deep = False
        self._chance = random.Random(seed)
        self._bend: list[Callable[[Any, Any], None]] = [
            self._drop,
            self._retype,
            self._retype,
            self._double,
            self._wrap,
            self._unwrap,
            self._deepen,
            self._swell,
            self._add_keys,
            self._swap,
            self._rename,
        ]

    def next(self) -> bytes:
        body = json.loads(self._chance.choice(self._bodies))
        self._is_deep = False
        for _ in range(self._chance.choice([1, 1, 1, 2, 3, 5])):
            places = self._places(body)
            if not places:
                break
            self._chance.choice(self._bend)(*self._chance.choice(places))
        return self._spoil(self._written(body))

    def _places(self, body: Any) -> list[tuple[Any, Any]]:
        """Every (container, key) below `body`."""
        places: list[tuple[Any, Any]] = []
        waiting = [body]
        while waiting:
            value = waiting.pop()
            items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            for key, item in items:
                places.append((value, key))
                if isinstance(item, dict | list):
                    waiting.append(item)
        return places

    def _value(self) -> Any:
        chance = self._chance
        kind = chance.randrange(9)
        if kind == 0:
            return chance.choice(_NUMBERS)
        if kind == 1:
            return chance.choice(_TEXTS)
        if kind == 2:
            return chance.choice(_TYPES)
        return [None, True, False, [], {}, [self._word()], {self._word(): self._word()}][kind - 2]

    def _word(self) -> str:
        return f"{_NOVEL}{self._chance.randrange(1000)}"

    def _drop(self, holder: Any, key: Any) -> None:
        del holder[key]

    def _retype(self, holder: Any, key: Any) -> None:
        holder[key] = self._value()

    def _double(self, holder: Any, key: Any) -> None:
        if isinstance(holder, list):
            holder.insert(self._chance.randrange(len(holder) + 1), _copy(holder[key]))
        else:
            holder[f"{key}_{self._word()}"] = _copy(holder[key])

    def _wrap(self, holder: Any, key: Any) -> None:
        holder[key] = [holder[key]] if self._chance.random() < 0.5 else {self._word(): holder[key]}

    def _unwrap(self, holder: Any, key: Any) -> None:
        """An array becomes its first member, an object the array of its members."""
        value = holder[key]
        if isinstance(value, list) and value:
            holder[key] = value[0]
        elif isinstance(value, dict):
            holder[key] = list(value.values())

    def _deepen(self, holder: Any, key: Any) -> None:
        # Once a body, so that what makes it can still write it.
        depth, self._is_deep = (3 if self._is_deep else self._chance.choice([3, 30, 70, 300])), True
        for _ in range(depth):
            holder[key] = [holder[key]] if self._chance.random() < 0.5 else {"a": holder[key]}

    def _swell(self, holder: Any, key: Any) -> None:
        holder[key] = self._chance.choice(["x", "é", "👍", "\x00", "\u202e"]) * self._chance.choice([200, 5000, 60_000])

    def _add_keys(self, holder: Any, key: Any) -> None:
        if isinstance(holder[key], dict):
            holder[key] |= {self._word(): self._value() for _ in range(self._chance.choice([1, 1, 5, 200]))}

    def _swap(self, holder: Any, key: Any) -> None:
        other = self._chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        holder[key], holder[other] = holder[other], holder[key]

    def _rename(self, holder: Any, key: Any) -> None:
        if isinstance(holder, dict):
            holder[self._chance.choice([str(key).upper(), f"{key}s", "", "type", "errors", "\u0000"])] = holder.pop(key)

    def _written(self, body: Any) -> bytes:
        if self._chance.random() < 0.8:
            return json.dumps(body).encode()
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")

    def _spoil(self, raw: bytes) -> bytes:
        """Now and then the bytes themselves are broken: cut off, not UTF-8, half a surrogate pair, NaN, a doubled key."""
        chance = self._chance
        kind = chance.randrange(40)
        place = chance.randrange(len(raw)) if raw else 0
        if kind == 0:
            return raw[:place]
        if kind == 1:
            return raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :]
        if kind == 2:
            return raw.replace(b'"Ana"', rb'"\ud83d half"').replace(b'"text"', rb'"t\u0065xt"')
        if kind == 3:
            return raw.replace(b'"1790000000"', chance.choice([b"NaN", b"1e999", b"-", b"0x1", b"1790000000000000000000", b"-0"]))
        if kind == 4:
            return raw.replace(b'"type":', b'"type": "image", "type":', 1)
        return raw.replace(b"/", rb"\/") if kind == 5 else raw


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))
