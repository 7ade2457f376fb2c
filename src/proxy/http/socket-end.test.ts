/** Ends of real sockets, plain and TLS: what is written arrives, whoever is told to wait is told to go on, and how they end. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { eventually } from "../../../test/kit/eventually.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { SocketEnd, type SocketEvents } from "./socket-end.ts";

const LOOPBACK = "127.0.0.1";
const NOISE = Buffer.alloc(30_000, "!");
const cleanUp: (() => void)[] = [];
after(() => {
  for (const one of cleanUp) one();
});

/** How much each call writes in one turn: heads and pieces of bodies. */
const TURNS: readonly (readonly number[])[] = [
  [400],
  [2_048],
  [2_049],
  [400, 200],
  [400, 1_648],
  [400, 1_649],
  [300, 10_000],
  [300, 17_000, 5],
  [16_000, 500, 60_000, 30],
  [200_000],
  [2_000, 14_384, 1],
  [...new Array<number>(300).fill(100)],
];

interface Ends {
  readonly end: SocketEnd;
  readonly peer: Socket;
  readonly told: string[];
  /** Where the bytes lay that were read. */
  readonly memory: ArrayBufferLike[];
}

const { certificateChainPem, privateKeyPem } = createThrowawayAuthority().serverCertificate({
  ipAddresses: [LOOPBACK],
});

