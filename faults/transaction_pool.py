"""A small pooler of PostgreSQL sessions, as PgBouncer is with `pool_mode = transaction`; it stands in where there is none.

A client keeps its connection and has a server's session only for a transaction: it is borrowed at the first message
outside of one, and given back when the server is ready and in none. In between nothing is reset, so whatever a client
leaves in a session the next one finds there. Sessions go round in turn, and each transaction gets another.

Unlike PgBouncer it carries no settings (time zone, encoding) over from session to session, knows no passwords, one
database only, and no limits of time. `python -m faults.transaction_pool FOLDER SERVERS_FOLDER DATABASE SESSIONS`
listens on the Unix socket of port 6432 in FOLDER.
"""

import asyncio
import struct
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

PORT = 6432
USER = "care"
BLOCK = 1 << 16
VERSION, CANCEL, SSL, GSS = 196_608, 80_877_102, 80_877_103, 80_877_104
# What a client may ask for when it connects, as PgBouncer has it: `options` is not among them.
KNOWN = {b"user", b"database", b"client_encoding", b"application_name", b"DateStyle", b"TimeZone"}


class Messages:
    """Follows a stream of messages of the protocol, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._begun, self._skip = b"", 0

    @property
    def is_between(self) -> bool:
        """Whether the last piece ended where a message ends."""
        return not self._begun and not self._skip

    def heads(self, piece: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The type of each message that begins here, and the first byte of what it says."""
        data, place = self._begun + piece, self._skip
        while len(data) - place >= 6 or (
            len(data) - place == 5 and data[place + 1 : place + 5] == b"\0\0\0\4"
        ):
            yield data[place : place + 1], data[place + 5 : place + 6]
            place += 1 + int.from_bytes(data[place + 1 : place + 5])
        self._begun, self._skip = data[place:], max(0, place - len(data))


class Line:
    """One connection. The next piece is always being read, so that its end is noticed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.next = self._read()

    def _read(self) -> "asyncio.Task[bytes]":
        return asyncio.create_task(self.reader.read(BLOCK))

    def take(self) -> bytes:
        """The piece that was read; nothing when the other side is gone."""
        try:
            piece = self.next.result()
        except OSError:
            piece = b""
        self.next = self._read()
        return piece

    async def send(self, piece: bytes) -> None:
        self.writer.write(piece)
        await self.writer.drain()

    def close(self) -> None:
        self.next.cancel()
        self.writer.close()


class Session(Line):
    """A session of the server; `greeting` is what it said of itself, `key` what it is cancelled by."""

    greeting: bytes
    key: bytes


class Pool:
    """So many sessions at most. Whoever asks for one waits until one is free."""

    def __init__(self, server: Path, database: str, size: int) -> None:
        self._server, self._database = server, database
        self._free = asyncio.Semaphore(size)
        self._idle: deque[Session] = deque()

    async def borrow(self) -> Session:
        """Raises `OSError` when the server is away."""
        await self._free.acquire()
        try:
            while self._idle:
                if not (session := self._idle.popleft()).next.done():
                    return session
                session.close()
            return await self._connected()
        except BaseException:
            self._free.release()
            raise

    def give_back(self, session: Session, *, whole: bool) -> None:
        """One that is in the middle of something is ended: the server rolls it back."""
        if whole:
            self._idle.append(session)
        else:
            session.close()
        self._free.release()

    async def cancel(self, session: Session) -> None:
        _, writer = await asyncio.open_unix_connection(self._server)
        writer.write(struct.pack("!ii", 16, CANCEL) + session.key)
        await writer.drain()
        writer.close()

    async def _connected(self) -> Session:
        reader, writer = await asyncio.open_unix_connection(self._server)
        told = {"user": USER, "database": self._database, "client_encoding": "UTF8"}
        words = b"".join(f"{name}\0{value}\0".encode() for name, value in told.items()) + b"\0"
        writer.write(struct.pack("!ii", 8 + len(words), VERSION) + words)
        greeting, key, kind = b"", b"", b""
        while kind != b"Z":
            head = await reader.readexactly(5)
            kind, body = head[:1], await reader.readexactly(int.from_bytes(head[1:]) - 4)
            if kind == b"E":
                raise ConnectionError(body.decode(errors="replace"))
            greeting += head + body if kind == b"S" else b""
            key = body if kind == b"K" else key
        session = Session(reader, writer)
        session.greeting, session.key = greeting, key
        return session


class Pooler:
    """Answers clients."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._keys = count(1)
        # By the key that a client was given: the session that it has now.
        self._borrowed: dict[bytes, Session] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first message to its end."""
        with suppress(OSError, asyncio.IncompleteReadError):
            if key := await self._let_in(reader, writer):
                await self._work(Line(reader, writer), key)
        writer.close()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """The key that the client is given; nothing where it is not let in."""
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            body = await reader.readexactly(length - 8)
            if code not in (SSL, GSS):
                break
            writer.write(b"N")
        if code == CANCEL:
            if session := self._borrowed.get(body):
                await self._pool.cancel(session)
            return b""
        if unknown := set(body.rstrip(b"\0").split(b"\0")[::2]) - KNOWN:
            writer.write(_refusal(b"unsupported startup parameter: " + min(unknown)))
            return b""
        session = await self._pool.borrow()
        self._pool.give_back(session, whole=True)
        key = struct.pack("!ii", next(self._keys), 0)
        writer.write(
            _message(b"R", b"\0\0\0\0") + session.greeting + _message(b"K", key) + _message(b"Z", b"I")
        )
        return key

    async def _work(self, client: Line, key: bytes) -> None:
        """Transaction after transaction."""
        try:
            while True:
                await asyncio.wait({client.next})
                piece = client.take()
                if not piece or piece[:1] == b"X":
                    return
                session, whole = await self._pool.borrow(), False
                self._borrowed[key] = session
                try:
                    whole = await _transaction(client, session, piece)
                finally:
                    del self._borrowed[key]
                    self._pool.give_back(session, whole=whole)
                if not whole:
                    return
        finally:
            client.close()


async def _transaction(client: Line, session: Session, piece: bytes) -> bool:
    """Carries messages both ways until the server is in no transaction; False when either side has gone."""
    asked, said, awaited, is_copy = Messages(), Messages(), 0, False
    while True:
        if piece:
            # A Sync in the middle of COPY is passed over by the server, and not answered.
            awaited += sum(kind == b"Q" or (kind == b"S" and not is_copy) for kind, _ in asked.heads(piece))
            await session.send(piece)
            piece = b""
        await asyncio.wait({client.next, session.next}, return_when=asyncio.FIRST_COMPLETED)
        if session.next.done():
            answer, state = session.take(), b""
            for kind, first in said.heads(answer):
                is_copy = kind == b"G" or (is_copy and kind != b"Z")
                if kind == b"Z":
                    awaited, state = awaited - 1, first
            await client.send(answer)
            if not answer:
                return False
            if state == b"I" and awaited <= 0 and asked.is_between and said.is_between:
                return True
        if client.next.done() and not (piece := client.take()):
            return False


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", 4 + len(body)) + body


def _refusal(words: bytes) -> bytes:
    return _message(b"E", b"SFATAL\0VFATAL\0C08P01\0M" + words + b"\0\0")


async def main(folder: Path, servers: Path, database: str, size: int) -> None:
    """Until it is killed."""
    pooler = Pooler(Pool(servers / ".s.PGSQL.5432", database, size))
    server = await asyncio.start_unix_server(pooler.serve, folder / f".s.PGSQL.{PORT}")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
