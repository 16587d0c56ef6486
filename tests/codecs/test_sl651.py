"""SL 651-2014 messages: frames of the field as their verdicts say, and frames written out from the rules of the standard."""

import json
from datetime import timedelta
from typing import Any

import pytest

from dispatcher.intake.codecs.sl651 import MEASURED, Sl651Codec, Sl651Settings, read_body
from dispatcher.intake.codecs.sl651_body import BEIJING
from dispatcher.intake.codecs.sl651_frame import Bad, Control, Encoding, Frame, crc16, find_frames, write_frame
from dispatcher.model.reject import RejectCode
from rules.reading import Reading
from tests.codecs.making import AT_S, HEAD, NOW, PLACE, frame, message, packets, read, text
from tests.shared_data import shared_data

CODEC = Sl651Codec(Sl651Settings())
RAIN, LEVEL = "220802", "39230000"
"""Rain of 5 minutes, river level: identifiers with their definitions."""


def profile(**settings: Any) -> Sl651Codec:  # noqa: ANN401 - settings of any kind
    return Sl651Codec(Sl651Settings.model_validate(settings))


# ------------------------------------------------------------------------------------------ frames of the field


def recorded() -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads(shared_data("payloads/sl651/frames.json").read_text(encoding="utf-8"))
    return frames


def values(elements: list[dict[str, Any]]) -> list[tuple[str, float | None]]:
    """The elements of a recording as the codec gives them: each value of an hour group by itself."""
    found: list[tuple[str, float | None]] = []
    for element in elements:
        if "values" in element:
            found += [(element["id"], value) for value in element["values"]]
        elif "value" in element:
            found.append((element["id"], element["value"]))
    return found


def test_every_recorded_frame_is_judged_as_its_verdict_says() -> None:
    frames = recorded()
    assert len(frames) == 57
    for given in frames:
        [found] = find_frames(bytes.fromhex(given["hex"]))
        assert isinstance(found, Frame) is (given["verdict"] == "ok"), given
        if isinstance(found, Bad):
            wanted = RejectCode.BAD_CHECKSUM if given["verdict"] == "bad CRC" else RejectCode.TRUNCATED
            assert found.fault.code in (wanted, RejectCode.NOT_READABLE)
            assert ("the checksum is missing" in found.fault.message) is (given["verdict"] == "CRC missing")


def test_every_recorded_frame_that_is_good_says_what_it_says() -> None:
    good = [given for given in recorded() if given["verdict"] == "ok"]
    for given in good:
        [found] = find_frames(bytes.fromhex(given["hex"]))
        assert isinstance(found, Frame)
        assert (found.station, f"{found.function:02X}", found.password) == (given["station"], given["function"], given["password"])
        assert (found.up, found.centre, found.end.name) == (given["direction"] == "up", given["center"], given["end"])
        assert (found.total, found.number) == (given.get("packet_total", 0), given.get("packet_seq", 0))
        if found.function in MEASURED and found.up:
            body = read_body(found)
            assert body.sent_at is not None
            assert (body.serial, f"{body.sent_at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}") == (given["serial"], given["sent_at"])
            got = [(o.element, None if o.value is None else float(o.value)) for o in body.observations]
            assert got == values(given["elements"])
            assert body.faults == []


def test_every_recorded_frame_that_is_good_is_written_as_it_was() -> None:
    for given in recorded():
        raw = bytes.fromhex(given["hex"])
        for found in find_frames(raw):
            assert isinstance(found, Bad) or write_frame(found) == raw


def test_all_recorded_frames_in_one_body_are_found_again() -> None:
    frames = recorded()
    bodies = b"".join(bytes.fromhex(given["hex"]) for given in frames)
    good = [bytes.fromhex(given["hex"]) for given in frames if given["verdict"] == "ok"]
    assert [found.raw for found in find_frames(bodies) if isinstance(found, Frame)] == good