async function ends(kind: "TCP" | "TLS"): Promise<Ends> {
  const told: string[] = [];
  const memory: ArrayBufferLike[] = [];
  const events: SocketEvents = {
    received(bytes, from, to) {
      told.push(bytes.toString("latin1", from, to));
      memory.push(bytes.buffer);
    },
    ended: () => told.push("ended"),
    drained: () => told.push("drained"),
    closed: () => told.push("closed"),
  };
  const server =
    kind === "TCP"
      ? createServer()
      : createTlsServer({ cert: certificateChainPem, key: privateKeyPem });
  await once(server.listen(0, LOOPBACK), "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const accepted = once(server, kind === "TCP" ? "connection" : "secureConnection");
  const peer =
    kind === "TCP"
      ? connect({ port, host: LOOPBACK })
      : connectTls({ port, host: LOOPBACK, rejectUnauthorized: false });
  const [socket] = await accepted;
  cleanUp.push(
    () => server.close(),
    () => peer.destroy(),
    () => socket.destroy(),
  );
  return { end: new SocketEnd(socket, events), peer, told, memory };
}

test("who gets a socket has its bytes in memory of its own", async () => {
  const { end, peer, told, memory } = await ends("TCP");
  peer.write("first");
  await eventually("what was sent", () => told.length > 0);
  const socket = end.detach(Buffer.alloc(0));
  const [one, other] = [once(socket, "data"), once(socket, "end")];
  socket.resume();
  peer.end("second");
  const [bytes] = await one;
  await other;
  assert.equal(String(bytes), "second");
  assert.notEqual(bytes.buffer, memory[0]);
});

for (const kind of ["TCP", "TLS"] as const) {
  test(`${kind}: all that is written arrives in order, in pieces of any size`, async () => {
    const { end, peer } = await ends(kind);
    const pieces = [1, 20_000, 3, 70_000, 0, 16_384, 200_000, 5].map((length, index) =>
      Buffer.alloc(length, 65 + index),
    );
    for (const [index, piece] of pieces.entries()) {
      if (index % 2 === 0) end.write(piece, 0, piece.length);
      else {
        const batch = end.room(10);
        batch.length += batch.bytes.write("-", batch.length, "latin1");
        end.write(piece, 0, piece.length);
      }
    }
    end.end();
    const seen: Buffer[] = [];
    for await (const chunk of peer) seen.push(chunk as Buffer);
    const expected = pieces.flatMap((piece, index) =>
      index % 2 === 0 ? [piece] : [Buffer.from("-"), piece],
    );
    assert.ok(Buffer.concat(seen).equals(Buffer.concat(expected)));
  });

  test(`${kind}: what one turn brings goes out in one write, as far as the largest batch takes it`, async () => {
    const { end, peer } = await ends(kind);
    const { socket } = end;
    const seen: Buffer[] = [];
    peer.on("data", (bytes: Buffer) => seen.push(bytes));
    const write = socket.write.bind(socket);
    let writes = 0;
    socket.write = ((...given: Parameters<typeof write>) => {
      writes++;
      return write(...given);
    }) as typeof socket.write;
    const expected: Buffer[] = [];
    for (const [turn, sizes] of TURNS.entries()) {
      writes = 0;
      for (const [index, size] of sizes.entries()) {
        const bytes = Buffer.alloc(size, 65 + turn + index);
        expected.push(bytes);
        if (size > 16_384 || index % 2 === 0) end.write(bytes, 0, size);
        else {
          const batch = end.room(size);
          batch.length += bytes.copy(batch.bytes, batch.length);
        }
      }
      const wanted = Buffer.concat(expected);
      await eventually(`${sizes}`, () => Buffer.concat(seen).length === wanted.length);
      assert.ok(Buffer.concat(seen).equals(wanted), `${sizes}`);
      const octets = sizes.reduce((sum, size) => sum + size, 0);
      if (octets <= 16_384) assert.equal(writes, 1, `${sizes}`);
      else assert.ok(writes <= 1 + Math.ceil(octets / 32_768), `${sizes}: ${writes}`);
    }
  });

  test(`${kind}: who was told to wait is told to go on, whether or not the socket ever had to wait`, async () => {
    const { end, peer, told } = await ends(kind);
    const large = Buffer.alloc(65_536);
    const write = (): void => {
      end.write(large, 0, large.length);
      assert.equal(end.isCongested, true);
    };
    for (let round = 0; round < 10; round++) write();
    peer.resume();
    const drained = (): boolean => told.includes("drained") && !end.isCongested;
    await eventually("the socket to drain", drained);
    for (let round = 0; round < 10; round++) {
      told.length = 0;
      write();
      await eventually("the socket to drain again", drained);
    }
  });

  test(`${kind}: what a slow reader has not taken yet is not written over by what others say`, async () => {
    const [{ end, peer }, other] = [await ends(kind), await ends(kind)];
    const hash = createHash("sha256");
    other.peer.resume();
    // More than any kernel keeps, in batches of all sizes; by the end some were taken at once and some were not.
    for (let round = 0; round < 600; round++) {
      const piece = Buffer.alloc(round % 3 === 0 ? 40_000 : 9_000, `${round} `);
      end.write(piece, 0, piece.length);
      hash.update(piece);
      await nextTurn();
      other.end.write(NOISE, 0, NOISE.length);
    }
    assert.ok(end.isCongested && end.socket.writableLength > 0);
    end.end();
    const seen = createHash("sha256");
    for await (const chunk of peer) seen.update(chunk);
    assert.equal(seen.digest("hex"), hash.digest("hex"));
  });

  test(`${kind}: an end in the midst of what is written leaves nothing behind`, async () => {
    const { end, peer, told } = await ends(kind);
    peer.on("error", () => {});
    const large = Buffer.alloc(1_000_000);
    for (let round = 0; round < 12; round++) end.write(large, 0, large.length);
    await nextTurn();
    assert.ok(end.socket.writableLength > 0);
    peer.destroy();
    await eventually("the end", () => told.includes("closed"));
    end.write(large, 0, large.length);
    await nextTurn();
    assert.deepEqual(
      told.filter((what) => what === "closed"),
      ["closed"],
    );
  });

  test(`${kind}: a reset is no end that the peer could take for a proper one`, async () => {
    const { end, peer, told } = await ends(kind);
    let hasEnded = false;
    peer.on("end", () => {
      hasEnded = true;
    });
    peer.on("error", () => {}).resume();
    end.write(Buffer.from("some"), 0, 4);
    await once(peer, "data");
    end.reset();
    await new Promise((resolve) => peer.once("close", resolve));
    // Node's own TLS client does not tell a missing close_notify from an end; OpenSSL's does.
    if (kind === "TCP") assert.equal(hasEnded, false);
    assert.deepEqual(told, ["closed"]);
  });

  test(`${kind}: a socket that is given up takes its unread bytes along`, async () => {
    const { end, peer, told } = await ends(kind);
    peer.write("first");
    await eventually("the first bytes", () => told.length === 1);
    end.write(Buffer.from("said before"), 0, 11);
    const socket = end.detach(Buffer.from("unread"));
    peer.write(" second");
    let seen = "";
    socket.on("data", (chunk: Buffer) => {
      seen += chunk;
    });
    socket.resume();
    await eventually("both", () => seen === "unread second");
    const [answer] = await once(peer, "data");
    assert.equal(String(answer), "said before");
    assert.deepEqual(told, ["first"]);
  });
}
