"""One pass over a data set (PS3.5 section 7), in a window of the file that slides forward.

Values that the header does not keep (pixel data, long binary values) are stepped over by their length and never read,
so memory depends on the header and not on the object. Remarks go to `flags`:

truncated           the file ends inside an element, an item or the pixel data
charset             text that its Specific Character Set cannot decode, or an unknown character set
value               a value that breaks its VR and is kept as text
value_length        a binary value whose length is no multiple of its unit
length_overrun      an element that runs past its item, or an item past its sequence; reading went on behind it
pixel_sequence      encapsulated pixel data that is not a sequence of items
transfer_syntax     the data set is encoded otherwise than declared
unknown_vr          a VR the standard does not know, or none where one must be
duplicate_element   a tag that comes twice in one data set; the last one counts
stray_delimiter     a delimiter outside any sequence
trailing_bytes      something after the pixel data that is not an element
"""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

from radiology.standards.dicom.charsets import Decoder, decoder
from radiology.standards.dicom.dictionary import private_vr_of
from radiology.standards.dicom.limits import HeaderError, Limits, shown_tag
from radiology.standards.dicom.plans import (
    BINARY,
    CHARACTER_SET,
    DELIMITER,
    PIXELS,
    PRIVATE,
    SEQUENCE,
    SIGNED,
    SKIP,
    UNKNOWN,
    Plan,
    plan_for,
    plan_of,
)
from radiology.standards.dicom.values import KNOWN_VRS

Attributes = dict[str, dict[str, Any]]

_WINDOW = 64 * 1024
_PEEK = 1024
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

#: Plans by the first bytes of an element, for (implicit, big). Hostile files must not fill the memory with them.
_PLANS: dict[tuple[bool, bool], dict[bytes, Plan]] = {
    (implicit, big): {} for implicit in (False, True) for big in (False, True)
}
_MOST_PLANS = 20_000

_decoder = lru_cache(maxsize=256)(decoder)


class _End(Exception):
    """The file ends before what was to be read."""


class _Place(NamedTuple):
    """The data set that is being read: the top one, or an item of a sequence."""

    out: Attributes
    #: Offset at which the data set ends at the latest.
    end: int
    depth: int
    #: What stands before the tag in a path, such as "54000100/0/".
    path: str
    implicit: bool


