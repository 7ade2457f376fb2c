/** Our codec alone and the corpus: it reads no request that a strict reader does not, and each ends at the same byte. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequests } from "../read-http1.ts";
import { CORPUS } from "./corpus/corpus.ts";
import { bytesOf, get, type SmugglingCase } from "./smuggling-case.ts";
import { readRequest } from "./strict-message.ts";

const MARKER = get("", "/marker");

for (const name of new Set(CORPUS.map((attack) => attack.class))) {
  test(`QK-16: ${name}`, () => {
    for (const attack of CORPUS) if (attack.class === name) readAlike(attack);
  });
}

/** The codec may refuse what a strict reader takes, never the other way round. */
function readAlike(attack: SmugglingCase): void {
  const text = bytesOf(attack) + MARKER;
  const { messages } = readRequests(Buffer.from(text, "latin1"));
  let at = 0;
  for (const { line, body, end } of messages) {
    const where = `${attack.name}: ${line}`;
    const reading = readRequest(text, at);
    if (reading.kind !== "request") assert.fail(`${where} (${reading.kind})`);
    assert.equal(reading.request.problem, undefined, where);
    assert.deepEqual({ body, end }, { body: reading.request.body, end: reading.end }, where);
    at = end;
  }
}
