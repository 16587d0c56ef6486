"""Which codec reads an item, and the files that describe formats."""

from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.intake.codecs.choose import AS_MARKED, Decoding, Formats, fits
from dispatcher.intake.codecs.load import load_formats, read_format
from dispatcher.intake.codecs.mapped import MappedCodec
from dispatcher.intake.journal import pack, unpack
from dispatcher.model.reject import RejectCode
from dispatcher.ports import Batch, Item, Kind
from dispatcher.settings import Deployment, load_deployment
from tests.codecs.making import AT_S, COUNTY, NOW, message
from tests.docs.blocks import blocks
from tests.docs.checkout import ROOT

PROFILE = """\
codec: mapped
station: $.device
time: {path: $.ts, form: epoch_s}
readings:
  - {variable: rain, value: $.rain, unit: mm}
"""


@pytest.mark.parametrize(
    ("pattern", "topic", "fit"),
    [
        ("vendor/#", "vendor/a/b", True),
        ("vendor/#", "vendor", True),
        ("vendor/+/up", "vendor/a/up", True),
        ("vendor/+/up", "vendor/a/down", False),
        ("vendor/+", "vendor/a/up", False),
        ("vendor/a", "vendor/a", True),
        ("#", "anything/at/all", True),
        ("$share/engine/vendor/#", "vendor/a", True),
        ("vendor/a/up", "vendor/a", False),
    ],
)
def test_topics_are_matched_as_mqtt_does(pattern: str, topic: str, *, fit: bool) -> None:
    assert fits(pattern, topic) is fit


def test_the_first_pattern_that_fits_decides_and_the_rest_is_otherwise() -> None:
    formats = Formats("senml", {"a/b": "sl651", "a/#": "json"})
    assert [formats.of(topic) for topic in ("a/b", "a/c", "d")] == ["sl651", "json", "senml"]


def test_items_are_marked_with_the_format_of_their_topic() -> None:
    batch = Batch("mqtt", (Item(b"1", "a/x"), Item(b"2", "b/x", Kind.READINGS, "own")))
    assert [i.format for i in Formats("", {"a/#": "senml"}).marked(batch).items] == ["senml", "own"]
    assert AS_MARKED.marked(batch) is batch


def test_the_journal_remembers_the_format_of_each_item() -> None:
    items = (Item(b"1", "a"), Item(b"2", "b", Kind.READINGS, "sl651"))
    assert unpack(pack(items)) == items


def test_an_item_is_read_by_the_codec_of_its_format() -> None:
    decoding = Decoding(COUNTY)
    senml = f'[{{"n":"43112901:rain","u":"mm","t":{AT_S},"v":1.2}}]'.encode()
    ours = b'{"station":"43112901","variable":"rain","value":1.2,"unit":"mm","time":"2026-07-20T08:05:00+08:00"}'
    for item in (Item(ours, "x"), Item(senml, "x", format="senml"), Item(message("2219000012"), "x", format="sl651")):
        decoded = decoding.decode(item, NOW)
        assert [(r.value, r.at_s) for r in decoded.readings] == [(1.2, AT_S)]


def test_a_format_that_is_no_longer_known_is_a_reason_to_refuse() -> None:
    [reject] = Decoding(COUNTY).decode(Item(b"x", "t", format="gone"), NOW).rejects
    assert reject.code is RejectCode.UNKNOWN_FORMAT
    assert "'gone'; allowed: json, senml, sl651" in reject.message


def test_forecasts_come_in_our_own_format_only() -> None:
    [reject] = Decoding(COUNTY).decode(Item(b"[]", "forecasts/x", Kind.FORECASTS, "senml"), NOW).rejects
    assert reject.code is RejectCode.NOT_READINGS
    assert "forecasts in the format 'senml'; allowed: in json only" in reject.message


def written(folder: Path, **files: str) -> Path:
    for name, body in files.items():
        (folder / f"{name}.yaml").write_text(body, encoding="utf-8")
    return folder / "deployment.yaml"


def test_a_format_of_a_file_is_loaded_under_its_name(tmp_path: Path) -> None:
    deployment = "formats: {acme: acme.yaml}\nsources: {m: {adapter: mqtt, format: json, formats: {'v/#': acme}}}\n"
    codecs = load_formats(load_deployment(written(tmp_path, deployment=deployment, acme=PROFILE)))
    assert isinstance(codecs["acme"], MappedCodec)
    assert list(codecs) == ["json", "senml", "sl651", "cap", "acme"]


@pytest.mark.parametrize(
    ("deployment", "profile", "says"),
    [
        pytest.param("formats: {acme: nowhere.yaml}", PROFILE, "the file is missing", id="no file"),
        pytest.param("formats: {acme: acme.yaml}", "codec: telepathy", "one of senml, mapped, sl651", id="no such codec"),
        pytest.param("formats: {acme: acme.yaml}", "- 1", "one of senml, mapped, sl651", id="no mapping"),
        pytest.param("formats: {acme: acme.yaml}", "codec: [", "not YAML", id="no YAML"),
        pytest.param("formats: {acme: acme.yaml}", PROFILE + "stations_: {}\n", "acme.yaml:6", id="unknown setting"),
        pytest.param("formats: {acme: acme.yaml}", PROFILE.replace("$.rain", "$..rain"), "cannot be read at character 2", id="bad path"),
        pytest.param("formats: {json: acme.yaml}", PROFILE, "'json' is built in", id="name taken"),
        pytest.param("sources: {m: {adapter: mqtt, format: acme}}", PROFILE, "unknown format 'acme'; allowed: json, senml", id="unknown"),
        pytest.param("channels: {s: {adapter: sms, format: json}}", PROFILE, "belongs to a source", id="format of a channel"),
    ],
)
def test_a_mistake_in_formats_is_named_with_its_place(tmp_path: Path, deployment: str, profile: str, says: str) -> None:
    loaded = load_deployment(written(tmp_path, deployment=deployment, acme=profile))
    with pytest.raises(ConfigurationError) as raised:
        load_formats(loaded)
    assert says in "\n".join(map(str, raised.value.problems))


def test_an_installation_without_formats_has_those_built_in() -> None:
    assert list(load_formats(Deployment())) == ["json", "senml", "sl651", "cap"]


def test_every_format_that_is_shown_or_shipped_can_be_loaded(tmp_path: Path) -> None:
    shown = [block.text for block in blocks(ROOT / "docs" / "readings.md") if "\ncodec: " in block.text]
    shipped = [file.read_text(encoding="utf-8") for file in (ROOT / "config" / "sample" / "formats").glob("*.yaml")]
    assert len(shown) >= 3
    assert len(shipped) >= 2
    for text in (*shown, *shipped):
        file = tmp_path / "format.yaml"
        file.write_text(text, encoding="utf-8")
        read_format(file)