def test_every_byte_of_a_body_is_in_a_frame_or_refused() -> None:
    bodies = b"noise" + message("2219000005") + b"\x7e\x7e" + message("2219000006")[:-1] + b"x" + message("2219000007") + b"end"
    assert b"".join(found.raw for found in find_frames(bodies)) == bodies


# ------------------------------------------------------------------------------------------ frames of our own


def test_the_worked_frame_of_the_standard_has_its_checksum() -> None:
    data = bytes.fromhex("7E7E01001234567812342F000802000359101115511103")
    assert f"{crc16(data):04X}" == "6BCA"


@pytest.mark.parametrize("function", sorted(MEASURED - {0x30, 0x31, 0x38}))
def test_a_report_gives_its_readings_in_both_encodings(function: int) -> None:
    wanted = [Reading("43112901", "rain", 0.5, AT_S), Reading("43112901", "level", 10.49, AT_S)]
    for body in (message("2219000005" + "392300010490" + "38121099", function), text("PN05 0.5 Z 10.490 VT 10.99 ", function)):
        decoded = read(CODEC, body)
        assert (decoded.readings, decoded.rejects) == (wanted, [])


def test_a_frame_written_out_in_hex_characters_is_read_too() -> None:
    assert read(CODEC, message("2219000005").hex().upper().encode() + b"\r\n").readings


def test_a_test_report_is_water_poured_by_hand_and_not_used() -> None:
    assert [r.quality for r in read(CODEC, message("2219000005", 0x30)).readings] == ["suspect"]


def test_an_instrument_that_calls_itself_faulty_is_not_used() -> None:
    decoded = read(CODEC, message("2219000005" + "392300010490" + "452000000040"))
    assert [(r.variable, r.quality) for r in decoded.readings] == [("rain", "good"), ("level", "suspect")]


def test_a_negative_level_has_an_ff_before_it() -> None:
    assert [r.value for r in read(CODEC, message("392BFF00001250")).readings] == [-1.25]
    assert [r.value for r in read(CODEC, text("Z -1.250 ")).readings] == [-1.25]


@pytest.mark.parametrize("elements", ["3923FFFFFFFF", "3923AAAAAAAA", "2219FFFFFF", "F460" + "FF" * 12])
def test_a_filler_is_no_reading_and_no_mistake(elements: str) -> None:
    decoded = read(CODEC, message(elements))
    assert (decoded.readings, decoded.rejects) == ([], [])


def test_the_twelve_values_of_an_hour_stand_five_minutes_apart() -> None:
    for body in (message("F460" + "05FF0A" + "00" * 9, 0x34), text("DRP 05FF0A" + "00" * 9 + " ", 0x34)):
        readings = read(CODEC, body).readings
        assert [(r.value, r.at_s - AT_S) for r in readings[:2]] == [(0.5, 0), (1.0, 600)]
        assert len(readings) == 11


def test_an_hour_group_dated_by_its_end_can_be_put_into_its_hour() -> None:
    body = HEAD + PLACE[:-1] + b"\x30" + bytes.fromhex("F460" + "05" * 6 + "FF" * 6)  # observed 08:30
    readings = read(profile(hour_groups="of_hour"), write_frame(frame(body, 0x34))).readings
    assert [r.at_s - AT_S for r in readings] == [300 * n for n in range(6)]


def test_relative_stages_stand_on_the_base_of_their_station() -> None:
    body = message("F5C0" + "0141" * 11 + "FFFF", 0x34)
    readings = read(profile(base_levels={"43112901": 200.0}), body).readings
    assert {r.value for r in readings} == {203.21}
    assert [r.at_s - AT_S for r in readings] == [300 * n for n in range(11)]
    [reject] = read(CODEC, body).rejects
    assert (reject.code, reject.count) == (RejectCode.MISSING_FIELD, 11)
    assert "base_levels" in reject.message


