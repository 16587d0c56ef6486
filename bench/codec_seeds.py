"""Good messages of every format, from which a fuzz makes bad ones, and the small county they are for."""

from collections.abc import Mapping, Sequence

from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.codecs.choose import codec_of
from dispatcher.intake.codecs.mapped import MappedSettings
from dispatcher.intake.codecs.port import Codec
from dispatcher.intake.codecs.sl651_frame import Control, Encoding, Frame, write_frame

COUNTY = catalogue(
    [
        CatalogueEntry(station="43112901", variable="rain", kind="increment", interval_s=300),
        CatalogueEntry(station="43112901", variable="level", kind="instant", interval_s=300),
        CatalogueEntry(station="43112902", variable="rain", kind="counter", interval_s=300),
    ],
    ["431129101201"],
)

_HEAD = bytes.fromhex("0007260720080530")
_PLACE = bytes.fromhex("F1F1004311290148F0F02607200805")
_TIME = "2026-07-20T08:05:00+08:00"
_READING = f'{{"station":"43112901","variable":"rain","value":1.2,"unit":"mm","time":"{_TIME}"'
_FORECAST = (
    f'{{"source":"nwp","issued_at":"{_TIME}","place":"431129101201","variable":"rain","valid_from":"{_TIME}",'
    '"valid_to":"2026-07-20T14:05:00+08:00","value":65'
)

MAPPED: Codec = codec_of(
    MappedSettings.model_validate(
        {
            "each": "$.list[*]",
            "station": "@.id",
            "time": {"path": "@.t", "zone": "Asia/Shanghai"},
            "readings": [{"variable": "@.n", "value": "@.v", "unit": "@.u", "quality": "@.q", "kind": "@.k"}],
            "missing": [-1, "-"],
        }
    )
)

_CAP = f"""<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a.1</identifier>
<sender>s@example.gov</sender><sent>{_TIME}</sent><status>Exercise</status><msgType>Update</msgType><scope>Public</scope>
<references>s@example.gov,first,2026-07-20T07:40:00+08:00</references><info><language>zh-CN</language><category>Met</category>
<event>山洪</event><urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty><expires>{_TIME}</expires>
<parameter><valueName>a</valueName><value>b</value></parameter><area><areaDesc>村</areaDesc>
<polygon>25.1,111.5 25.1,111.6 25.2,111.6 25.1,111.5</polygon><circle>25.1,111.5 3.5</circle></area></info></alert>"""


SL651_BODY = _HEAD + _PLACE + bytes.fromhex("2219000005" + "392300010490" + "F460" + "05" * 12 + "452000000040" + "38121215")
"""The body of a good hourly message in hex."""


def sl651_frame(body: bytes, function: int, encoding: Encoding = Encoding.HEX, total: int = 0, number: int = 0) -> bytes:
    """A frame upwards whose checksum holds; one packet of several when ``total`` is given."""
    return write_frame(
        Frame(
            encoding=encoding,
            up=True,
            centre=1,
            station="0043112901",
            password="1234",  # noqa: S106 - an example
            function=function,
            body=body,
            end=Control.ETB if number < total else Control.ETX,
            total=total,
            number=number,
        )
    )


def _sl651() -> Sequence[bytes]:
    words = b"0007260720080530ST 0043112901 H TT 2607200805 PN05 0.5 Z 10.490 DRP " + b"05" * 12 + b" "
    return (
        sl651_frame(SL651_BODY, 0x34),
        sl651_frame(_HEAD + _PLACE + bytes.fromhex("0418000100" + "3923" + "00010490" * 4), 0x31),
        sl651_frame(words, 0x32, Encoding.ASCII),
        sl651_frame(SL651_BODY[:20], 0x34, total=2, number=1) + sl651_frame(SL651_BODY[20:], 0x34, total=2, number=2),
    )


SEEDS: Mapping[str, Sequence[bytes]] = {
    "json": (
        f"{_READING}}}".encode(),
        f'[{_READING},"quality":"good","kind":"increment","interval":300}},{_READING},"id":"a1"}}]'.encode(),
        f"{_READING}}}\n{_READING}}}\n".encode(),
        f"station,variable,value,unit,time\n43112901,rain,1.2,mm,{_TIME}\n".encode(),
    ),
    "forecasts": (
        f"{_FORECAST}}}".encode(),
        f'[{_FORECAST},"quantiles":{{"0.5":65,"0.9":110}},"exceedance":[{{"threshold":50,"probability":0.7}}]}}]'.encode(),
    ),
    "senml": (b'[{"bn":"43112901:","bt":1784505900,"n":"rain","u":"mm","v":1.2},{"n":"level","u":"m","t":300,"v":2}]',),
    "mapped": (b'{"list":[{"id":"43112901","t":"2026-07-20 08:05","n":"rain","v":"1.2","u":"mm","q":"good","k":"increment"}]}',),
    "sl651": _sl651(),
    "cap": (_CAP.encode(),),
}
"""Good messages by the codec that reads them."""

WORDS: Sequence[bytes] = (
    *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"null", b"NaN", b"-1e999", b"9" * 40, b"[" * 300, b'{"a":' * 200, b'"' * 50),
    *(b"\x7e\x7e", b"\x01", b"\x02", b"\x03", b"\x17", b"\xed\xa0\x80", b"\\ud800", b"2026-02-30T25:61:00Z", b"0001-01-01T00:00:00+23:59"),
    *(b"<![CDATA[", b"&#0;", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<a>" * 200, b"</alert>", b"\n" * 50, b",,,,,", b"1e308", b"-0"),
)
"""What is known to hurt parsers."""

VALUES: Sequence[bytes] = (
    *(
        b"null",
        b"true",
        b"-1",
        b"0",
        b"1e400",
        b"1.5",
        b"9" * 30,
        b'""',
        b'"43112902"',
        b'"level"',
        b'"rain"',
        b'"mm"',
        b'"m"',
        b'"furlong"',
    ),
    *(b'"counter"', b'"2026-07-20T08:05:00Z"', b'"2026-02-30T08:05:00+08:00"', b'"\\ud800"', b'"\xe6\x9d\x91"', b"[]", b"{}", b'[{"a":1}]'),
    *(b"NaN", b'"' + b"x" * 300 + b'"', b"Actual", b"Cancel", b"Extreme", b"25.1,111.5", b"25.1,111.5 -1", b"2026-07-20T08:05:00+08:00"),
)
"""What may stand where a value stood."""
