"""The two sample series that are no pictures: a structured report and a PDF."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom.uid import BasicTextSRStorage, EncapsulatedPDFStorage

from radiology.samples.attributes import code
from radiology.samples.model import Picture, Series


def basic_text(sections: tuple[tuple[str, str, str], ...]) -> Series:
    """A Basic Text SR (PS3.3 A.35.1). Each section is a code of DCM, its meaning, and the text."""
    tree: dict[str, Any] = {
        "ValueType": "CONTAINER",
        "ConceptNameCodeSequence": code("11528-7", "LN", "Radiology Report"),
        "ContinuityOfContent": "SEPARATE",
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "ReferencedPerformedProcedureStepSequence": [],
        "PerformedProcedureCodeSequence": [],
        "ContentSequence": [
            {
                "RelationshipType": "CONTAINS",
                "ValueType": "TEXT",
                "ConceptNameCodeSequence": code(value, "DCM", meaning),
                "TextValue": text,
            }
            for value, meaning, text in sections
        ],
    }

    def pictures(_: np.random.Generator) -> Iterator[Picture]:
        yield Picture(None, tree)

    return Series("SR", str(BasicTextSRStorage), "Dose and measurement note", {}, pictures)


def encapsulated_pdf(title: str, lines: tuple[str, ...]) -> Series:
    """A letter of one page as an Encapsulated PDF (PS3.3 A.45.1)."""

    def pictures(_: np.random.Generator) -> Iterator[Picture]:
        document = pdf(title, lines)
        yield Picture(
            None,
            {
                "ConversionType": "WSD",
                "BurnedInAnnotation": "YES",
                "DocumentTitle": title,
                "ConceptNameCodeSequence": code("11528-7", "LN", "Radiology Report"),
                "MIMETypeOfEncapsulatedDocument": "application/pdf",
                "EncapsulatedDocument": document + b"\n" * (len(document) % 2),
                "EncapsulatedDocumentLength": len(document),
            },
        )

    return Series("DOC", str(EncapsulatedPDFStorage), title, {}, pictures)


def pdf(title: str, lines: tuple[str, ...]) -> bytes:
    """A PDF 1.4 of one A4 page in Helvetica; the text is ASCII, for the built-in fonts know no Bangla."""
    shown = [f"BT /F1 {size} Tf 56 {top} Td ({text}) Tj ET" for size, top, text in _laid_out(title, lines)]
    stream = "\n".join(["0.1 0.3 0.5 RG 2 w 56 772 m 539 772 l S", *shown]).encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources 6 0 R >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Font << /F1 4 0 R >> >>",
    )
    written, offsets = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(written))
    return bytes(written) + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def _laid_out(title: str, lines: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    yield 18, 784, _escaped(title)
    for index, line in enumerate(lines):
        yield 11, 745 - 18 * index, _escaped(line)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
