"""Throughput and latency of a server, asked from this process by 1, 8 and 64 clients at a time.

    ostinato-serve run caption --port 8501                      # in another shell; once more with --max-batch-size 1
    python tests/benchmarks/serve_load.py http://127.0.0.1:8501 caption saved_models/caption --seconds 20

The requests are those of the model's `interface.json` and `sample_requests/`, and photos that are given. Each answer is
compared with the one that the server gave to the same request alone, before the load. One line of JSON a number of
clients: requests a second, latency in milliseconds (p50, p95, p99), answers by status, answers that were wrong.
"""

import argparse
import asyncio
import base64
import json
import math
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np


async def main() -> None:
    options = arguments()
    bodies = requests(options)
    limits = httpx.Limits(max_connections=max(options.clients), max_keepalive_connections=max(options.clients))
    async with httpx.AsyncClient(base_url=options.url, timeout=120, limits=limits) as client:
        path = f"/v1/models/{options.model}:predict"
        expected = []
        for body in bodies:
            response = await client.post(path, content=body)
            expected.append(response.raise_for_status().json())
        for num_clients in options.clients:
            print(json.dumps(await load(client, path, bodies, expected, num_clients, options.seconds)), flush=True)


async def load(
    client: httpx.AsyncClient, path: str, bodies: list[bytes], expected: list[object], num_clients: int, seconds: float
) -> dict[str, object]:
    """Keeps so many requests under way for some seconds."""
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    num_wrong = 0
    stop = time.monotonic() + seconds

    async def keep_asking(number: int) -> None:
        nonlocal num_wrong
        while time.monotonic() < stop:
            number = (number + 7) % len(bodies)
            started = time.monotonic()
            response = await client.post(path, content=bodies[number])
            statuses[response.status_code] += 1
            if response.status_code == 200:
                latencies.append(time.monotonic() - started)
                num_wrong += not is_close(response.json(), expected[number])
            else:
                await asyncio.sleep(float(response.headers.get("retry-after", 0)))

    started = time.monotonic()
    await asyncio.gather(*(keep_asking(number) for number in range(num_clients)))
    elapsed = time.monotonic() - started
    p50, p95, p99 = (round(float(each) * 1000, 1) for each in np.percentile(latencies or [math.nan], [50, 95, 99]))
    return {
        "clients": num_clients,
        "requests_a_second": round(len(latencies) / elapsed, 2),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "statuses": dict(statuses),
        "wrong": num_wrong,
    }


def is_close(first: object, second: object) -> bool:
    """Whether two answers are the same but for the last digits of their numbers."""
    if isinstance(first, float | int) and isinstance(second, float | int):
        return math.isclose(first, second, rel_tol=1e-3, abs_tol=1e-3)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(is_close, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(is_close(first[name], second[name]) for name in first)
    return first == second


def requests(options: argparse.Namespace) -> list[bytes]:
    """The bodies: of photos where some are given, else of texts, else the model's own sample."""
    versions = [each for each in options.folder.iterdir() if each.name.isdecimal()]
    sample = (
        max(versions, key=lambda each: int(each.name)) / "sample_requests" / f"{options.signature}.json"
    ).read_text()
    if options.photos:
        photos = [base64.b64encode(path.read_bytes()).decode() for path in sorted(options.photos.glob("*.jpg"))]
        return [body(options, {"image_bytes": {"b64": photo}}) for photo in photos]
    if options.texts:
        lines = options.texts.read_text(encoding="utf-8").splitlines()[:200]
        return [body(options, {"text": line, "target_language": options.language}) for line in lines]
    return [sample.encode()]


def body(options: argparse.Namespace, row: dict[str, object]) -> bytes:
    return json.dumps({"signature_name": options.signature, "instances": [row]}).encode()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of the server")
    parser.add_argument("model", help="its name on the server")
    parser.add_argument("folder", type=Path, help="of its versions, for a sample request")
    parser.add_argument("--signature", default="serving_default")
    parser.add_argument("--photos", type=Path, help="folder of JPEG photos to be captioned")
    parser.add_argument("--texts", type=Path, help="file of sentences to be translated, one a line")
    parser.add_argument("--language", default="de", help="to translate into")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
