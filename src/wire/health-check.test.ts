import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { Server, ServerCredentials, type ServiceDefinition, status } from "@grpc/grpc-js";
import { checkGrpcHealth } from "./health-check.ts";

const LOOPBACK = "127.0.0.1";
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const asIs = (value: Buffer): Buffer => value;

/** Of gRPC's own library: what it sends and takes is what others send and take. */
const HEALTH: ServiceDefinition = {
  Check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
};

/** Answers by the service that was asked for, as protobuf writes it. */
async function grpcServer(
  context: TestContext,
  answers: Readonly<Record<string, Buffer | { readonly code: status; readonly details: string }>>,
): Promise<number> {
  const server = new Server();
  server.addService(HEALTH, {
    Check: (call: { request: Buffer }, respond: (error: object | null, value?: Buffer) => void) => {
      const answer = answers[call.request.subarray(2).toString()];
      if (Buffer.isBuffer(answer)) respond(null, answer);
      else respond(answer ?? { code: status.NOT_FOUND, details: "unknown service" });
    },
  });
  return bound(context, server);
}

async function bound(context: TestContext, server: Server): Promise<number> {
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${LOOPBACK}:0`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  context.after(() => server.forceShutdown());
  return port;
}

function check(port: number, options: { service?: string; timeoutMs?: number } = {}) {
  const { service = "", timeoutMs = 5_000 } = options;
  return checkGrpcHealth({
    authority: `${LOOPBACK}:${port}`,
    open: () => connect({ host: LOOPBACK, port }),
    service,
    userAgent: "test",
    signal: AbortSignal.timeout(timeoutMs),
  });
}

test("a server that serves, as a whole and by service", async (context) => {
  const port = await grpcServer(context, { "": bytes(8, 1), "shop.Prices": bytes(8, 1) });
  await check(port);
  await check(port, { service: "shop.Prices" });
});

test("whatever is not SERVING is told by name", async (context) => {
  const port = await grpcServer(context, {
    "": bytes(),
    off: bytes(8, 2),
    unknown: bytes(8, 3),
    later: bytes(8, 9),
    // A field that a newer server may add.
    more: bytes(18, 1, 97, 8, 2),
  });
  await assert.rejects(check(port), /it says UNKNOWN$/);
  await assert.rejects(check(port, { service: "off" }), /it says NOT_SERVING$/);
  await assert.rejects(check(port, { service: "unknown" }), /it says SERVICE_UNKNOWN$/);
  await assert.rejects(check(port, { service: "later" }), /it says 9$/);
  await assert.rejects(check(port, { service: "more" }), /it says NOT_SERVING$/);
});

test("a refusal is told with its code and words", async (context) => {
  const port = await grpcServer(context, {});
  await assert.rejects(check(port, { service: "a" }), /gRPC status 5: unknown%20service$/);
});

test("a gRPC server without the service says so", async (context) => {
  const port = await bound(context, new Server());
  await assert.rejects(check(port), /does not serve grpc\.health\.v1\.Health$/);
});

test("nobody, somebody who is silent, and somebody who speaks HTTP/1", async (context) => {
  await assert.rejects(check(1), /ECONNREFUSED/);
  const silent = createServer((socket) => context.after(() => socket.destroy()));
  const older = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  for (const server of [silent, older]) {
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    context.after(() => server.close());
  }
  const portOf = (server: typeof silent): number => (server.address() as AddressInfo).port;
  await assert.rejects(check(portOf(silent), { timeoutMs: 200 }), /abort/i);
  await assert.rejects(check(portOf(older)));
});

const BROKEN: readonly (readonly [what: string, body: Buffer, problem: RegExp])[] = [
  ["a length that is not there", bytes(0, 0, 0, 0, 9, 8, 1), /no message$/],
  ["a compressed message", bytes(1, 0, 0, 0, 2, 8, 1), /no message$/],
  ["nothing", bytes(), /no message$/],
  ["a field that breaks off", bytes(0, 0, 0, 0, 1, 8), /./],
  ["far too much", Buffer.alloc(100_000), /too long$/],
];
for (const [what, body, problem] of BROKEN) {
  test(`what is no answer: ${what}`, async (context) => {
    const server: Http2Server = createHttp2Server();
    server.on("stream", (stream) => {
      stream.on("error", () => undefined);
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(body);
    });
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    context.after(() => server.close());
    const address = server.address() as AddressInfo;
    await assert.rejects(check(address.port), problem);
  });
}
