/** What goes on of any well-formed request is read by everybody as what was meant. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { eventually } from "../../../test/kit/eventually.ts";
import { ForwardingStages } from "../../../test/kit/forwarding-stage.ts";
import { request } from "../../../test/kit/http1-generator.ts";
import { readRequestsByNode } from "../../../test/kit/node-http1.ts";
import { type PlainMessage, readRequests } from "../../../test/kit/read-http1.ts";

const stages = new ForwardingStages();
after(() => stages.close());

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/** Of the request under way, what the callee has read. */
let written: Buffer = Buffer.alloc(0);
let port = 0;

before(async () => {
  const callee = await stages.listening((socket: Socket) => {
    socket.on("data", (bytes: Buffer) => {
      written = Buffer.concat([written, bytes]);
      if (readRequests(written).messages.length === 1) socket.write(OK);
    });
  });
  ({ port } = await stages.forwardingTo(callee));
});

const hop = fc.constantFrom(
  "Connection: close, z-a, host\r\n",
  "Keep-Alive: 5\r\n",
  "TE: trailers\r\n",
  "X-Forwarded-For: 1\r\n",
);

test("what goes on is read by us and by node:http as what was meant", async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.array(hop, { maxLength: 3 }), async (one, hops) => {
      const text = one.replace("Host: a\r\n", `Host: a\r\n${hops.join("")}`);
      const bytes = Buffer.from(text, "latin1");
      const [came] = readRequests(bytes).messages;
      await send(bytes);
      const { messages, outcome } = readRequests(written);
      assert.equal(outcome, "idle");
      const [went] = messages;
      assert.equal(went?.line, came?.line);
      assert.equal(went?.body, came?.body);
      assert.deepEqual(went?.trailers, came?.trailers);
      assert.deepEqual(fieldsOf(went), fieldsOf(came).filter(staysOf(hops)));
      const [theirs = []] = await readRequestsByNode([written]);
      assert.deepEqual(messages.map(plain), theirs.map(plain));
    }),
    { numRuns: 100 },
  );
});

async function send(bytes: Buffer): Promise<void> {
  written = Buffer.alloc(0);
  const { socket, seen } = stages.client(port, bytes);
  await eventually("an answer", () => seen().startsWith(OK.slice(0, 12)));
  socket.destroy();
}

/** Each as one text, but for those by which a message is framed, which may be others. */
function fieldsOf(message: PlainMessage | undefined): string[] {
  const { fields = [] } = message ?? {};
  const all = fields.filter((_, at) => at % 2 === 0).map((name, at) => [name, fields[2 * at + 1]]);
  return all
    .filter(([name = ""]) => !["transfer-encoding", "content-length"].includes(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
}

function staysOf(hops: readonly string[]): (field: string) => boolean {
  const isNamed = hops.some((line) => line.startsWith("Connection"));
  return (field) => {
    const [name = ""] = field.toLowerCase().split(":");
    if (["connection", "keep-alive", "te"].includes(name)) return false;
    return name !== "z-a" || !isNamed;
  };
}

function plain({ line, fields, body, trailers }: Omit<PlainMessage, "end">): unknown {
  return { line, fields, body, trailers };
}
