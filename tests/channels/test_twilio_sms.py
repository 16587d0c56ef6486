"""What is particular to SMS through Twilio."""

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.channels import gateway_codes, twilio_sms
from dispatcher.errors import ConfigurationError, PermanentFailure, TransientFailure, UnknownOutcome
from dispatcher.ports import DeliveryState, Heard, Hooked, HookRefused, HookRequest, Reconciling
from simulators import signature
from simulators.ledger import Kind
from tests.channels.far_sides import message, request_of, twilio, world
from tests.simulators.towns import ASKS, PHONE, TOKEN, Hooks, StartTown, until

PUBLIC = "https://warn.example.org"


@contextlib.asynccontextmanager
async def _channel(start: StartTown, *options: str, public_url: str = PUBLIC, **more: object) -> AsyncIterator[twilio_sms.TwilioSms]:
    town = await start(*options)
    channel = twilio(town.url, public_url, **more)
    try:
        yield channel
    finally:
        await channel.close()


def _signed(hook: str, form: tuple[tuple[str, str], ...], token: str = TOKEN, *, delivery: str = "d1") -> HookRequest:
    url = f"{PUBLIC}/hooks/sms/{hook}" + (f"?d={delivery}" if hook == "status" else "")
    return HookRequest(hook=hook, url=url, headers={"X-Twilio-Signature": signature.signature(token, url, form)}, form=form)


def _heard(**fields: str) -> Heard:
    return twilio("http://127.0.0.1:1", PUBLIC).hear(_signed("status", tuple(fields.items())))


def test_it_can_be_called_back_and_asked() -> None:
    channel = twilio("http://127.0.0.1:1", PUBLIC)
    assert isinstance(channel, Hooked)
    assert isinstance(channel, Reconciling)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        pytest.param(("--fault", "lose-answer=1"), UnknownOutcome, id="connection-closed-after-the-request"),
        pytest.param(("--fault", "hang=1"), UnknownOutcome, id="no-answer-in-time"),
        pytest.param(("--fault", "refuse=1"), TransientFailure, id="503"),
        pytest.param(("--rate", "0.001"), TransientFailure, id="429"),
    ],
)
async def test_how_a_send_can_end(start_town: StartTown, options: tuple[str, ...], kind: type[Exception]) -> None:
    async with _channel(start_town, *options, timeout_s=0.5) as channel:
        with pytest.raises(kind):
            await channel.send(message("d1", PHONE["silent"]))


async def test_a_text_whose_answer_was_lost_is_found_by_asking(start_town: StartTown) -> None:
    since = datetime.now(UTC)
    async with _channel(start_town, "--fault", "lose-answer=1") as channel:
        with pytest.raises(UnknownOutcome):
            await channel.send(message("d1", PHONE["silent"]))
        found = await channel.find(message("d1", PHONE["silent"]), since)
        assert found is not None
        assert found.reference.startswith("SM")
        assert await channel.find(message("d1", PHONE["silent"]), since + timedelta(minutes=5)) is None


@pytest.mark.parametrize("text", ["长" * 1601, ""])
async def test_a_text_that_no_gateway_takes_is_a_permanent_failure(start_town: StartTown, text: str) -> None:
    async with _channel(start_town) as channel:
        with pytest.raises(PermanentFailure):
            await channel.send(replace(message("d1", PHONE["silent"]), text=text))


async def test_a_wrong_token_is_transient_since_the_number_is_not_to_blame(start_town: StartTown) -> None:
    town = await start_town()
    settings = twilio_sms.TwilioSettings(sender="+447700900999", base_url=town.url)
    channel = twilio_sms.connect(settings, world(), {"TWILIO_ACCOUNT_SID": "AC9", "TWILIO_AUTH_TOKEN": "wrong"})
    with pytest.raises(TransientFailure) as refused:
        await channel.send(message("d1", PHONE["silent"]))
    assert refused.value.code == "20003"
    await channel.close()


@pytest.mark.parametrize(("minutes", "valid_s"), [(2, range(115, 121)), (6000, range(36_000, 36_001))])
async def test_the_validity_is_that_of_the_message_but_at_most_ten_hours(start_town: StartTown, minutes: float, valid_s: range) -> None:
    town = await start_town()
    channel = twilio(town.url, PUBLIC)
    await channel.send(message("d1", PHONE["silent"], minutes=minutes))
    (entry,) = town.entries(Kind.SMS_ACCEPTED)
    assert int(entry.more["valid_s"]) in valid_s
    assert entry.more["callback"] == f"{PUBLIC}/hooks/sms/status?d=d1"
    await channel.close()


