"""PostgreSQL through plain SQL. The driver is private to this file, and so is every commit.

`Database` is the pool of an asyncio process; `Writer` is one connection of a thread that writes in batches. Both give
transactions with the same verbs: `one`, `maybe`, `all`, `value`, `run`; `json` and `copy_in` where they pay. `Reader`
has a few connections for threads that only ask.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, LiteralString, TypeVar

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Json, set_json_dumps
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from radiology.errors import Conflict, Invalid, NotFound, Unavailable

T = TypeVar("T")
NOTHING: Mapping[str, Any] = MappingProxyType({})

set_json_dumps(orjson.dumps)


def as_json(value: Any) -> Any:
    """Wrap a value that goes into a json or jsonb column; None stays NULL."""
    return None if value is None else Json(value)


class Transaction:
    """One transaction of an asyncio process. Parameters are named: `%(name)s`."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def one(self, kind: type[T], statement: LiteralString, **parameters: Any) -> T:
        """Exactly one row as a dataclass. Raises NotFound."""
        row = await self.maybe(kind, statement, **parameters)
        if row is None:
            raise NotFound(f"There is no such {_noun(kind)}.")
        return row

    async def maybe(self, kind: type[T], statement: LiteralString, **parameters: Any) -> T | None:
        """One row as a dataclass, or None."""
        with translated():
            async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
                await cursor.execute(statement, parameters)
                return await cursor.fetchone()

    async def all(self, kind: type[T], statement: LiteralString, **parameters: Any) -> list[T]:
        """All rows as dataclasses."""
        with translated():
            async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
                await cursor.execute(statement, parameters)
                return await cursor.fetchall()

    async def value(self, statement: LiteralString, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        with translated():
            async with self._connection.cursor(row_factory=scalar_row) as cursor:
                await cursor.execute(statement, parameters)
                return await cursor.fetchone()

    async def values(self, statement: LiteralString, **parameters: Any) -> list[Any]:
        """The first column of every row."""
        with translated():
            async with self._connection.cursor(row_factory=scalar_row) as cursor:
                await cursor.execute(statement, parameters)
                return await cursor.fetchall()

    async def binary(self, statement: LiteralString, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows as tuples, sent in binary: for large values of bytes, which are twice as long as text."""
        with translated():
            async with self._connection.cursor(binary=True) as cursor:
                await cursor.execute(statement, parameters)
                return await cursor.fetchall()

    async def json(self, statement: LiteralString, **parameters: Any) -> bytes:
        """One text value that PostgreSQL built, as bytes: for lists and hot reads."""
        text = await self.value(statement, **parameters)
        return b"null" if text is None else str(text).encode()

    async def run(self, statement: LiteralString, **parameters: Any) -> int:
        """Execute; returns the number of rows touched."""
        with translated():
            cursor = await self._connection.execute(statement, parameters)
            return cursor.rowcount


class WriterTransaction:
    """One transaction of a writing thread. The verbs of `Transaction`, blocking."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def all(self, kind: type[T], statement: LiteralString, **parameters: Any) -> list[T]:
        """All rows as dataclasses."""
        with translated(), self._connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(statement, parameters).fetchall()

    def value(self, statement: LiteralString, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        with translated(), self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(statement, parameters).fetchone()

    def values(self, statement: LiteralString, **parameters: Any) -> list[Any]:
        """The first column of every row."""
        with translated(), self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(statement, parameters).fetchall()

    def run(self, statement: LiteralString, **parameters: Any) -> int:
        """Execute; returns the number of rows touched."""
        with translated():
            return self._connection.execute(statement, parameters).rowcount

    def copy_in(self, statement: LiteralString, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """COPY rows in PostgreSQL's binary format; `types` names the type of each column."""
        with translated(), self._connection.cursor().copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


class Database:
    """A pool of connections for one asyncio process."""

    def __init__(self, dsn: str, *, connections: int = 10, wait_seconds: float = 10) -> None:
        self.dsn = dsn
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]](
            dsn, min_size=1, max_size=connections, timeout=wait_seconds, open=False, kwargs={"application_name": "radi"}
        )
        self._readers = {
            once: AsyncConnectionPool[psycopg.AsyncConnection[Any]](
                dsn, min_size=0, max_size=connections, timeout=wait_seconds, open=False, kwargs=_reading(once)
            )
            for once in (False, True)
        }

    async def open(self) -> None:
        """Begin to connect; does not wait for the database."""
        self._loop = asyncio.get_running_loop()
        for pool in (self._pool, *self._readers.values()):
            await pool.open()

    async def close(self) -> None:
        """Give all connections back."""
        for pool in (self._pool, *self._readers.values()):
            await pool.close()

    def wait_for(self, work: Coroutine[Any, Any, T], limit_seconds: float = 30) -> T:
        """Run an action from a thread other than the loop's, and wait for it. Raises what it raises, or Unavailable."""
        if self._loop is None:
            work.close()
            raise Unavailable("The database is not open yet. Try again in a moment.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(limit_seconds)
        except TimeoutError:
            future.cancel()
            raise Unavailable("The database did not answer in time. Try again in a moment.") from None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """One transaction: committed when the block ends, rolled back when it raises. Raises Unavailable."""
        with translated():
            async with self._pool.connection() as connection:
                yield Transaction(connection)

    @asynccontextmanager
    async def reading(self, *, planned_once: bool = False) -> AsyncGenerator[Transaction]:
        """Statements that only ask, each for itself: one round trip where a transaction takes three.

        A statement is planned for its values each time, unless it is `planned_once` (see `Reader`). Raises Unavailable.
        """
        with translated():
            async with self._readers[planned_once].connection() as connection:
                yield Transaction(connection)

    async def notifications(self, channel: LiteralString) -> AsyncIterator[str]:
        """Payloads of NOTIFY on a channel. An empty one comes first, when listening has begun."""
        connection = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True)
        try:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield ""
            async for notification in connection.notifies():
                yield notification.payload
        finally:
            await connection.close()


class Reader:
    """A few connections for threads that only ask: each statement is one round trip.

    A statement is planned for its values each time, since a plan made for all values takes no account of how rare the
    one is that is looked for. Where that is known it may be `planned_once`, which is most of the time of a small one.
    """

    def __init__(self, dsn: str, *, connections: int = 4, wait_seconds: float = 10) -> None:
        self._pools = {once: _read_pool(dsn, once, connections, wait_seconds) for once in (False, True)}

    def rows(
        self, statement: LiteralString, parameters: Mapping[str, Any], *, planned_once: bool = False
    ) -> list[tuple[Any, ...]]:
        """Every row as a tuple. Raises Unavailable; a connection that was lost is made anew once."""
        pool = self._pools[planned_once]
        with translated():
            pool.open()
            try:
                return _rows(pool, statement, parameters)
            except psycopg.OperationalError:
                return _rows(pool, statement, parameters)

    def close(self) -> None:
        """Give all connections back."""
        for pool in self._pools.values():
            pool.close()


def _read_pool(
    dsn: str, once: bool, connections: int, wait_seconds: float
) -> ConnectionPool[psycopg.Connection[tuple[Any, ...]]]:
    return ConnectionPool(
        dsn, min_size=0, max_size=connections, timeout=wait_seconds, open=False, kwargs=_reading(once)
    )


def _reading(once: bool) -> dict[str, Any]:
    """How connections that only ask are made."""
    options = (
        "-c jit=off -c default_transaction_read_only=on "
        f"-c plan_cache_mode={'force_generic_plan' if once else 'force_custom_plan'}"
    )
    return {"application_name": "radi reader", "autocommit": True, "options": options, "prepare_threshold": 1}


def _rows(
    pool: ConnectionPool[psycopg.Connection[tuple[Any, ...]]], statement: LiteralString, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with pool.connection() as connection:
        return connection.execute(statement, parameters).fetchall()


class Writer:
    """One connection that a thread holds for good, and makes anew when it was lost."""

    def __init__(self, dsn: str, *, asynchronous_commit: bool = False) -> None:
        """`asynchronous_commit`: commits do not wait for the disk; where recovery makes good what a crash loses."""
        self._dsn = dsn
        self._asynchronous_commit = asynchronous_commit
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def transaction(self) -> Generator[WriterTransaction]:
        """One transaction. Raises Unavailable where the database cannot be reached."""
        with translated():
            connection = self._connected()
            with connection.transaction():
                yield WriterTransaction(connection)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn, autocommit=True, application_name="radi writer", connect_timeout=5
            )
            if self._asynchronous_commit:
                self._connection.execute("SET synchronous_commit = off")
        return self._connection


@contextmanager
def translated() -> Generator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(f"This exists already: {error.diag.message_detail or error.diag.constraint_name}") from error
    except psycopg.errors.ExclusionViolation as error:
        raise Conflict("Somebody else has it at that time.") from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise Conflict(
            f"Something refers to this, or what it refers to is gone: {error.diag.message_detail}"
        ) from error
    except psycopg.errors.DataError as error:
        raise Invalid(f"The database cannot hold a value: {error.diag.message_primary}") from error
    except (psycopg.OperationalError, PoolTimeout, psycopg.errors.InterfaceError) as error:
        raise Unavailable("The database cannot be reached. Try again in a moment.") from error


@dataclass(slots=True)
class Where:
    """Conditions joined by AND, each a literal with named parameters; values never become part of the statement."""

    clauses: list[LiteralString] = field(default_factory=list[LiteralString])
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, clause: LiteralString, **parameters: Any) -> None:
        """Add a condition. A parameter's name may stand in the clause as `{name}` and is then made unique."""
        self.clauses.append(self.expression(clause, **parameters))

    def expression(self, clause: LiteralString, **parameters: Any) -> LiteralString:
        """The clause as it would be added, for a place of its own in the statement; its parameters are kept here."""
        names: dict[str, LiteralString] = {}
        for name, value in parameters.items():
            unique: LiteralString = _parameter_name(len(self.parameters))
            self.parameters[unique] = value
            names[name] = unique
        for name, unique in names.items():
            clause = _replaced(clause, name, unique)
        return clause

    @property
    def condition(self) -> LiteralString:
        """All conditions as one, TRUE where there are none."""
        return " AND ".join(self.clauses) if self.clauses else "TRUE"


def _parameter_name(number: int) -> LiteralString:
    names: tuple[LiteralString, ...] = _NAMES
    if number >= len(names):
        raise Invalid("Too many conditions in one search.")
    return names[number]


def _replaced(clause: LiteralString, name: str, unique: LiteralString) -> LiteralString:
    # The name is one of our own keyword arguments, so what comes out is as literal as what went in.
    result: Any = clause.replace("{" + name + "}", f"%({unique})s")
    return result


def _noun(kind: type) -> str:
    return kind.__name__.removesuffix("Row").lower()


_NAMES: tuple[Any, ...] = tuple(f"p{number}" for number in range(300))
