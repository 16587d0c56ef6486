"""XML of strangers as a plain tree, with the line of every element. Total, and bounded by the size of the body.

A document type, and with it every entity of the sender's own, is refused before anything in it is looked at; nothing is ever
fetched. The parser reads the encoding from the prolog; those of China that it does not know are turned into UTF-8 before.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from dispatcher.model.reject import Fault, RejectCode, show

MOST_DEPTH = 32
MOST_ELEMENTS = 100_000
_SEPARATOR = " "
_PROLOG = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["'](gb2312|gbk|gb18030|big5)["']""", re.IGNORECASE)


@dataclass(slots=True)
class Element:
    """One element: its namespace and name, its line from 1, the text right in it, and the elements in it."""

    namespace: str
    name: str
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, code: RejectCode, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code, message)


class _Builder:
    def __init__(self, parser: expat.XMLParserType) -> None:
        self.root: Element | None = None
        self._open: list[tuple[Element, list[str]]] = []
        self._count = 0
        self._parser = parser
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _doctype(self, name: str, *_: object) -> None:
        what = f"a document type {show(name)} in line {self._parser.CurrentLineNumber}; allowed: XML without document types and entities"
        raise _Refused(RejectCode.FORBIDDEN, what)

    def _start(self, name: str, _: object) -> None:
        self._count += 1
        line = self._parser.CurrentLineNumber
        if len(self._open) >= MOST_DEPTH or self._count > MOST_ELEMENTS:
            what = f"line {line}: more than {MOST_DEPTH} elements one in another or {MOST_ELEMENTS:,} in all; nothing in it was used"
            raise _Refused(RejectCode.TOO_DEEP, what)
        namespace, _, local = name.rpartition(_SEPARATOR)
        element = Element(namespace, local, line)
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))

    def _end(self, _: str) -> None:
        element, pieces = self._open.pop()
        element.text = "".join(pieces)

    def _text(self, data: str) -> None:
        if self._open:
            self._open[-1][1].append(data)


def parse_xml(body: bytes) -> Element | Fault:
    """The root of a document, or why there is none."""
    if not body.strip():
        return Fault(RejectCode.EMPTY, "an empty body; allowed: XML")
    try:
        found = _PROLOG.match(body)
        if found:
            body = body.decode("big5" if found[1].lower() == b"big5" else "gb18030").encode()
        parser = expat.ParserCreate("utf-8" if found else None, _SEPARATOR)
        builder = _Builder(parser)
        parser.Parse(body, True)  # noqa: FBT003 - expat takes no names
    except _Refused as refused:
        return refused.fault
    except UnicodeDecodeError as error:
        return Fault(RejectCode.NOT_UTF8, f"bytes that are not {error.encoding} at byte {error.start + 1}; allowed: what the prolog says")
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset + 1}"
        return Fault(RejectCode.NOT_READABLE, f"not XML at {where} ({expat.ErrorString(error.code)}); allowed: well-formed XML")
    except (ValueError, LookupError) as error:
        return Fault(RejectCode.NOT_READABLE, f"an encoding that cannot be read ({error}); allowed: UTF-8, UTF-16, GB 18030, ISO 8859")
    return builder.root if builder.root is not None else Fault(RejectCode.NOT_READABLE, "no element; allowed: an XML document")
