"""Avro readers and writers compiled from a schema to Python functions, for the records of the hot path.

fastavro decodes one record of a large union in some 20 microseconds, most of them spent on finding its way
through the schema; the same steps written out in a row take a third. The binary form is Avro 1.12's; what fastavro
writes these read, and the other way round, which tests hold over every model. Times, dates and ids stay numbers and
text (the schemas come without logical types). Only what our models generate is known: records, enums, arrays, maps
of none, unions of null and one type, and unions of records, whose values are pairs of full name and record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

ValueReader = Callable[[bytes, int], tuple[Any, int]]
ValueWriter = Callable[[Any], bytes]
_LENGTH_MASK = 0x7F
_BITS = 7
_LONG_BITS_MAX = 70
_LONG_BEFORE = 2**63


def read_long(data: bytes, position: int) -> tuple[int, int]:
    """Returns a zigzag-encoded long and the position after it.

    Raises IndexError where it is cut short, ValueError where it is longer than the ten bytes of 64 bits.
    """
    byte = data[position]
    position += 1
    number, shift = byte & _LENGTH_MASK, _BITS
    while byte > _LENGTH_MASK:
        if shift == _LONG_BITS_MAX:
            raise ValueError("a long has at most ten bytes")
        byte = data[position]
        position += 1
        number |= (byte & _LENGTH_MASK) << shift
        shift += _BITS
    if shift == _LONG_BITS_MAX and number >> 64:
        raise ValueError("a long has at most 64 bits")
    return number >> 1 ^ -(number & 1), position


@lru_cache(maxsize=16_384)
def long_bytes(number: int) -> bytes:
    """Returns the zigzag encoding of a long; raises OverflowError where the number has more than 64 bits."""
    if not -_LONG_BEFORE <= number < _LONG_BEFORE:
        raise OverflowError("a long has at most 64 bits")
    number = number << 1 if number >= 0 else ~number << 1 | 1
    out = bytearray()
    while number > _LENGTH_MASK:
        out.append(number & _LENGTH_MASK | 128)
        number >>= _BITS
    out.append(number)
    return bytes(out)


class _Source:
    """Source text in the making: names for what it refers to, and a counter for its variables."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"read_long": read_long, "long_bytes": long_bytes}
        self.named: dict[str, dict[str, Any]] = {}
        self._count = 0

    def fresh(self, prefix: str = "v") -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def keep(self, value: Any) -> str:
        name = self.fresh("k")
        self.names[name] = value
        return name

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def resolved(self, schema: Any) -> Any:
        """Returns the schema that a name stands for, and remembers the names that a schema gives."""
        if isinstance(schema, str) and schema in self.named:
            return self.named[schema]
        if isinstance(schema, dict) and schema["type"] in ("record", "enum"):
            name = schema["name"] if "." in schema["name"] else f"brobygger.{schema['name']}"
            self.named[name] = schema
        if isinstance(schema, dict) and not isinstance(schema["type"], str):
            return self.resolved(schema["type"])
        if isinstance(schema, dict) and schema["type"] in ("string", "long", "int", "boolean", "bytes"):
            return schema["type"]
        return schema

    def function(self, name: str) -> Any:
        exec(compile("\n".join(self.lines), f"<avro {name}>", "exec"), self.names)  # noqa: S102 - our own schemas alone
        return self.names[name]


def compiled_reader(schema: dict[str, Any]) -> ValueReader:
    """Returns a function from (bytes, position) to (record, position after it).

    It raises IndexError, ValueError or UnicodeDecodeError for bytes that are no such record, except that a last
    string may be cut short: the caller checks the position against the length.
    """
    source = _Source()
    source.add(0, "def read(b, p):")
    value = _read(source, schema, 1)
    source.add(1, f"return {value}, p")
    reader: ValueReader = source.function("read")
    return reader


def _read(source: _Source, schema: Any, depth: int) -> str:
    """Adds the lines that read a value at p; returns the variable that holds it."""
    schema = source.resolved(schema)
    value = source.fresh()
    if isinstance(schema, list):
        _read_union(source, schema, depth, value)
    elif schema in ("long", "int"):
        source.add(depth, f"{value}, p = read_long(b, p)")
    elif schema == "boolean":
        source.add(depth, f"{value} = (False, True)[b[p]]; p += 1")
    elif schema == "string":
        source.add(depth, "n = b[p]; p += 1")
        source.add(depth, "if n > 127 or n & 1: n, p = read_long(b, p - 1); n *= 2")
        source.add(depth, "if n < 0: raise ValueError('a length is not negative')")
        source.add(depth, f"q = p + (n >> 1); {value} = b[p:q].decode(); p = q")
    elif schema["type"] == "enum":
        symbols = source.keep(tuple(schema["symbols"]))
        source.add(depth, "n = b[p]; p += 1")
        source.add(depth, "if n > 127 or n & 1: raise IndexError('no such symbol')")
        source.add(depth, f"{value} = {symbols}[n >> 1]")
    elif schema["type"] == "array":
        _read_array(source, schema["items"], depth, value)
    else:
        pairs = [f"{field['name']!r}: {_read(source, field['type'], depth)}" for field in schema["fields"]]
        source.add(depth, f"{value} = {{{', '.join(pairs)}}}")
    return value