def test_a_uniform_report_gives_one_element_a_step_apart() -> None:
    hourly = message("0418000100" + "3923" + "00010490" + "FFFFFFFF" + "00010510", 0x31)
    assert [(r.value, r.at_s - AT_S) for r in read(CODEC, hourly).readings] == [(10.49, 0), (10.51, 7200)]


def test_a_uniform_report_in_ascii_may_give_several_elements() -> None:
    readings = read(CODEC, text("DRN05 PN05 Z 0.5 10.1 M 10.2 0.7 M ", 0x31)).readings
    assert [(r.variable, r.value, r.at_s - AT_S) for r in readings] == [
        ("rain", 0.5, 0),
        ("level", 10.1, 0),
        ("level", 10.2, 300),
        ("rain", 0.7, 600),
    ]


def test_one_message_may_speak_of_several_stations_and_times() -> None:
    other = bytes.fromhex("F1F1431129000748F0F02607200800" + "2723000012345" + "6")  # county 431129, number 7
    later = bytes.fromhex("F0F02607200810" + "2219000007")
    decoded = read(CODEC, write_frame(frame(HEAD + PLACE + bytes.fromhex("2219000005") + later + other)))
    assert [(r.station, r.at_s - AT_S) for r in decoded.readings] == [("43112901", 0), ("43112901", 300), ("43112900007", -300)]


def test_the_order_of_address_and_time_does_not_matter() -> None:
    turned = PLACE[8:] + PLACE[:8] + bytes.fromhex("2219000005")
    assert [r.at_s for r in read(CODEC, write_frame(frame(HEAD + turned))).readings] == [AT_S]


def test_what_the_registry_does_not_measure_is_left_alone() -> None:
    decoded = read(CODEC, message("2219000005" + "2619018830" + "381212FF"))
    assert [(r.variable, r.value) for r in decoded.readings] == [("rain", 0.5)]
    [reject] = decoded.rejects  # the voltage is not BCD
    assert "12FF is no BCD number" in reject.message


def test_a_running_total_is_used_where_the_registry_has_a_counter() -> None:
    elements = bytes.fromhex("2219000005" + "F460" + "05" * 12 + "2619188300")
    counter = write_frame(frame(HEAD + PLACE.replace(b"\x01H", b"\x02H") + elements, station="0043112902"))
    assert read(CODEC, counter).readings == [Reading("43112902", "rain", 18830.0, AT_S)]


def test_a_message_of_which_nothing_can_be_used_says_why() -> None:
    [reject] = read(CODEC, message("38121215")).rejects
    assert reject.code is RejectCode.UNKNOWN_VARIABLE
    assert "elements 38, none of which gives what 43112901 measures; allowed there: rain, level" in reject.message


def test_an_unknown_station_is_refused() -> None:
    stranger = frame(HEAD + bytes.fromhex("F1F1009999999948F0F026072008052219000005"), station="0099999999")
    [reject] = read(CODEC, write_frame(stranger)).rejects
    assert reject.code is RejectCode.UNKNOWN_STATION


def test_a_profile_names_stations_and_elements() -> None:
    codec = profile(stations={"0099999999": "43112901"}, elements={"ff11": {"variable": "level", "unit": "m"}, "22": None})
    body = HEAD + bytes.fromhex("F1F1009999999948F0F02607200805" + "2219000005" + "FF112300000021")
    decoded = read(codec, write_frame(frame(body, station="0099999999")))
    assert decoded.readings == [Reading("43112901", "level", 0.021, AT_S)]


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_station_whose_clock_is_wrong_is_not_believed(hours: int) -> None:
    decoded = read(CODEC, message("2219000005" + "392300010490"), now=NOW + timedelta(hours=hours))
    assert decoded.readings == []
    [reject] = decoded.rejects
    assert (reject.code, reject.count) == (RejectCode.BAD_TIME, 2)
    assert "by the station's clock" in reject.message
    assert read(profile(clock_tolerance_s=0), message("2219000005"), now=NOW + timedelta(days=9)).readings