class Reader:
    """The state of one pass. Positions are offsets in the file, or in the inflated data set."""

    __slots__ = (
        "base",
        "big",
        "bytes_left",
        "character_set",
        "decode",
        "deflated",
        "elements_left",
        "flags",
        "limits",
        "pixel_data_length",
        "pixel_data_offset",
        "pixels_seen",
        "read_at",
        "root",
        "size",
        "start",
        "u16",
        "u32",
        "values_left",
        "whole",
        "window",
    )

    def __init__(
        self,
        window: bytes | bytearray | memoryview,
        start: int,
        size: int,
        read_at: Callable[[int, int], bytes] | None,
        limits: Limits,
    ) -> None:
        # Of a window that is not bytes only what is read is copied.
        self.whole = window
        self.window = window if isinstance(window, bytes) else bytes(memoryview(window)[: start + _WINDOW])
        self.base = 0
        self.start = start
        self.size = size
        self.read_at = read_at
        self.limits = limits
        self.deflated = False
        self.elements_left = limits.elements
        self.values_left = limits.values
        self.bytes_left = limits.header_bytes
        self.flags: set[str] = set()
        self.character_set: tuple[str, ...] = ()
        self.decode: Decoder = _decoder(())
        self.pixels_seen = False
        self.pixel_data_offset: int | None = None
        self.pixel_data_length: int | None = None
        self.root: Attributes = {}

    def read(self, *, implicit: bool, big: bool, as_declared: bool = False) -> Attributes:
        """The whole data set, in the order of tags. Raises HeaderError.

        Files are sometimes encoded otherwise than they say, which the first element shows. Messages are not: theirs
        was agreed upon, and they may begin with any group, so that they are read `as_declared`.
        """
        implicit = self._encoding(implicit, big, as_declared)
        try:
            self._data_set(_Place(self.root, self.size, 0, "", implicit), self.start)
        except _End:
            self.flags.add("truncated")
        except HeaderError:
            if not self.pixels_seen:
                raise
            # The object is whole as far as its pixels; what follows them is padding or damage.
            self.flags.add("trailing_bytes")
        if not self.root:
            cut = "truncated" in self.flags
            raise HeaderError("the file ends inside the first element" if cut else "the data set has no elements")
        self.root = _in_order(self.root)
        return self.root

    def _encoding(self, implicit: bool, big: bool, as_declared: bool) -> bool:
        """Set the byte order and say whether VRs are implicit: as declared, unless the first element differs."""
        first = b""
        if self.available(self.start, 8) >= 8:
            at = self.start - self.base
            first = self.window[at : at + 8]
        found_implicit, found_big = (implicit, big) if as_declared else _encoding_shown(first, implicit, big)
        if (found_implicit, found_big) != (implicit, big):
            self.flags.add("transfer_syntax")
        self.big = found_big
        self.u16 = Struct(">H" if found_big else "<H").unpack_from
        self.u32 = Struct(">L" if found_big else "<L").unpack_from
        return found_implicit

    # The window

    def available(self, position: int, need: int, want: int = _WINDOW) -> int:
        """Bring `position` into the window; returns how many of the `need` bytes the file has there."""
        have = self.base + len(self.window) - position
        if position >= self.base and have >= need:
            return need
        length = min(max(need, want), self.size - position)
        if length <= 0:
            return 0
        if position + min(need, length) <= len(self.whole):
            data = bytes(memoryview(self.whole)[position : position + length])
        elif self.read_at is None:
            raise HeaderError(f"the header goes on at byte {position}, but only {len(self.whole)} bytes are here")
        else:
            data = self.read_at(position, length)
            if len(data) < min(need, length):
                self.size = position + len(data)
                if not self.deflated:
                    # The file is shorter than its size said.
                    self.flags.add("truncated")
        self.base, self.window = position, data
        return min(need, len(data))

    def take(self, position: int, length: int) -> bytes:
        """The bytes of one value. Raises _End when the file ends before."""
        if self.available(position, length) < length:
            raise _End
        at = position - self.base
        return self.window[at : at + length]

    def spend_values(self, count: int) -> None:
        """Count the values of a multi-valued element against the limit."""
        self.values_left -= count
        if self.values_left < 0:
            raise HeaderError(f"the header has more than {self.limits.values} values")

    def spend_element(self, path: str) -> None:
        """Count an element or item against the limit."""
        self.elements_left -= 1
        if self.elements_left < 0:
            raise HeaderError(f"the header has more than {self.limits.elements} elements", path)

    def spend_bytes(self, count: int, path: str) -> None:
        """Count the bytes of a value that is kept against the limit."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise HeaderError(f"the header has more than {self.limits.header_bytes} bytes", path)

    # Elements

    def _data_set(self, place: _Place, position: int) -> int:
        """Read elements until the end of the place or a delimiter; returns the position after it.

        This loop is the hot path: local names, each element looked up by its first bytes, ordinary values in place.
        """
        out, end, depth, path, implicit = place
        window, base = self.window, self.base
        plans = _PLANS[implicit, self.big]
        head_bytes = 4 if implicit else 6
        u16, u32 = self.u16, self.u32
        longest = self.limits.value_bytes
        while position < end:
            at = position - base
            if at < 0 or at + 12 > len(window):
                if not self._head_there(place, position):
                    return end
                window, base = self.window, self.base
                at = position - base
            head = window[at : at + head_bytes]
            plan = plans.get(head) or self._plan(head, implicit)
            key, kind, vr, long, convert, _ = plan
            if implicit:
                length, at = u32(window, at + 4)[0], at + 8
            elif long:
                length, at = u32(window, at + 8)[0], at + 12
            else:
                length, at = u16(window, at + 6)[0], at + 8
            self.elements_left -= 1
            if self.elements_left < 0:
                self.spend_element(path + key)
            start, stop = at + base, at + length
            if kind or length > longest or start + length > end or stop > len(window):
                if kind == DELIMITER and depth:
                    # Our own delimiter is missing where the next item or the end of the sequence shows: left to it.
                    return position + 8 if key == "FFFEE00D" else position
                position = self._element(plan, place, start, length)
                window, base = self.window, self.base
                continue
            position = start + length
            self.bytes_left -= length
            if self.bytes_left < 0:
                self.spend_bytes(0, path + key)
            if key in out:
                self.flags.add("duplicate_element")
            value = convert(window[at:stop], self) if length else None  # type: ignore[misc]
            out[key] = {"vr": vr} if value is None else {"vr": vr, "Value": value}
        return position

    def _head_there(self, place: _Place, position: int) -> bool:
        """Bring the head of the next element into the window. False when the data set ends here; raises _End."""
        left = place.end - position
        have = self.available(position, min(left, 12))
        if have >= 8:
            # An element of 8 bytes may be the last one: four more bytes spare the loop a second check.
            if have < 12:
                self.window = self.window[position - self.base :] + b"\0\0\0\0"
                self.base = position
            return True
        if have < left and position != self.size:
            raise _End
        if have == 0 and not place.depth:
            return False
        if place.depth and self.size > place.end:
            self.flags.add("length_overrun")
            return False
        if self.pixels_seen and not place.depth:
            self.flags.add("trailing_bytes")
            return False
        raise _End

    def _plan(self, head: bytes, implicit: bool) -> Plan:
        plan = plan_of(head, implicit=implicit, big=self.big)
        plans = _PLANS[implicit, self.big]
        if len(plans) < _MOST_PLANS:
            plans[head] = plan
        return plan

    def _element(self, plan: Plan, place: _Place, start: int, length: int) -> int:
        """Read one element that the loop does not read in place; returns the position after it."""
        kind = plan.kind
        if kind == PIXELS:
            return self._pixels(plan, place, start, length)
        if kind == UNKNOWN:
            return self._unknown_vr(plan, place, start - 8)
        if kind == DELIMITER:
            return self._stray_delimiter(plan, start - 8)
        if kind == PRIVATE:
            plan = self._private(plan, place)
        elif kind == SIGNED:
            vr = "SS" if self._pixels_signed(place) else "US"
            plan = plan_for(plan.key, vr, long=plan.long, big=self.big)
        if length == _UNDEFINED:
            return self._undefined(plan, place, start)
        sequence = plan.kind == SEQUENCE and (not plan.unknown or self._item_at(start))
        if start + length > place.end and not (sequence and start + length > self.size):
            return self._overrun(place, start, length)
        if sequence:
            return self._sequence(plan, place, start, length)
        if plan.kind != SKIP:
            self._value(plan, place, start, length)
        return start + length

    def _value(self, plan: Plan, place: _Place, start: int, length: int) -> None:
        """Keep a value, inline or as a reference to where it is."""
        key, out = plan.key, place.out
        binary = plan.convert is None
        if key in out:
            self.flags.add("duplicate_element")
        vr = "UN" if plan.kind == SEQUENCE else plan.vr
        if length > (self.limits.inline_bytes if binary else self.limits.value_bytes):
            out[key] = {"vr": vr, "BulkDataURI": f"@/{place.path}{key}"}
            return
        self.spend_bytes(length, place.path + key)
        raw = self.take(start, length)
        if plan.convert is None:
            out[key] = {"vr": vr, "InlineBinary": b64encode(raw).decode()} if raw else {"vr": vr}
            return
        value = plan.convert(raw, self)
        out[key] = {"vr": vr} if value is None else {"vr": vr, "Value": value}
        if plan.kind == CHARACTER_SET:
            self._character_set(value or [], place)

    def _character_set(self, terms: list[Any], place: _Place) -> None:
        # Written with another VR than CS it can be anything, and decoders are remembered by their terms.
        names = tuple(term[:64] if isinstance(term, str) else "" for term in terms[:16])
        self.decode = _decoder(names)
        if not place.depth:
            self.character_set = names

    def _overrun(self, place: _Place, start: int, length: int) -> int:
        """An element that is longer than what holds it: the file is cut, or its item is shorter than it says."""
        if self.deflated and self.size > self.limits.max_inflated_bytes:
            raise HeaderError(f"the data set inflates to more than {self.limits.max_inflated_bytes} bytes")
        if start + length > self.size:
            raise _End
        self.flags.add("length_overrun")
        return place.end

    def _undefined(self, plan: Plan, place: _Place, start: int) -> int:
        """An element of undefined length: a sequence, or encapsulated fragments (PS3.5 7.5, A.4)."""
        if plan.kind == BINARY and plan.vr != "UN":
            place.out[plan.key] = {"vr": plan.vr, "BulkDataURI": f"@/{place.path}{plan.key}"}
            return self._fragments(start, place.end, place.path + plan.key)
        if plan.kind == SEQUENCE or plan.vr == "UN" or self._item_at(start):
            return self._sequence(plan, place, start, _UNDEFINED)
        raise HeaderError(f"a length without end is not allowed for VR {plan.vr}", place.path + plan.key)

    def _private(self, plan: Plan, place: _Place) -> Plan:
        """The VR of a private element by its creator (PS3.5 7.8.1), else UN."""
        group, block = plan.key[:4], plan.key[4:6]
        creator = place.out.get(f"{group}00{block}", {}).get("Value", [""])[0]
        vr = private_vr_of(int(plan.key, 16), creator) if isinstance(creator, str) else None
        found = plan_for(plan.key, vr or "UN", long=plan.long, big=self.big)
        if found.kind == SIGNED:
            found = plan_for(plan.key, "US", long=plan.long, big=self.big)
        # Nobody vouches for a private dictionary: a sequence must look like one.
        return found._replace(unknown=True)

    def _pixels_signed(self, place: _Place) -> bool:
        element = place.out.get("00280103") or self.root.get("00280103") or {}
        return element.get("Value") == [1]

    def _unknown_vr(self, plan: Plan, place: _Place, position: int) -> int:
        """An element whose VR the standard does not know (PS3.5 6.2.2), or that has none in an explicit data set."""
        self.flags.add("unknown_vr")
        at = position - self.base
        head = self.window[at : at + 12]
        short, long = self.u16(head, 6)[0], self.u32(head, 8)[0]
        if head[4:6].isalpha() and head[4:6].isupper():
            unknown = plan._replace(kind=BINARY)
            if short == 0 and position + 12 + long <= place.end:
                return self._element(unknown, place, position + 12, long)
            return self._element(unknown, place, position + 8, short)
        length = self.u32(head, 4)[0]
        if length != _UNDEFINED and position + 8 + length > place.end:
            raise HeaderError("it has no known VR, and its length fits nothing", place.path + plan.key)
        implicit = self._plan(head[:4], implicit=True)
        return self._element(implicit, place._replace(implicit=True), position + 8, length)

    def _stray_delimiter(self, plan: Plan, position: int) -> int:
        if plan.key == "FFFEE000":
            raise HeaderError("an item outside a sequence", plan.key)
        self.flags.add("stray_delimiter")
        return position + 8

    # Sequences and fragments

    def _item_at(self, position: int) -> bool:
        return self.available(position, 8) == 8 and self._tag_and_length(position)[0] == _ITEM

    def _tag_and_length(self, position: int) -> tuple[int, int]:
        at = position - self.base
        tag = self.u16(self.window, at)[0] << 16 | self.u16(self.window, at + 2)[0]
        return tag, self.u32(self.window, at + 4)[0]

    def _sequence(self, plan: Plan, place: _Place, start: int, length: int) -> int:
        """Read the items of a sequence (PS3.5 7.5); returns the position after it."""
        path = place.path + plan.key
        if place.depth >= self.limits.depth:
            raise HeaderError(f"sequences are nested deeper than {self.limits.depth}", path)
        items: list[Attributes] = []
        element: dict[str, Any] = {"vr": "SQ", "Value": items}
        # The element is put in place before its items are read, so that a cut file shows what there was.
        place.out[plan.key] = element
        defined = length != _UNDEFINED
        inner = place._replace(
            end=start + length if defined else place.end,
            depth=place.depth + 1,
            implicit=place.implicit or plan.unknown,
        )
        position = self._items(items, inner, path, start, defined)
        if not items:
            del element["Value"]
        return position

    def _items(self, items: list[Attributes], inner: _Place, path: str, position: int, defined: bool) -> int:
        end, decode = inner.end, self.decode
        while position < end:
            if self.available(position, 8) < 8:
                raise _End
            if end - position < 8:
                self.flags.add("length_overrun")
                return end
            tag, length = self._tag_and_length(position)
            if tag == _SEQUENCE_END:
                return position + 8
            if tag == _ITEM_END:
                # A delimiter after an item of defined length: superfluous, harmless.
                position += 8
                continue
            if tag != _ITEM:
                raise HeaderError(f"a sequence holds {shown_tag(f'{tag:08X}')} where an item should begin", path)
            self.spend_element(path)
            item: Attributes = {}
            items.append(item)
            item_end = end if length == _UNDEFINED else self._item_end(position + 8 + length, end)
            place = inner._replace(out=item, end=item_end, path=f"{path}/{len(items) - 1}/")
            position = self._data_set(place, position + 8)
            self.decode = decode
            items[-1] = _in_order(item)
        if not defined and position >= self.size:
            raise _End
        return position

    def _item_end(self, item_end: int, end: int) -> int:
        if item_end > end and item_end <= self.size:
            self.flags.add("length_overrun")
            return end
        return item_end

    def _fragments(self, position: int, end: int, path: str) -> int:
        """Step over encapsulated fragments by their lengths (PS3.5 A.4); returns the position after the delimiter."""
        for _ in range(self.limits.elements):
            if position > end or self.available(position, 8, _PEEK) < 8:
                raise _End
            tag, length = self._tag_and_length(position)
            position += 8
            if tag == _SEQUENCE_END:
                return position
            if tag != _ITEM:
                raise HeaderError("its fragments are not items", path)
            position += length
        raise HeaderError(f"it has more than {self.limits.elements} fragments", path)

    # Pixel data

    def _pixels(self, plan: Plan, place: _Place, start: int, length: int) -> int:
        """Note where the pixel data lies and step over it. Never reads it."""
        undefined = length == _UNDEFINED
        if length:
            vr = "OB" if undefined and place.implicit else plan.vr
            place.out[plan.key] = {"vr": vr, "BulkDataURI": f"@/{place.path}{plan.key}"}
        else:
            place.out[plan.key] = {"vr": plan.vr}
        if place.depth:
            return self._nested_pixels(plan, place, start, length)
        self.pixels_seen = True
        self.pixel_data_offset = None if self.deflated else start
        self.pixel_data_length = None if undefined else length
        if self.deflated:
            return place.end
        if undefined:
            return self._encapsulated(place, start, plan.key)
        if start + length > self.size:
            self.flags.add("truncated")
            return place.end
        return start + length

    def _nested_pixels(self, plan: Plan, place: _Place, start: int, length: int) -> int:
        if length == _UNDEFINED:
            return self._fragments(start, place.end, place.path + plan.key)
        return start + length if start + length <= place.end else self._overrun(place, start, length)

    def _encapsulated(self, place: _Place, start: int, path: str) -> int:
        """Step over encapsulated pixel data. One look at the end of the file spares the walk through the fragments."""
        try:
            if self._ends_with_delimiter(start):
                return place.end
            return self._fragments(start, place.end, path)
        except HeaderError:
            if self.read_at is None and self.size > len(self.whole):
                return place.end
            self.flags.add("pixel_sequence")
            return place.end

    def _ends_with_delimiter(self, start: int) -> bool:
        tail = self.size - 8
        return tail >= start and self.available(tail, 8, 8) == 8 and self._tag_and_length(tail) == (_SEQUENCE_END, 0)


def _encoding_shown(first: bytes, implicit: bool, big: bool) -> tuple[bool, bool]:
    """The encoding that the first 8 bytes show, as (implicit, big); as declared where they do not contradict."""
    if len(first) < 8:
        return implicit, big
    if first[4:6].decode("latin-1") in KNOWN_VRS:
        little_group, big_group = int.from_bytes(first[:2], "little"), int.from_bytes(first[:2], "big")
        # Data sets begin with a low group, mostly 0008: the smaller reading is the right one.
        return False, big if little_group == big_group else big_group < little_group
    if not implicit and not first[4:6].isalpha():
        return True, big
    return implicit, big


def _in_order(attributes: Attributes) -> Attributes:
    keys = list(attributes)
    ordered = sorted(keys)
    return attributes if keys == ordered else {key: attributes[key] for key in ordered}
