"""The real engine on a real PostgreSQL: from reading to phone, through kills of either, and the commands beside it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.installation import IN_ITS_BED_M, OVER_THE_BANK_M, Installation, body, reading
from tests.integration.programs import Programs, Running
from tests.services.postgres import Postgres

VARIABLE = "DISPATCHER_POSTGRES_DSN"


class OnPostgres:
    """An installation whose store is a database of its own."""

    def __init__(self, programs: Programs, dsn: str) -> None:
        self.dsn = dsn
        self.installed = Installation(programs, store={"adapter": "postgres", "lock_s": 5})
        self._programs = programs

    def command(self, *words: str) -> str:
        """What a command says that ends well."""
        ran = self._programs.run(*words, "-c", str(self.installed.config))
        assert ran.code == 0, ran.err
        return ran.out

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    def settled(self, least: int) -> Callable[[], bool]:
        query = "SELECT count(*), count(*) FILTER (WHERE state IN ('planned', 'sending', 'unknown')) FROM deliveries"

        def holds() -> bool:
            planned, waiting = self.rows(query)[0]
            return planned >= least and not waiting

        return holds

    def post(self, gauge: dict[str, str], value: float) -> int:
        content = body(reading(value))
        return httpx.post(f"{self.installed.url}/api/v1/readings", content=content, headers=gauge, timeout=60).status_code


@pytest.fixture
def site(programs: Programs, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> OnPostgres:
    dsn = postgres.new_schema()
    monkeypatch.setenv(VARIABLE, dsn)
    return OnPostgres(programs, dsn)


def test_a_reading_becomes_texts_once_each_although_engine_and_database_are_killed_on_the_way(site: OnPostgres, postgres: Postgres) -> None:
    gauge = site.installed.token()
    site.installed.start_town()
    engine = site.installed.start()
    assert site.post(gauge, IN_ITS_BED_M) == 202
    assert site.post(gauge, OVER_THE_BANK_M) == 202
    engine.kill()
    engine = site.installed.start()
    engine.until(site.settled(10), "ten deliveries that are out")
    _killed_under(engine, postgres, site)
    assert site.post(gauge, OVER_THE_BANK_M) == 202
    assert site.rows("SELECT count(*) FROM journal WHERE kind = 'batch'") == [(3,)]
    assert site.rows("SELECT rule, after FROM changes") == [("river-level", 4)]
    told = site.installed.told()
    owed = {row[0] for row in site.rows("SELECT id FROM deliveries WHERE channel = 'sms'")}
    marked = {row[0] for row in site.rows("SELECT id FROM deliveries WHERE possible_duplicate = 1")}
    assert set(told) == owed
    assert {delivery for delivery, times in told.items() if times > 1} <= marked
    engine.process.terminate()
    assert engine.wait(30).code == 0
    assert json.loads(site.command("db", "verify", "--json"))["damaged"] == []


def _killed_under(engine: Running, postgres: Postgres, site: OnPostgres) -> None:
    """Take the database away and give it back; the engine outlives that."""
    postgres.kill()
    postgres.start()
    engine.until(site.installed.is_ready, "an engine that is ready again")


def test_the_commands_for_accounts_and_for_what_is_stored_work_beside_a_running_engine(site: OnPostgres) -> None:
    gauge = site.installed.token()
    site.installed.start()
    mixed = body(reading(IN_ITS_BED_M), reading(unit="furlong"))
    answer = httpx.post(f"{site.installed.url}/api/v1/readings", content=mixed, headers=gauge)
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    assert site.command("user", "token", "other", "--role", "viewer").strip()
    assert "duty" in site.command("user", "list")
    assert site.command("db", "verify").strip() == "whole"
    assert "furlong" in site.command("db", "rejects")


def test_a_database_that_is_not_there_ends_the_start_with_3_and_one_sentence(
    site: OnPostgres, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://user:hidden@127.0.0.1:1/warnings")
    ran = programs.run("run", "-c", str(site.installed.config))
    assert ran.code == 3
    assert "cannot open the database warnings at 127.0.0.1:1" in ran.err
    assert "hidden" not in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.delenv(VARIABLE)
    ran = programs.run("db", "verify", "-c", str(site.installed.config))
    assert ran.code == 1
    assert VARIABLE in ran.err


def test_copying_is_left_to_the_means_of_postgresql_with_the_words_to_type(site: OnPostgres, programs: Programs) -> None:
    ran = programs.run("db", "backup", "x.dump", "-c", str(site.installed.config))
    assert ran.code == 2
    assert "pg_dump" in ran.err
    assert site.command("db", "migrate").strip() == "the schema is up to date"
