/** A connection to a callee of HTTP/1 over time: what it serves, when it ends, who waits for whom. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { http1Callee, OK, send } from "../../../test/kit/http1-callee.ts";
import { fieldOf, outgoingRequest, RecordedAnswer } from "../../../test/kit/recorded-answer.ts";

const stage = http1Callee();
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

test("thousands of requests go over one connection", async () => {
  const { connection, callee, keeper, read } = await stage();
  let answered = 0;
  callee.on("data", (bytes: Buffer) => {
    const heads = bytes.toString("latin1").split("\r\n\r\n").length - 1;
    for (let index = 0; index < heads; index++) callee.write(OK);
  });
  for (; answered < 2_000; answered++) {
    const answer = await send(connection, { path: `/${answered}` }).done;
    assert.equal(answer.summary, "head HTTP/1.1 200 length 2; data; last | ok");
    assert.equal(answer.stream?.isReused, answered > 0);
  }
  assert.equal(connection.served, 2_000);
  assert.equal(keeper.calls.length, 2_000);
  assert.equal(read().split("Host").length, 2_001);
});

test("a request may be sent while the last piece of the answer before is told", async () => {
  const { connection, callee } = await stage();
  callee.on("data", () => callee.write(OK));
  const first = send(connection);
  let second: RecordedAnswer | undefined;
  first.onLast = () => {
    second = send(connection);
  };
  await first.done;
  assert.equal((await second?.done)?.summary, "head HTTP/1.1 200 length 2; data; last | ok");
});

test("a byte on an idle connection ends it", async () => {
  const { connection, callee, keeper } = await stage();
  const answer = send(connection);
  await nextTurn();
  callee.write(OK);
  await answer.done;
  callee.write("HTTP/1.1 200 OK\r\n\r\n");
  await eventually("the end", () => keeper.calls.at(-1) === "closed");
  assert.equal(connection.mayServe, false);
});

test("what came before the request went out is no answer to it", async () => {
  const { connection, keeper } = await stage();
  const answer = send(connection);
  const late = Buffer.from("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  connection.received(late, 0, late.length);
  assert.equal((await answer.done).summary, "aborted closed | ");
  assert.deepEqual(keeper.calls, ["closed"]);
});

test("an idle connection that the callee ends is gone at once", async () => {
  const { connection, callee, keeper } = await stage();
  callee.end();
  await eventually("the end", () => keeper.calls.at(-1) === "closed");
  assert.equal(connection.mayServe, false);
});

test("an answer before the request is complete is passed on, and the connection serves no other", async () => {
  for (const rest of ["never", "before the answer ends"]) {
    const { connection, callee, keeper } = await stage();
    const answer = new RecordedAnswer();
    connection.send(outgoingRequest({ method: "POST" }), "more", answer);
    await nextTurn();
    callee.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nn");
    await eventually("the head", () => answer.body === "n");
    if (rest !== "never") answer.stream?.data(Buffer.from("x"), 0, 1, "last");
    callee.write("o");
    await answer.done;
    assert.equal(answer.summary, "head HTTP/1.1 413 length 2; data; last | no");
    assert.deepEqual(keeper.calls, ["closed"], rest);
    assert.equal(
      answer.stream?.data(Buffer.alloc(9), 0, 9, "last"),
      9,
      "what comes later is thrown away",
    );
  }
});

test("a callee that refuses a body and closes is sent no more of it (RFC 9112 section 9.5)", async () => {
  const { connection, callee, keeper, read } = await stage();
  const answer = new RecordedAnswer();
  connection.send(outgoingRequest({ method: "POST", contentLength: 9 }), "more", answer);
  answer.stream?.data(Buffer.from("some"), 0, 4, "more");
  await eventually("what there is", () => read().endsWith("some"));
  callee.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nno");
  await eventually("the head", () => answer.body === "no");
  assert.equal(answer.stream?.data(Buffer.from("more!"), 0, 5, "last"), 5);
  await delay(20);
  callee.write("pe");
  await answer.done;
  assert.equal(answer.summary, "head HTTP/1.1 413 length 4; data; last | nope");
  await eventually("the end", () => callee.readableEnded || callee.destroyed);
  assert.ok(read().endsWith("some"));
  assert.deepEqual(keeper.calls, ["closed"]);
});

test("a body other than announced is never completed", async () => {
  const pieces: readonly (readonly string[])[] = [["four", ""], ["sixsix"], ["four", "and"]];
  for (const body of pieces) {
    const { connection, callee, keeper, read } = await stage();
    const options = { body: body.map((piece) => Buffer.from(piece)) };
    const answer = send(connection, { method: "PUT", contentLength: 5 }, options);
    assert.equal((await answer.done).calls.at(-1), "aborted http1.body_other_than_announced");
    await eventually("the end", () => callee.readableEnded || callee.destroyed);
    assert.deepEqual(keeper.calls, ["closed"]);
    assert.ok(!read().includes("\r\n\r\nfoura"));
  }
});

test("reset ends the connection, and nobody hears of it", async () => {
  const { connection, callee, keeper } = await stage();
  const answer = send(connection);
  await nextTurn();
  callee.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nso");
  await eventually("a piece", () => answer.body === "so");
  answer.stream?.reset();
  await once(callee, "end");
  assert.deepEqual(keeper.calls, ["closed"]);
  assert.equal(answer.calls.at(-1), "data");
});

test("a connection that is lost is told to who waits", async () => {
  const { connection, callee } = await stage();
  const answer = send(connection);
  await nextTurn();
  callee.resetAndDestroy();
  assert.equal((await answer.done).calls.at(-1), "aborted closed");
});

test("retire lets the answer come, and keeps nothing", async () => {
  const { connection, callee, keeper } = await stage();
  const answer = send(connection);
  connection.retire();
  await nextTurn();
  assert.equal(connection.mayServe, false);
  callee.write(OK);
  assert.equal((await answer.done).body, "ok");
  assert.deepEqual(keeper.calls, ["retired", "closed"]);
});

test("a tunnel carries bytes both ways, what came before its answer too, and the callee's end is last", async () => {
  const { connection, callee, keeper, read } = await stage();
  const body = [Buffer.from("early"), Buffer.from(" late")];
  const answer = send(connection, { upgrade: "websocket" }, { body });
  await eventually("the request", () => read() !== "");
  assert.ok(read().endsWith("\r\n\r\n"));
  callee.write(`${SWITCH}hello`);
  await once(callee, "end");
  assert.ok(read().endsWith("early late"));
  callee.end(" and bye");
  await answer.done;
  assert.equal(answer.summary, "head HTTP/1.1 101 switch; data; last | hello and bye");
  await eventually("the end", () => keeper.calls.includes("closed"));
});

test("a client that ends its way of a tunnel before the answer is heard in full", async () => {
  const { connection, callee } = await stage();
  const answer = new RecordedAnswer();
  connection.send(outgoingRequest({ upgrade: "websocket" }), "more", answer);
  await nextTurn();
  answer.stream?.data(Buffer.alloc(0), 0, 0, "last");
  assert.equal(callee.readableEnded, false);
  callee.write(SWITCH);
  await once(callee, "end");
  callee.end("bye");
  assert.equal((await answer.done).body, "bye");
});

test("when the callee ends a tunnel, what the client sent goes out, and the connection ends", async () => {
  const { connection, callee, keeper, read } = await stage();
  const answer = new RecordedAnswer();
  connection.send(outgoingRequest({ upgrade: "websocket" }), "more", answer);
  await nextTurn();
  callee.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  await eventually("the head", () => answer.status === 101);
  answer.onLast = () => assert.equal(answer.stream?.data(Buffer.from("late"), 0, 4, "last"), 4);
  answer.stream?.data(Buffer.from("sent"), 0, 4, "more");
  callee.end();
  await answer.done;
  await eventually("the end", () => callee.readableEnded && keeper.calls.includes("closed"));
  assert.ok(read().endsWith("\r\n\r\nsent"));
});

test("a callee that reads slowly is sent no more than it takes", async () => {
  const { connection, callee, read } = await stage();
  callee.pause();
  const length = 65_536;
  const pieces = new Array<Buffer>(160).fill(Buffer.alloc(length, "a"));
  const answer = send(connection, { method: "PUT" }, { body: pieces });
  const unsent = await settled(() => answer.unsent);
  assert.ok(unsent > 4 * 1_048_576, `${unsent}`);
  const { arrayBuffers } = process.memoryUsage();
  assert.ok(arrayBuffers < 30e6, `${arrayBuffers}`);
  callee.resume();
  await eventually("all of it", () => read().endsWith("0\r\n\r\n"));
  callee.write(OK);
  assert.equal((await answer.done).body, "ok");
});

test("an answer that nobody consumes is not read on", async () => {
  const { connection, callee } = await stage();
  const answer = send(connection, {}, { consumption: "by hand" });
  await nextTurn();
  const length = 16 * 1_048_576;
  callee.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
  callee.write(Buffer.alloc(length, "b"));
  await eventually("some of it", () => answer.held > 0);
  const before = await settled(() => answer.held);
  assert.ok(before <= 2 * 65_536, `${before}`);
  let total = 0;
  const pump = setInterval(() => {
    total += answer.held;
    answer.consume();
  }, 1);
  await answer.done;
  clearInterval(pump);
  assert.equal(total + answer.held, length);
  assert.equal(fieldOf(answer, "content-length"), String(length));
});

test("what an owner still holds of an answer does not stop the next one", async () => {
  const { connection, callee } = await stage();
  const answer = send(connection, {}, { consumption: "by hand" });
  await nextTurn();
  const chunk = `10000\r\n${"c".repeat(65_536)}\r\n`;
  const whole = Buffer.from(
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(2)}0\r\n\r\n`,
  );
  connection.received(whole, 0, whole.length);
  assert.equal((await answer.done).held, 2 * 65_536);
  const next = send(connection);
  await nextTurn();
  callee.write(OK);
  assert.equal((await next.done).body, "ok");
  answer.consume();
});

/** What a number is once it has stood still for a while. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  for (let turn = 0; turn < 20; turn++) {
    const now = read();
    if (now === last && turn > 10) return now;
    last = now;
    await delay(10);
  }
  return last;
}
