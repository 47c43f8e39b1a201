"""The Native DICOM Model (PS3.19 A.1), `application/dicom+xml`: the DICOM JSON model as XML, and back.

Private attributes are written with their creator and with 00 for their block, which readers give them again.
A document type is refused, and with it every entity; so is a document that is nested deeper than data sets are.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from radiology.errors import Invalid
from radiology.standards.dicom.attributes import keyword_of, text_of
from radiology.standards.dicom.json_model import DEEPEST, checked

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
)  # fmt: skip
_TAIL = "</NativeDicomModel>"
#: A sequence has an element for itself and one for its item; a name three inside its attribute.
_DEEPEST_ELEMENT = 2 * DEEPEST + 8
_MOST_ELEMENTS = 2_000_000
#: Empty values of an attribute, which are left out and told by the numbers of the others.
_MOST_LEFT_OUT = 100
#: What XML 1.0 cannot carry, not even escaped.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_INTEGERS = frozenset(("IS", "US", "SS", "UL", "SL", "UV", "SV"))
_DECIMALS = frozenset(("DS", "FL", "FD"))


def encode(attributes: Mapping[str, Any]) -> bytes:
    """The document of a data set in the DICOM JSON model. What XML cannot carry becomes U+FFFD."""
    return "".join((_HEAD, *_attributes(attributes), _TAIL)).encode()


def decode(document: bytes) -> dict[str, Any]:
    """The data set of a document, in the DICOM JSON model. Raises Invalid, saying what is wrong with it."""
    root = _parsed(document)
    if _name(root) != "NativeDicomModel":
        raise Invalid(f"The document is no NativeDicomModel but {_name(root)[:40]!r}.")
    return checked(_data_set(root, 0))


# Writing


def _attributes(attributes: Mapping[str, Any]) -> Iterator[str]:
    for tag in sorted(attributes):
        yield from _attribute(tag, attributes[tag], attributes)


def _attribute(tag: str, element: Mapping[str, Any], around: Mapping[str, Any]) -> Iterator[str]:
    creator = _creator_of(tag, around)
    written = tag[:4] + "00" + tag[6:] if creator and _is_first_block(tag, creator, around) else tag
    keyword = keyword_of(tag)
    yield f'<DicomAttribute tag="{written}" vr="{element["vr"]}"'
    yield f' keyword="{keyword}"' if keyword else ""
    yield f" privateCreator={quoteattr(_clean(creator))}>" if creator else ">"
    yield from _content(element)
    yield "</DicomAttribute>"


def _content(element: Mapping[str, Any]) -> Iterator[str]:
    if "BulkDataURI" in element:
        yield f"<BulkData uri={quoteattr(_clean(element['BulkDataURI']))}/>"
    elif "InlineBinary" in element:
        yield f"<InlineBinary>{element['InlineBinary']}</InlineBinary>"
    values = element.get("Value", ())
    for number, value in enumerate(values, 1):
        if element["vr"] == "SQ":
            yield f'<Item number="{number}">'
            yield from _attributes(value or {})
            yield "</Item>"
        elif value is not None:
            yield _value(number, value)
        elif number == len(values):
            yield f'<Value number="{number}"/>'  # Else nothing would tell how many there are.


def _value(number: int, value: Any) -> str:
    if isinstance(value, str | int | float):
        return f'<Value number="{number}">{_text(value)}</Value>'
    written = {group: _name_of(value.get(group, "")) for group in _GROUPS}
    groups = "".join(f"<{group}>{parts}</{group}>" for group, parts in written.items() if parts)
    return f'<PersonName number="{number}">{groups}</PersonName>'


def _name_of(group: str) -> str:
    parts = zip(_COMPONENTS, group.split("^", 4), strict=False)
    return "".join(f"<{component}>{_text(part)}</{component}>" for component, part in parts if part)


def _text(value: Any) -> str:
    return escape(_clean(value if isinstance(value, str) else repr(value)), {"\r": "&#13;"})


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def _is_first_block(tag: str, creator: str, around: Mapping[str, Any]) -> bool:
    """Whether readers will find this block by its creator, which may have reserved only one (PS3.5 7.8.1)."""
    blocks = (block for block in range(0x10, int(tag[4:6], 16)) if f"{tag[:4]}00{block:02X}" in around)
    return all(text_of(around, f"{tag[:4]}00{block:02X}") != creator for block in blocks)


def _creator_of(tag: str, around: Mapping[str, Any]) -> str:
    """The private creator of a tag's block (PS3.5 7.8.1), "" for standard attributes and blocks without one."""
    if int(tag[3], 16) % 2 == 0 or tag[4:6] == "00":
        return ""
    return text_of(around, f"{tag[:4]}00{tag[4:6]}")


