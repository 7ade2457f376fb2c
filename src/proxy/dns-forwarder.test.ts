import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { dnsFailure, readDnsEnvelope, withDnsId } from "../runtime/dns-envelope.ts";
import { frameDnsMessage, readDnsMessages } from "../runtime/dns-stream.ts";
import { readFirstLine } from "../runtime/first-line.ts";
import { DnsForwarder, type DnsForwarderOptions } from "./dns-forwarder.ts";

const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

function queryFor(label: string, id = 77): Buffer {
  const header = Buffer.from("000001000001000000000000", "hex");
  const name = Buffer.from(`${String.fromCharCode(label.length)}${label}\0`);
  return withDnsId(Buffer.concat([header, name, Buffer.from([0, 1, 0, 1])]), id);
}

/** A forwarder to a server that serves every connection so. */
async function forwarder(
  serve: (socket: Socket, connectionNumber: number) => void,
  options: Partial<DnsForwarderOptions> = {},
): Promise<DnsForwarder> {
  let connections = 0;
  const server = createServer((socket) => {
    closing.push(() => socket.destroy());
    serve(
      socket.on("error", () => {}),
      ++connections,
    );
  });
  closing.push(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === "object");
  const { port } = bound;
  const made = new DnsForwarder({ connect: () => connect(port, "127.0.0.1"), ...options });
  closing.push(() => made.close());
  return made;
}

const answerAll = (socket: Socket): void =>
  readDnsMessages(socket, (query) => {
    socket.write(frameDnsMessage(dnsFailure(query, "NXDOMAIN")));
  });

test("queries share one connection, each under an id of its own, and get their own answers back", async () => {
  const seen: number[] = [];
  let connections = 0;
  const made = await forwarder((socket, number) => {
    connections = number;
    const asked: Buffer[] = [];
    readDnsMessages(socket, (query) => {
      seen.push(query.readUInt16BE(0));
      // All answers at the end, in the opposite order.
      if (asked.unshift(query) < 20) return;
      for (const one of asked) socket.write(frameDnsMessage(dnsFailure(one, "NXDOMAIN")));
    });
  });
  const queries = Array.from({ length: 20 }, (_, index) => queryFor(`name-${index}`));
  const replies = await Promise.all(queries.map((query) => made.ask(query)));
  for (const [index, reply] of replies.entries()) {
    assert.deepEqual(reply, dnsFailure(queryFor(`name-${index}`), "NXDOMAIN"));
  }
  assert.equal(new Set(seen).size, 20);
  assert.equal(connections, 1);
});

test("the preface is said first, once for each connection", async () => {
  const made = await forwarder(
    async (socket) => {
      const line = await readFirstLine(socket, { maxBytes: 10, timeoutMs: 5_000 });
      if (line === "DNS") answerAll(socket);
      else socket.destroy();
    },
    { preface: "DNS\n" },
  );
  for (const name of ["a", "b"]) assert.ok(await made.ask(queryFor(name)));
});

test("what was asked on a connection that had worked, and ends, is asked once more on a new one", async () => {
  const made = await forwarder((socket, number) => {
    if (number > 1) return answerAll(socket);
    let asked = 0;
    readDnsMessages(socket, (query) => {
      if (++asked === 1) socket.write(frameDnsMessage(dnsFailure(query, "NXDOMAIN")));
      else socket.destroy();
    });
  });
  assert.ok(await made.ask(queryFor("first")));
  assert.deepEqual(await made.ask(queryFor("second")), dnsFailure(queryFor("second"), "NXDOMAIN"));
});

test("a server that never answers, or ends every connection, gives nothing", async () => {
  const silent = await forwarder(() => {}, { timeoutMs: 50 });
  assert.equal(await silent.ask(queryFor("a")), undefined);
  let connections = 0;
  const hasty = await forwarder((socket, number) => {
    connections = number;
    socket.destroy();
  });
  assert.equal(await hasty.ask(queryFor("a")), undefined);
  assert.equal(connections, 1);
  const absent = new DnsForwarder({ connect: () => connect("/nonexistent/egress.sock") });
  assert.equal(await absent.ask(queryFor("a")), undefined);
});

test("answers under another id, to another question, and late ones are not taken", async () => {
  const late: (() => void)[] = [];
  const made = await forwarder(
    (socket) =>
      readDnsMessages(socket, (query) => {
        const reply = dnsFailure(query, "NXDOMAIN");
        socket.write(frameDnsMessage(withDnsId(reply, (query.readUInt16BE(0) + 1) & 0xffff)));
        socket.write(
          frameDnsMessage(
            withDnsId(dnsFailure(queryFor("other"), "NXDOMAIN"), query.readUInt16BE(0)),
          ),
        );
        socket.write(frameDnsMessage(query));
        late.push(() => socket.write(frameDnsMessage(reply)));
      }),
    { timeoutMs: 100 },
  );
  assert.equal(await made.ask(queryFor("asked")), undefined);
  const next = made.ask(queryFor("next"));
  await eventually("both queries", () => late.length === 2);
  for (const answer of late) answer();
  assert.deepEqual(
    readDnsEnvelope((await next) ?? Buffer.alloc(0))?.question,
    readDnsEnvelope(queryFor("next"))?.question,
  );
});
