"""Runs the demo: sends each act at its time on the calendar, steps the calendar when all is folded, shows it live."""

from __future__ import annotations

import asyncio
import heapq
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from schemas.reference import load_reference
from streams.demo.answers import replies_to
from streams.demo.calendar import Calendar
from streams.demo.doors import DemoClient, demo_tokens
from streams.demo.plot import Plot, SimulatedAct
from streams.demo.watching import OutputWatch
from streams.provision import receiving_programmes

if TYPE_CHECKING:
    import threading

    from rich.console import Console

    from connectors.kafka.connection import KafkaConnection
    from streams.settings import Settings

_LASTS = timedelta(days=30)
_STEP = timedelta(hours=6)
_TIMEOUT = timedelta(seconds=30)
_COLOURS = {"offered": "green", "accepted": "cyan", "withdrawn": "red", "reminded": "yellow"}


@dataclass
class Demo:
    """One run of the demo."""

    calendar: Calendar
    doors: DemoClient
    watch: OutputWatch
    console: Console
    acts: list[SimulatedAct] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    _numbered: int = 1_000_000
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - a demo's dice

    async def play(self, stopping: threading.Event, until: datetime) -> None:
        """Plays every act in order of time, letting a day or less pass at once, until the last clock's day."""
        while not stopping.is_set() and self.calendar.now() < until:
            due = self.acts[0].at if self.acts else until
            await self.watch.wait_until_folded()
            await self.calendar.step_to(min(due, self.calendar.now() + _STEP))
            while self.acts and self.acts[0].at <= self.calendar.now():
                await self._do(heapq.heappop(self.acts))
            await self.watch.wait_until_folded()
            async for topic, record in self.watch.new():
                self._show(topic, record)
                self._plan(topic, record)

    async def _do(self, act: SimulatedAct) -> None:
        answer = await act.do()
        self._count("came in")
        self.console.print(f"[dim]{act.at:%d %b %H:%M}[/dim]  in   {act.title}  [dim]→ {answer}[/dim]")

    def _plan(self, topic: str, record: dict[str, Any]) -> None:
        if not topic.startswith("handovers."):
            return
        for reply in replies_to(record, self.chance):
            self._numbered += 1
            send = partial(self._answer, reply.programme, reply.fields)
            title = f"{reply.programme}: {reply.fields['status']}"
            heapq.heappush(self.acts, SimulatedAct(reply.at, self._numbered, title, send))

    async def _answer(self, programme: str, fields: dict[str, Any]) -> str:
        status, answer = await self.doors.statement("replies", programme, fields)
        refused = answer.get("refused")
        return f"refused: {refused['code']}" if refused else str(status)

    def _show(self, topic: str, record: dict[str, Any]) -> None:
        what = record.get("type") or record["kind"]
        self._count(what)
        who = topic.removeprefix("handovers.") if topic != "notices" else record["recipient"]
        reason = f" ({record['reason_code']})" if record["reason_code"] else ""
        colour = _COLOURS.get(what, "white")
        now = f"{self.calendar.now():%d %b %H:%M}"
        self.console.print(f"[dim]{now}[/dim]  out  [{colour}]{what}[/{colour}] → {who}{reason}")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def run_demo(settings: Settings, connection: KafkaConnection, stopping: threading.Event, console: Console) -> None:
    """Plays one demo; what goes wrong is told, and the service goes on without it."""
    try:
        asyncio.run(_run(settings, connection, stopping, console))
    except (httpx.HTTPError, OSError) as error:
        if not stopping.is_set():
            console.print(f"[red]the demo ended: {error}[/red]; the service goes on")


async def _run(settings: Settings, connection: KafkaConnection, stopping: threading.Event, console: Console) -> None:
    programmes = receiving_programmes(settings)
    address = f"http://{settings.gateway_host}:{settings.gateway_port}"
    calendar = Calendar(settings, connection)
    calendar.load()
    async with (
        httpx.AsyncClient(base_url=address, timeout=_TIMEOUT.total_seconds()) as http,
        OutputWatch(settings, connection, programmes) as watch,
    ):
        doors = DemoClient(http, demo_tokens(settings, programmes))
        start = calendar.now() + timedelta(minutes=5)
        plot = Plot(doors, load_reference(settings.reference_folder), start, calendar.run)
        demo = Demo(calendar, doors, watch, console, sorted(plot.acts()))
        await demo.play(stopping, start + _LASTS)
    if stopping.is_set():
        return
    summary = ", ".join(f"{number} {what}" for what, number in sorted(demo.counts.items()))
    console.print(f"\n[bold]The demo's month is over[/bold]: {summary}. The service goes on; Ctrl-C stops it.")
