"""Throughput and latency of `ostinato-serve`, asked by many clients at a time from another process.

    python tests/benchmarks/serve_load.py --output serve_load     # everything
    python tests/benchmarks/serve_load.py --models caption --clients 64 --seconds 5

Starts servers at free ports, one after the other: as they are by default, with each request computed alone, and one
that lets few requests wait. Each model is asked by 1, 8 and 64 clients by gRPC (`--api rest`: by REST). A client has a
connection of its own, and asks its next question when it has its answer. What is to be answered was computed before,
by plain TensorFlow in this process; every answer that comes is compared with that to its own question.

Prints a Markdown table, and writes it to OUTPUT.md and the figures to OUTPUT.json:

    answers/s       answered requests a second
    p50, p95, p99   milliseconds from a question to its answer
    refused         requests that were told to come back later (503 with Retry-After, or UNAVAILABLE)
    wrong           answers that were not those to the question, and failures of all other kinds
    rows            that the server computed together, on average
    CPU ms          processor time of the server for an answer (Linux); depends least on what else the machine does
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from load_requests import MODELS, Request, is_right, requests_of
from load_server import ServerProcess

from ostinato.commands import quiet_tensorflow

_SERVERS = {"on": (), "off": ("--max-batch-size", "1")}
_LITTLE_ROOM = 16  # requests that may wait, where there are too many
_IMPATIENT = 0.05  # seconds after which a client asks again there, whatever it was told
_COLUMNS = ("model", "batching", "clients", "answers/s", "p50", "p95", "p99", "refused", "wrong", "rows", "CPU ms")


@dataclass(frozen=True)
class Line:
    """A line of the table; times in milliseconds, of answers and of refusals as p50, p95, p99 and the longest."""

    model: str
    batching: str
    clients: int
    seconds: float
    codes: dict[str, int]
    wrong: int
    answer_ms: tuple[float, ...]
    refusal_ms: tuple[float, ...]
    refusals_without_time: int
    rows_a_batch: float
    cpu_ms: float

    def markdown(self) -> str:
        """The line of the table."""
        answers, refused = self.codes.get("OK", 0), self.codes.get("REFUSED", 0)
        times = [f"{each:.0f}" if each >= 100 else f"{each:.1f}" for each in self.answer_ms[:3]]
        cells = [self.model, self.batching, self.clients, f"{answers / self.seconds:.1f}", *times, refused, self.wrong]
        return _row([*cells, f"{self.rows_a_batch:.1f}", f"{self.cpu_ms:.1f}"])


def main() -> None:
    options = arguments()
    quiet_tensorflow(runs_exported=True)
    requests = {model: requests_of(model, max(options.clients)) for model in options.models}
    table = [_row(_COLUMNS), _row(["---", "---", *["---:"] * (len(_COLUMNS) - 2)])]
    say("\n".join(table))
    lines = []
    for batching, flags in _SERVERS.items():
        with ServerProcess(options.models, flags) as server:
            for model in options.models:
                for clients in options.clients:
                    answered = asyncio.run(
                        load(server, model, batching, requests[model], clients, options.seconds, options.api)
                    )
                    lines.append(answered)
                    say(answered.markdown())
    crowded, batching = options.models[0], f"on, {_LITTLE_ROOM} may wait"
    with ServerProcess([crowded], ("--max-queue", str(_LITTLE_ROOM))) as server:
        lines.append(
            asyncio.run(
                load(server, crowded, batching, requests[crowded], 64, options.seconds, "rest", pause=_IMPATIENT)
            )
        )
    p50, p95, p99, longest = lines[-1].refusal_ms
    refusals = (
        f"Refused by REST where {_LITTLE_ROOM} requests may wait: within {p50:.0f} ms (p50), {p95:.0f} (p95), "
        f"{p99:.0f} (p99), {longest:.0f} at most; {lines[-1].refusals_without_time} without Retry-After."
    )
    say(f"{lines[-1].markdown()}\n\n{refusals}")
    if options.output:
        table += [each.markdown() for each in lines]
        options.output.with_suffix(".md").write_text("\n".join([*table, "", refusals, ""]), encoding="utf-8")
        facts = {"cores": os.cpu_count(), "api": options.api, "lines": [asdict(each) for each in lines]}
        options.output.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


async def load(
    server: ServerProcess,
    model: str,
    batching: str,
    requests: Sequence[Request],
    num_clients: int,
    seconds: float,
    api: str,
    pause: float | None = None,
) -> Line:
    """Lets clients ask for some seconds, and first, uncounted, for a tenth of them.

    Args:
      server: that is asked.
      model: its name there.
      batching: of the server, in words.
      requests: each client begins with another one.
      num_clients: at the same time.
      seconds: after which nobody asks again; the answers to what was asked are waited for.
      api: grpc or rest.
      pause: seconds after a refusal; those that the server names where it is None.
    """
    from load_clients import Client, GrpcClient, Reply, RestClient, grpc_bodies, rest_bodies

    bodies = grpc_bodies(model, requests) if api == "grpc" else rest_bodies(requests)

    def connect() -> Client:
        if api == "grpc":
            return GrpcClient(server.target, bodies)
        return RestClient(server.url, model, bodies, requests[0].answer)

    async def keep_asking(client: Client, first: int, end: float) -> list[Reply]:
        replies: list[Reply] = []
        while time.monotonic() < end:
            reply = await client.ask((first + 7 * len(replies)) % len(requests))
            replies.append(reply)
            if reply.code == "REFUSED":
                await asyncio.sleep((reply.retry_after or 0.0) if pause is None else pause)
        return replies

    clients = [connect() for _ in range(num_clients)]
    for lasting in (seconds / 10, seconds):
        (batches, rows), cpu, started = server.batches(model), server.cpu_seconds(), time.monotonic()
        asking = [keep_asking(client, number, started + lasting) for number, client in enumerate(clients)]
        replies = [reply for each in await asyncio.gather(*asking) for reply in each]
        elapsed, cpu = time.monotonic() - started, server.cpu_seconds() - cpu
    for client in clients:
        await client.close()
    batches, rows = (now - before for now, before in zip(server.batches(model), (batches, rows), strict=True))
    answers = [reply for reply in replies if reply.code == "OK"]
    refusals = [reply for reply in replies if reply.code == "REFUSED"]
    wrong = sum(not is_right(reply.read(), requests[reply.request]) for reply in answers)
    return Line(
        model=model,
        batching=batching,
        clients=num_clients,
        seconds=elapsed,
        codes=dict(Counter(reply.code for reply in replies)),
        wrong=wrong + len(replies) - len(answers) - len(refusals),
        answer_ms=_times([reply.seconds for reply in answers]),
        refusal_ms=_times([reply.seconds for reply in refusals]),
        refusals_without_time=sum(reply.retry_after is None for reply in refusals),
        rows_a_batch=rows / max(batches, 1),
        cpu_ms=1000 * cpu / max(len(answers), 1),
    )


def _times(seconds: list[float]) -> tuple[float, ...]:
    """p50, p95, p99 and the longest, in milliseconds."""
    return tuple(float(each) for each in 1000 * np.percentile(seconds or [0.0], [50, 95, 99, 100]))


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def say(text: str) -> None:
    print(text, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=15.0, help="for a line of the table; about 15 more for all")
    parser.add_argument("--api", choices=("grpc", "rest"), default="grpc")
    parser.add_argument("--output", type=Path, help="where the table and the figures go, without .md and .json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
