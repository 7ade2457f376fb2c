/** Answers that are passed on: how each is framed for the client at hand, and what becomes of the connection. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import {
  dial,
  exchange,
  type HttpStage,
  type Reaction,
  startHttpStage,
} from "../../../test/kit/http-server-stage.ts";
import { HeldFields } from "./held-fields.ts";
import type { ServerStream } from "./streams.ts";

const stages: HttpStage[] = [];
after(() => {
  for (const stage of stages) stage.close();
});

async function staged(react: Reaction): Promise<HttpStage> {
  const stage = await startHttpStage(react);
  stages.push(stage);
  return stage;
}

function fieldsOf(...pairs: readonly (readonly [string, string])[]): HeldFields {
  const fields = HeldFields.borrow();
  for (const [name, value] of pairs) fields.add(name, value);
  return fields;
}

const HELLO = Buffer.from("hello");
const NONE = fieldsOf();
const GET = "GET / HTTP/1.1\r\nHost: a\r\n";
const OLD = "GET / HTTP/1.0\r\nHost: a\r\n";
const CLOSE = "Connection: close\r\n";
const plain = (status: number, contentLength = -1) => ({ status, fields: NONE, contentLength });

interface Case {
  readonly what: string;
  readonly request: string;
  readonly answer: (stream: ServerStream) => void;
  readonly seen: string;
}

const cases: readonly Case[] = [
  {
    what: "a body by its length",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => {
      const fields = fieldsOf(["date", "today"], ["Content-Length", "99"], ["x-a", "1"]);
      stream.head({ status: 201, fields, contentLength: 5 }, "more");
      assert.equal(stream.data(HELLO, 0, 5, "last"), 5);
    },
    seen: "HTTP/1.1 201 Created\r\ndate: today\r\nx-a: 1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  },
  {
    what: "a body of unknown length",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => {
      stream.head(plain(200), "more");
      stream.data(HELLO, 0, 2, "more");
      stream.data(HELLO, 2, 5, "last");
    },
    seen: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
  },
  {
    what: "a body of unknown length to HTTP/1.0",
    request: `${OLD}Connection: keep-alive\r\n\r\n`,
    answer: (stream) => {
      stream.interim(103, NONE);
      stream.head(plain(200), "more");
      stream.data(HELLO, 0, 5, "more");
      stream.trailers(fieldsOf(["x-t", "1"]));
    },
    seen: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
  },
  {
    what: "trailers",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => {
      stream.head(plain(200), "more");
      stream.data(HELLO, 0, 5, "more");
      stream.trailers(fieldsOf(["x-t", "1"]));
    },
    seen: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n",
  },
  {
    what: "an answer to HEAD, by its length",
    request: `HEAD / HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
    answer: (stream) => stream.head(plain(200, 7), "last"),
    seen: "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n",
  },
  {
    what: "304, whose length is another answer's",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => stream.head(plain(304, 7), "last"),
    seen: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nConnection: close\r\n\r\n",
  },
  {
    what: "204",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => stream.head(plain(204, 0), "last"),
    seen: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
  },
  {
    what: "no body, and nothing said of one",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => stream.head(plain(500), "last"),
    seen: "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  },
  {
    what: "interim answers before the real one",
    request: `${GET}${CLOSE}\r\n`,
    answer: (stream) => {
      stream.interim(100);
      stream.interim(103, fieldsOf(["link", "x"]));
      stream.head(plain(200, 0), "last");
    },
    seen: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  },
  {
    what: "less body than its length",
    request: `${GET}\r\n`,
    answer: (stream) => {
      stream.head(plain(200, 9), "more");
      stream.data(HELLO, 0, 5, "last");
    },
    seen: "",
  },
  {
    what: "more body than its length",
    request: `${GET}\r\n`,
    answer: (stream) => {
      stream.head(plain(200, 2), "more");
      stream.data(HELLO, 0, 5, "last");
    },
    seen: "",
  },
  {
    what: "a reset in place of an answer",
    request: `${GET}\r\n`,
    answer: (stream) => stream.reset(),
    seen: "",
  },
];

for (const { what, request, answer, seen } of cases) {
  test(`${what}: ${JSON.stringify(seen.slice(0, 20))}`, async () => {
    const stage = await staged(({ stream }, told) => {
      if (told === "request") answer(stream);
    });
    assert.equal(await exchange(stage.port, [request]), seen);
    await eventually("the end of the exchange", () => stage.requests[0]?.timesFinished === 1);
    assert.equal(stage.requests[0]?.why, undefined);
    await eventually("the connection to be forgotten", () => stage.http.size === 0);
  });
}

test("verbs of an exchange that is over do nothing to the next", async () => {
  const stage = await staged(({ stream }, told) => {
    if (told === "request") stream.head(plain(200, 0), "last");
    else if (told === "finished") {
      stream.head(plain(500), "last");
      stream.interim(103);
      stream.data(HELLO, 0, 5, "last");
      stream.trailers(NONE);
      stream.switchProtocols(plain(101));
      stream.reset();
      stream.retireConnection();
    }
  });
  const seen = await exchange(stage.port, [`${GET}\r\n`, `${GET}\r\n`, `${GET}${CLOSE}\r\n`]);
  const one = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  assert.equal(seen, `${one}\r\n${one}\r\n${one}${CLOSE}\r\n`);
});

test("an answer that only the end of the connection ends is reset rather than cut short", async () => {
  const stage = await staged(({ stream }, told) => {
    if (told !== "request") return;
    stream.head(plain(200), "more");
    stream.data(HELLO, 0, 5, "more");
    setTimeout(() => stream.reset(), 30);
  });
  const socket = dial(stage.port);
  socket.write(`${OLD}\r\n`);
  const [error] = await once(socket, "error");
  assert.equal(error.code, "ECONNRESET");
});

const UPGRADE = `${GET}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`;

test("an upgrade: early bytes wait for the answer, then bytes go both ways until either side ends", async () => {
  const stage = await staged((seen, told) => {
    if (told === "request") {
      setTimeout(
        () => seen.stream.switchProtocols({ ...plain(101), fields: fieldsOf(["x-a", "1"]) }),
        30,
      );
    } else if (told === "data") {
      const bytes = Buffer.from(seen.body.toUpperCase());
      seen.body = "";
      seen.stream.data(bytes, 0, bytes.length, seen.latest);
      seen.stream.consumed(bytes.length);
    }
  });
  const socket = dial(stage.port);
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.write(`${UPGRADE}early`);
  await eventually("the early bytes", () => seen.endsWith("EARLY"));
  assert.equal(
    seen,
    "HTTP/1.1 101 Switching Protocols\r\nx-a: 1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nEARLY",
  );
  socket.write("more");
  await eventually("an echo", () => seen.endsWith("EARLYMORE"));
  socket.end();
  await once(socket, "close");
  await eventually("the end of the exchange", () => stage.requests[0]?.timesFinished === 1);
  assert.equal(stage.requests[0]?.why, undefined);
});

for (const target of ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n", "CONNECT a:1 HTTP/1.0\r\n"]) {
  test(`${target.split("\r\n")[0]}: the socket is handed over, with what came behind it`, async () => {
    const stage = await staged(({ stream }, told) => {
      if (told !== "request") return;
      const socket = stream.detach?.() ?? assert.fail("no socket");
      assert.equal(stream.detach?.(), undefined);
      socket.write("taken:");
      socket.pipe(socket);
    });
    const socket = dial(stage.port);
    let seen = "";
    socket.on("data", (chunk: Buffer) => {
      seen += chunk.toString("latin1");
    });
    socket.write(`${target}\r\nearly`);
    await eventually("the early bytes", () => seen === "taken:early");
    socket.end("late");
    await once(socket, "close");
    assert.equal(seen, "taken:earlylate");
    assert.equal(stage.requests[0]?.timesFinished, 1);
    await eventually("the connection to be forgotten", () => stage.http.size === 0);
  });
}

test("only a CONNECT gives its socket away", async () => {
  const stage = await staged(({ stream }, told) => {
    if (told !== "request") return;
    assert.equal(stream.detach?.(), undefined);
    stream.head(plain(200, 0), "last");
  });
  assert.match(await exchange(stage.port, [`${GET}${CLOSE}\r\n`]), /^HTTP\/1.1 200/);
});
