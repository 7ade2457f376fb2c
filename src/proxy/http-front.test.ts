import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { type Exchange, openExchange, refusal } from "./exchange.ts";
import { HttpFront } from "./http-front.ts";

test("a client that does not finish its headers is answered with 408 and cut off", async () => {
  const broken: (number | null)[] = [];
  const front = new HttpFront<string, Exchange>(
    {
      judge: (head) => ({
        exchange: openExchange(head, new Date(0)),
        verdict: refusal(400, "never asked"),
        afterwards: "keep",
      }),
      record: () => assert.fail("no request was complete"),
      recordBroken: (_problem, status) => broken.push(status),
    },
    { headersMs: 100, checkMs: 20 },
  );
  const server = createServer((socket) => front.accept(socket, "a connection"));
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const socket = connect({ port: portOf(server), host: LOOPBACK });
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk;
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  await once(socket, "close");
  assert.match(seen, /^HTTP\/1.1 408/);
  assert.deepEqual(broken, [408]);
  front.drain();
  server.close();
});