# Reading


def _parsed(document: bytes) -> Element:
    builder, depth, count = TreeBuilder(), 0, 0
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST_ELEMENT or count > _MOST_ELEMENTS:
            raise Invalid("The document is nested too deep, or has too many elements.")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: Any) -> None:
        raise Invalid("The document has a document type. Leave it out: entities are not read.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError) as error:
        raise Invalid(f"The body is not XML: {error}.") from error
    return builder.close()


def _data_set(parent: Element, depth: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for child in parent:
        if _name(child) == "DicomAttribute":
            tag = child.get("tag", "").upper()
            creator = child.get("privateCreator", "")
            tag = _in_block(tag, creator, attributes) if creator and len(tag) == 8 else tag
            element = _element(child, depth)
            if attributes.setdefault(tag, element) != element:
                raise Invalid(f"{tag[:40]!r} is given twice.")
    return attributes


def _element(attribute: Element, depth: int) -> dict[str, Any]:
    vr = attribute.get("vr", "")
    element: dict[str, Any] = {"vr": vr}
    numbered: dict[int, Any] = {}
    for child in attribute:
        match _name(child):
            case "BulkData":
                element["BulkDataURI"] = child.get("uri", "")
            case "InlineBinary":
                element["InlineBinary"] = "".join((child.text or "").split())
            case "Value":
                numbered[_number_of(child)] = _read_value(vr, child.text or "")
            case "PersonName":
                numbered[_number_of(child)] = _read_name(child)
            case "Item":
                numbered[_number_of(child)] = _data_set(child, depth + 1)
            case other:
                raise Invalid(f"{other[:40]!r} is nothing that an attribute has.")
    if numbered:
        highest = max(numbered)
        if highest > len(numbered) + _MOST_LEFT_OUT:
            raise Invalid(f"{highest} is no number of a value where there are {len(numbered)}.")
        element["Value"] = [numbered.get(number) for number in range(1, highest + 1)]
    return element


def _number_of(child: Element) -> int:
    number = child.get("number", "")
    if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= _MOST_ELEMENTS):
        raise Invalid(f"{number[:20]!r} is no number of a value.")
    return int(number)


def _read_value(vr: str, text: str) -> Any:
    """Numbers as JSON has them; what is none stays text, and whoever writes it says so."""
    if not text:
        return None
    try:
        if vr in _INTEGERS:
            return int(text)
        return float(text) if vr in _DECIMALS else text
    except ValueError:
        return text


def _read_name(name: Element) -> dict[str, str]:
    groups: dict[str, str] = {}
    for group in name:
        parts = {_name(component): component.text or "" for component in group}
        text = "^".join(parts.get(component, "") for component in _COMPONENTS).rstrip("^")
        if text:
            groups[_name(group)] = text
    return groups


def _in_block(tag: str, creator: str, attributes: dict[str, Any]) -> str:
    """The tag in the block of its creator, which is reserved for it where it has none yet (PS3.5 7.8.1)."""
    group = tag[:4]
    if text_of(attributes, f"{group}00{tag[4:6]}") == creator:
        return tag
    blocks = [f"{block:02X}" for block in range(0x10, 0x100)]
    reserved = (block for block in blocks if text_of(attributes, f"{group}00{block}") == creator)
    free = (block for block in blocks if f"{group}00{block}" not in attributes)
    block = next(reserved, None) or next(free, None)
    if block is not None:
        attributes.setdefault(f"{group}00{block}", {"vr": "LO", "Value": [creator]})
        return f"{group}{block}{tag[6:]}"
    raise Invalid(f"Group {group} has no block left for {creator[:40]!r}.")


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
