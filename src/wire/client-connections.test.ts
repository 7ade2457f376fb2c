import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "./client-connections.ts";
import { IstioCertificateService } from "./gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "./grpc-client.ts";
import { grpcService, unary } from "./grpc-service.ts";
import { startSecureGrpcServer } from "./secure-grpc-server.ts";

const mesh = createThrowawayAuthority();
const elsewhere = createThrowawayAuthority();
const method = IstioCertificateService.method.createCertificate;
/** The same proportions as in earnest. */
const FEW: ConnectionLimits = { ...CONNECTION_LIMITS, handshakes: 20, strangers: 20, verified: 40 };
/** What comes beyond the room; 4,000 in earnest. */
const CROWD = 60;

async function serve(context: TestContext, changes: Partial<ConnectionLimits> = {}) {
  const log = recordedLog();
  const held = createDeferred<void>();
  const callers = new Set<string>();
  let beingAnswered = 0;
  const service = grpcService(IstioCertificateService, {
    createCertificate: unary(async ({ csr }, { remoteAddress }) => {
      callers.add(remoteAddress);
      beingAnswered++;
      if (csr === "wait") await held.promise;
      beingAnswered--;
      return { certChain: [csr] };
    }, log),
  });
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [service],
    maxReceiveBytes: 65_536,
    limits: { ...FEW, ...changes },
    log,
  });
  context.after(() => {
    held.resolve();
    return server.close();
  });
  const client = (proof: "certificate" | "none" = "none"): GrpcClient => {
    const svid = mesh.svid("spiffe://cluster.local/ns/shop/sa/web");
    const grpc = new GrpcClient({
      address: `127.0.0.1:${server.port}`,
      serverName: "localhost",
      rootsPem: [mesh.rootPem],
      maxReceiveBytes: 65_536,
      ...(proof === "certificate" && {
        certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
      }),
    });
    context.after(() => grpc.close());
    return grpc;
  };
  return { port: server.port, log, client, held, callers, beingAnswered: () => beingAnswered };
}

const ask = (grpc: GrpcClient, csr = "hello") => grpc.unary(method, { csr }, { timeoutMs: 10_000 });

/** TLS, HTTP/2, and a call whose body never comes. */
async function beginCall(context: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => undefined);
  context.after(() => session.destroy());
  await once(session, "connect");
  const call = session.request({
    ":method": "POST",
    ":path": "/istio.v1.auth.IstioCertificateService/CreateCertificate",
    "content-type": "application/grpc",
    te: "trailers",
  });
  call.on("error", () => undefined);
  return session;
}

async function openTcp(context: TestContext, port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.on("error", () => undefined);
  context.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

const crowd = <T>(member: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: CROWD }, member));

test("whoever comes gets through while a crowd holds calls open without a body", async (context) => {
  const { port, client, log } = await serve(context);
  const sessions = await crowd(() => beginCall(context, port));
  assert.deepEqual((await ask(client())).certChain, ["hello"]);
  assert.deepEqual((await ask(client("certificate"))).certChain, ["hello"]);
  await eventually(
    "those who gave way",
    () => sessions.filter(({ destroyed }) => destroyed).length > CROWD - FEW.strangers,
  );
  await eventually(
    "one line, and one that counts",
    () => log.find("connection given up").length > 1,
    {
      withinMs: 5_000,
    },
  );
  assert.ok(log.find("connection given up").length < 5);
});

test("whoever comes gets through while a crowd of bare TCP connections holds on", async (context) => {
  const { port, client } = await serve(context);
  await crowd(() => openTcp(context, port));
  assert.deepEqual((await ask(client())).certChain, ["hello"]);
  assert.deepEqual((await ask(client("certificate"))).certChain, ["hello"]);
});

test("a crowd of strangers pushes out nobody who has shown a certificate, nor a stranger who is being answered", async (context) => {
  const { port, client, held, beingAnswered } = await serve(context);
  const known = client("certificate");
  await ask(known);
  const waiting = ask(client(), "wait");
  await eventually("the stranger's call", () => beingAnswered() === 1);
  await crowd(() => beginCall(context, port));
  held.resolve();
  assert.deepEqual((await waiting).certChain, ["wait"]);
  assert.deepEqual((await ask(known)).certChain, ["hello"]);
});

test("a request that does not come ends its call and its connection", {
  timeout: 10_000,
}, async (context) => {
  const { port } = await serve(context, { requestMs: 100 });
  const session = await beginCall(context, port);
  await once(session, "close");
});

test("a stranger who is never answered well is closed, whatever is open; one whose calls are answered stays", async (context) => {
  const { client, port, callers } = await serve(context, { strangerIdleMs: 1_000 });
  const answered = client();
  await ask(answered);
  const silent = await beginCall(context, port);
  await eventually("the end of the silent one", async () => {
    await ask(answered);
    return silent.destroyed;
  });
  assert.equal(callers.size, 1, "its connection was closed, and it came anew");
});

test("what a refused certificate names is cut, and a crowd of them leaves few lines", async (context) => {
  const { port, log } = await serve(context);
  const foreign = elsewhere.svid(`spiffe://cluster.local/ns/shop/sa/${"x".repeat(1_500)}`);
  await crowd(async () => {
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      cert: foreign.certificateChainPem,
      key: foreign.privateKeyPem,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    socket.on("error", () => undefined);
    await once(socket, "close");
  });
  const lines = log.find("client certificate refused");
  assert.ok(lines.length > 0 && lines.length < 10, `${lines.length} lines`);
  for (const { fields } of lines) assert.ok(JSON.stringify(fields).length < 1_500);
});