async def test_a_villagers_reply_is_heard(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--inbound-url", f"{hooks.url}/hooks/sms/inbound")
    channel = twilio(town.url, hooks.url)
    await channel.send(replace(message("d1", PHONE["prompt"]), text=ASKS))
    await until(lambda: hooks.at("/hooks/sms/inbound"))
    (reply,) = channel.hear(request_of(hooks.at("/hooks/sms/inbound")[0], hooks.url)).replies
    assert (reply.channel, reply.address, reply.text) == ("sms", PHONE["prompt"], "1 4821")
    await channel.close()


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        pytest.param("sent", "", DeliveryState.SENT, id="sent"),
        pytest.param("delivered", "", DeliveryState.DELIVERED, id="delivered"),
        pytest.param("undelivered", "30003", DeliveryState.UNDELIVERED, id="phone-off-may-come-back"),
        pytest.param("failed", "30005", DeliveryState.FAILED, id="unknown-number-never-will"),
        pytest.param("undelivered", "30036", DeliveryState.UNDELIVERED, id="validity-over"),
        pytest.param("failed", "39999", DeliveryState.UNDELIVERED, id="unknown-code-is-transient"),
    ],
)
def test_a_status_becomes_a_receipt_under_our_id(status: str, code: str, state: DeliveryState) -> None:
    (receipt,) = _heard(MessageSid="SM1", MessageStatus=status, **({"ErrorCode": code} if code else {})).receipts
    assert (receipt.delivery, receipt.reference, receipt.state, receipt.code) == ("d1", "SM1", state, code)


def test_a_status_that_twilio_may_add_one_day_says_nothing() -> None:
    assert _heard(MessageSid="SM1", MessageStatus="teleported") == Heard()


def test_a_call_signed_with_the_other_live_token_is_taken() -> None:
    request = _signed("status", (("MessageStatus", "sent"),), "the-next-token")
    assert twilio("http://127.0.0.1:1", PUBLIC).hear(request).receipts


def _forged() -> Iterator[tuple[str, HookRequest]]:
    genuine = _signed("status", (("MessageStatus", "sent"), ("Blank", "")))
    yield "another-token", _signed("status", genuine.form, "forger")  # type: ignore[arg-type]
    yield "no-signature", replace(genuine, headers={})
    yield "empty-signature", replace(genuine, headers={"X-Twilio-Signature": ""})
    yield "another-delivery", replace(genuine, url=genuine.url.replace("d=d1", "d=d2"))
    yield "another-status", replace(genuine, form=(("MessageStatus", "delivered"), ("Blank", "")))
    yield "a-field-more", replace(genuine, form=(*genuine.form, ("ErrorCode", "30005")))
    yield "another-site", replace(genuine, url=genuine.url.replace("warn.", "evil."))


@pytest.mark.parametrize("request_", [pytest.param(request, id=name) for name, request in _forged()])
def test_a_forged_call_is_refused(request_: HookRequest) -> None:
    with pytest.raises(HookRefused):
        twilio("http://127.0.0.1:1", PUBLIC).hear(request_)


def test_missing_secrets_are_named_all_at_once() -> None:
    with pytest.raises(ConfigurationError) as wrong:
        twilio_sms.connect(twilio_sms.TwilioSettings(sender="+447700900999"), world(), {})
    assert [problem.message.split()[0] for problem in wrong.value.problems] == ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]


def test_an_empty_second_token_opens_no_door() -> None:
    environment = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_AUTH_TOKEN_2": ""}
    channel = twilio_sms.connect(twilio_sms.TwilioSettings(sender="+447700900999"), world(), environment)
    with pytest.raises(HookRefused):
        channel.hear(_signed("status", (("MessageStatus", "sent"),), ""))


async def test_nobody_listening_is_transient_since_nothing_left() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        channel = twilio(f"http://127.0.0.1:{free.getsockname()[1]}", PUBLIC)
        with pytest.raises(TransientFailure):
            await channel.send(message("d1", PHONE["silent"]))
        await channel.close()


def test_the_shipped_table_names_the_codes_we_met() -> None:
    table = gateway_codes.load(None)
    assert {table[c].kind for c in ("21211", "21610", "30005", "30006")} == {gateway_codes.CodeClass.PERMANENT}
    assert table["30003"].kind is gateway_codes.CodeClass.TRANSIENT


def test_a_wrong_table_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,class,reason\n30003,transient,away\n30005,hopeless,gone\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"codes\.csv:3: .*hopeless.*permanent"):
        gateway_codes.load(path)