@pytest.mark.parametrize("function", [0x2F, 0x35, 0x36, 0x39, 0x40, 0x45, 0x4A, 0x51])
def test_what_holds_no_elements_is_no_mistake(function: int) -> None:
    decoded = read(CODEC, write_frame(frame(HEAD + b"\xf2\xf2anything", function)))
    assert (decoded.readings, decoded.rejects) == ([], [])


def test_a_function_of_a_vendors_own_is_refused() -> None:
    [reject] = read(CODEC, message("2219000005", 0xE1)).rejects
    assert reject.code is RejectCode.NOT_READINGS
    assert "function E1; allowed: 2F, 30, 31" in reject.message


def test_what_goes_down_to_a_station_is_no_reading() -> None:
    decoded = read(CODEC, write_frame(frame(HEAD, up=False, end=Control.ESC)))
    assert (decoded.readings, decoded.rejects) == ([], [])


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_message_of_several_packets_is_put_together(encoding: Encoding) -> None:
    whole = message("2219000005" + "392300010490") if encoding is Encoding.HEX else text("PN05 0.5 Z 10.490 ")
    [found] = find_frames(whole)
    assert isinstance(found, Frame)
    pieces = packets(found.body, 9, encoding=encoding)
    turned = b"".join(reversed(pieces))
    assert [r.variable for r in read(CODEC, turned).readings] == ["rain", "level"]
    del pieces[1]
    [reject] = read(CODEC, b"".join(pieces)).rejects
    assert reject.code is RejectCode.TRUNCATED
    assert "packets 2 of" in reject.message


@pytest.mark.parametrize(
    ("spoilt", "code", "says"),
    [
        pytest.param(lambda m: m[:-1] + bytes([m[-1] ^ 1]), RejectCode.BAD_CHECKSUM, "by the bytes before it", id="checksum"),
        pytest.param(lambda m: m[:-2], RejectCode.TRUNCATED, "the checksum is missing", id="no checksum"),
        pytest.param(lambda m: m[:20], RejectCode.TRUNCATED, "20 bytes of a frame of", id="cut off"),
        pytest.param(lambda m: m[:9], RejectCode.TRUNCATED, "not even the head", id="head cut off"),
        pytest.param(lambda m: b"x" + m[1:], RejectCode.NOT_READABLE, "no frame", id="no mark"),
        pytest.param(lambda _: b"", RejectCode.EMPTY, "allowed: SL 651-2014 frames", id="nothing"),
    ],
)
def test_a_spoilt_frame_is_refused_with_its_bytes(spoilt: Any, code: RejectCode, says: str) -> None:  # noqa: ANN401 - a function
    body = spoilt(message("2219000005"))
    [reject] = read(CODEC, body).rejects
    assert reject.code is code
    assert says in reject.message
    assert reject.excerpt == body


@pytest.mark.parametrize(
    ("elements", "code", "says"),
    [
        pytest.param("2219", RejectCode.TRUNCATED, "element 22 of 3 bytes, of which 0 are there", id="element cut off"),
        pytest.param("22", RejectCode.TRUNCATED, "ends within an element's head", id="head of element cut off"),
        pytest.param("2200" + "00", RejectCode.TRUNCATED, "element 22 of 0 bytes", id="element without bytes"),
        pytest.param("F1F100", RejectCode.TRUNCATED, "within a station's address", id="address cut off"),
        pytest.param("F0F0261399080522190000" + "05", RejectCode.BAD_TIME, "2613990805", id="month 13"),
        pytest.param("22191A2B3C", RejectCode.BAD_FIELD, "1A2B3C is no BCD number", id="no digits"),
        pytest.param("392309999999", RejectCode.OUT_OF_RANGE, "allowed: -450 to 9000 m", id="a level that cannot be"),
    ],
)
def test_a_body_that_goes_wrong_says_where(elements: str, code: RejectCode, says: str) -> None:
    rejects = read(CODEC, message(elements)).rejects
    assert rejects[0].code is code
    assert says in rejects[0].message
