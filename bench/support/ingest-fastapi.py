"""The same with FastAPI, uvicorn and redis.asyncio: ingest-fastapi.py REDIS_URL SETTINGS. Prints its port."""
import hashlib
import hmac
import json
import socket
import sys
import time
from typing import Dict, Optional

import redis.asyncio as redis
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError, confloat

settings = json.loads(sys.argv[2])
CONFIGS = {config["id"]: config for config in settings["configs"]}
SECRET = settings["secret"].encode()
KEY = settings["key"].encode()

client = redis.from_url(sys.argv[1], decode_responses=True)
offer = client.register_script(settings["script"])
count_request = client.register_script(settings["limitScript"])
app = FastAPI(openapi_url=None)


class Bar(BaseModel):
    config_id: str
    bar_time: int
    open: confloat(gt=0)
    high: confloat(gt=0)
    low: confloat(gt=0)
    close: confloat(gt=0)
    volume: confloat(ge=0)
    pine: Optional[Dict[str, float]]
    sent_at: Optional[int]


def refused(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status_code=status)


@app.post("/webhook/{secret}/s1")
async def webhook(secret: str, request: Request):
    if await count_request(keys=[f"s1:rate:{request.client.host}"]) > settings["limit"]:
        return refused(429, "rate")
    if not hmac.compare_digest(secret.encode(), SECRET):
        return refused(401, "secret")
    timestamp = request.headers.get("x-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return refused(401, "timestamp")
    body = await request.body()
    signed = hmac.new(KEY, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest("sha256=" + signed, request.headers.get("x-signature", "")):
        return refused(401, "signature")
    try:
        bar = Bar.parse_raw(body)
    except ValidationError:
        return refused(422, "body")
    config = CONFIGS.get(bar.config_id)
    if config is None or bar.bar_time % config["intervalMs"] != 0:
        return refused(422, "config")
    if bar.high < max(bar.open, bar.close) or bar.low > min(bar.open, bar.close):
        return refused(422, "bar")
    text = bar.json(exclude={"sent_at"}, exclude_none=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    answer = await offer(
        keys=[f"s1:seen:{bar.config_id}:{bar.bar_time}", config["stream"]],
        args=[digest, bar.config_id, bar.bar_time, int(time.time() * 1000), text],
    )
    is_new = answer not in ("=", "~")
    return JSONResponse({"ok": True, "duplicate": not is_new}, status_code=202 if is_new else 200)


# With its protocol named, or asyncio leaves Nagle's algorithm on and every answer waits for an acknowledgement.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
listener.listen(512)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
