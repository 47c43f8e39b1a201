"""The HTTP service of a test on a real port, for clients of others' making."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def served(service: FastAPI) -> AsyncIterator[int]:
    """The port on which the service answers until the block ends. Its lifespan is that of the fixture."""
    config = uvicorn.Config(
        service, port=0, log_level="warning", lifespan="off", http="httptools", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        service.state.feed.stop_streams()
        server.should_exit = True
        await running