def _read_union(source: _Source, branches: list[Any], depth: int, value: str) -> None:
    source.add(depth, "n = b[p]; p += 1")
    several = sum(1 for branch in branches if branch != "null") > 1
    for index, branch in enumerate(branches):
        source.add(depth, f"{'el' if index else ''}if n == {index * 2}:")
        if branch == "null":
            source.add(depth + 1, f"{value} = None")
            continue
        inner = _read(source, branch, depth + 1)
        name = source.resolved(branch)["name"] if several else ""
        source.add(depth + 1, f"{value} = ({_full(name)!r}, {inner})" if several else f"{value} = {inner}")
    source.add(depth, "else: raise IndexError('no such branch')")


def _read_array(source: _Source, items: Any, depth: int, value: str) -> None:
    count = source.fresh("c")
    source.add(depth, f"{value} = []")
    source.add(depth, f"{count}, p = read_long(b, p)")
    source.add(depth, f"while {count}:")
    source.add(depth + 1, f"if {count} < 0: {count} = -{count}; n, p = read_long(b, p)")
    source.add(depth + 1, f"while {count}:")
    item = _read(source, items, depth + 2)
    source.add(depth + 2, f"{value}.append({item}); {count} -= 1")
    source.add(depth + 1, f"{count}, p = read_long(b, p)")


def compiled_writer(schema: dict[str, Any], prefix: bytes) -> ValueWriter:
    """Returns a function from a record to its bytes after a prefix.

    It raises KeyError for a field that is missing, OverflowError for a number that is no long, and TypeError,
    AttributeError or KeyError for a value of another type.
    """
    source = _Source()
    source.add(0, "def write(r):")
    source.add(1, f"o = [{source.keep(prefix)}]; a = o.append")
    _write(source, schema, 1, "r")
    source.add(1, "return b''.join(o)")
    source.names["SHORT"] = [long_bytes(number) for number in range(64)]
    writer: ValueWriter = source.function("write")
    return writer


def _write(source: _Source, schema: Any, depth: int, value: str) -> None:
    """Adds the lines that write the value of an expression."""
    schema = source.resolved(schema)
    if isinstance(schema, list):
        _write_union(source, schema, depth, value)
    elif schema in ("long", "int"):
        source.add(depth, f"a(long_bytes({value}))")
    elif schema == "boolean":
        source.add(depth, f"a(b'\\x01' if {value} else b'\\x00')")
    elif schema == "string":
        source.add(depth, f"e = {value}.encode(); n = len(e); a(SHORT[n] if n < 64 else long_bytes(n)); a(e)")
    elif schema["type"] == "enum":
        symbols = {symbol: long_bytes(index) for index, symbol in enumerate(schema["symbols"])}
        source.add(depth, f"a({source.keep(symbols)}[{value}])")
    elif schema["type"] == "array":
        item = source.fresh()
        source.add(depth, f"if {value}:")
        source.add(depth + 1, f"a(long_bytes(len({value})))")
        source.add(depth + 1, f"for {item} in {value}:")
        _write(source, schema["items"], depth + 2, item)
        source.add(depth, "a(b'\\x00')")
    else:
        for field in schema["fields"]:
            variable = source.fresh()
            source.add(depth, f"{variable} = {value}[{field['name']!r}]")
            _write(source, field["type"], depth, variable)


def _write_union(source: _Source, branches: list[Any], depth: int, value: str) -> None:
    several = sum(1 for branch in branches if branch != "null") > 1
    for index, branch in enumerate(branches):
        keyword = "elif" if index else "if"
        if branch == "null":
            source.add(depth, f"{keyword} {value} is None: a({long_bytes(index)!r})")
            continue
        name = _full(source.resolved(branch)["name"]) if several else ""
        condition = f"{keyword} {value}[0] == {name!r}:" if several else "else:"
        source.add(depth, condition)
        source.add(depth + 1, f"a({long_bytes(index)!r})")
        _write(source, branch, depth + 1, f"{value}[1]" if several else value)
    if several:
        source.add(depth, f"else: raise KeyError({value}[0])")


def _full(name: str) -> str:
    return name if "." in name else f"brobygger.{name}"
