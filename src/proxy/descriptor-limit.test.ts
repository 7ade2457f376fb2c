/** A sidecar that may open no further file: whoever comes is refused in order, and served again when others have left. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { idOf, inboundPort, LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { SidecarProcess } from "../../test/kit/sidecar-process.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";

/** Beyond what the process has open. */
const DESCRIPTORS = 30;
const CALLERS = 200;
/** Of the application: who is served keeps a descriptor of both sides so long. */
const ANSWER_MS = 200;
const mesh = createThrowawayAuthority();
const application = createServer((_, response) => {
  setTimeout(() => response.end("ok"), ANSWER_MS);
}).listen(0, LOOPBACK);
await once(application, "listening");
const port = await freePort();
const sidecar = await SidecarProcess.start({
  rootPem: mesh.rootPem,
  svid: mesh.svid(idOf("api")),
  ports: [inboundPort({ listen: port, application: portOf(application), mode: "PERMISSIVE" })],
});
after(async () => {
  application.close();
  application.closeAllConnections();
  await sidecar.stop();
});

interface Caller {
  readonly socket: Socket;
  heard: string;
  isClosed: boolean;
}

function call(): Caller {
  const socket = connect({ port, host: LOOPBACK }).setEncoding("latin1");
  const caller: Caller = { socket, heard: "", isClosed: false };
  socket.on("error", () => {});
  socket.on("data", (text: string) => {
    caller.heard += text;
  });
  socket.on("close", () => {
    caller.isClosed = true;
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  return caller;
}

const answerOf = ({ heard, isClosed }: Caller): string | undefined =>
  /^HTTP\/1\.1 (\d+)/.exec(heard)?.[1] ?? (isClosed ? "closed" : undefined);

test("where no descriptor is left each caller is answered (503) or closed, and later ones are served", async () => {
  const open = readdirSync(`/proc/${sidecar.processId}/fd`).length;
  const limit = open + DESCRIPTORS;
  execFileSync("prlimit", [`--pid=${sidecar.processId}`, `--nofile=${limit}:${limit}`]);
  const callers = Array.from({ length: CALLERS }, call);
  await eventually("an answer, or an end, for each", () => callers.every(answerOf));
  // Who comes while another leaves may be served.
  const answers = new Set(callers.map(answerOf));
  assert.ok(answers.has("closed"), `${[...answers].join()}; ${open} of ${limit} were open before`);
  for (const answer of answers) assert.match(answer ?? "none", /^(200|503|closed)$/);
  const late = call();
  assert.equal(await eventually("an end", () => answerOf(late)), "closed");
  assert.ok(sidecar.isRunning);
  for (const { socket } of callers) socket.destroy();
  const served = await eventually("a caller who is served", async () => {
    const next = call();
    await eventually("an answer", () => answerOf(next));
    next.socket.destroy();
    return answerOf(next) === "200" && next;
  });
  assert.match(served.heard, /ok$/);
});
