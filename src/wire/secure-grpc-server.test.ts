import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { after, before, test } from "node:test";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { ListenError } from "../runtime/listen-error.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { IstioCertificateService } from "./gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "./grpc-client.ts";
import { type Caller, grpcService, unary } from "./grpc-service.ts";
import { GrpcStatusError } from "./grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "./secure-grpc-server.ts";

const mesh = createThrowawayAuthority();
const log = recordedLog();
const callers: Caller[] = [];
let server: SecureGrpcServer;

const service = grpcService(IstioCertificateService, {
  createCertificate: unary(async ({ csr }, caller) => {
    callers.push(caller);
    if (csr === "defect") throw new Error("a secret of the server");
    return { certChain: [csr] };
  }, log),
});

const options = {
  host: "127.0.0.1",
  identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
  services: [service],
  maxReceiveBytes: 65_536,
  log,
};

before(async () => {
  server = await startSecureGrpcServer({ ...options, port: 0 });
});
after(() => server.close());

function client(): GrpcClient {
  return new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: "localhost",
    rootsPem: [mesh.rootPem],
    maxReceiveBytes: 65_536,
  });
}

const method = IstioCertificateService.method.createCertificate;

async function dial(changes: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: server.port,
    ca: [mesh.rootPem],
    ALPNProtocols: ["h2"],
    ...changes,
  });
  await once(socket, "secureConnect");
  return socket;
}

test("one port: a caller without a certificate is nobody, headers come through", async () => {
  const grpc = client();
  const answer = await grpc.unary(
    method,
    { csr: "hello" },
    { timeoutMs: 10_000, headers: { authorization: "Bearer x" } },
  );
  assert.deepEqual(answer.certChain, ["hello"]);
  const caller = callers.at(-1);
  assert.equal(caller?.certificate, undefined);
  assert.deepEqual(caller?.headers("authorization"), ["Bearer x"]);
  assert.deepEqual(caller?.headers("absent"), []);
  assert.match(caller?.remoteAddress ?? "", /^127\.0\.0\.1:\d+$/);
  grpc.close();
});

test("a defect is logged, and the caller learns nothing of it", async () => {
  const grpc = client();
  await assert.rejects(grpc.unary(method, { csr: "defect" }, { timeoutMs: 10_000 }), (error) => {
    assert.ok(error instanceof GrpcStatusError);
    assert.equal(error.status, "INTERNAL");
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  const [defect] = log.find("a call failed");
  assert.match(String(defect?.fields["error"]), /secret/);
  grpc.close();
});

test("a deadline that passes ends the call", async () => {
  const grpc = client();
  await assert.rejects(
    grpc.unary(method, { csr: "x" }, { timeoutMs: -1 }),
    (error) => error instanceof GrpcStatusError && error.status === "DEADLINE_EXCEEDED",
  );
  grpc.close();
});

test("TLS 1.1, plaintext and other protocols are refused", async () => {
  await assert.rejects(
    dial({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
  );
  const plain = connectPlain(server.port, "127.0.0.1");
  plain.on("error", () => undefined);
  plain.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const [received] = await Promise.race([once(plain, "data"), once(plain, "close")]);
  assert.ok(typeof received === "boolean" || received.toString("latin1")[0] === "\x15", "answered");
  plain.destroy();
  const other = await dial({ ALPNProtocols: [] });
  other.on("error", () => undefined);
  other.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  other.resume();
  await once(other, "close");
  await eventually("the refusal", () => log.find("connection refused").length > 0);
});

test("a stranger cannot make a handshake costly", async () => {
  for (const ecdhCurve of ["ffdhe2048", "ffdhe8192", "P-521"])
    await assert.rejects(dial({ ecdhCurve }), /handshake failure/, ecdhCurve);
  (await dial({ ecdhCurve: "X25519" })).destroy();
});

test("TLS sessions are never resumed: each connection is verified anew", async () => {
  const first = await dial({ maxVersion: "TLSv1.2" });
  const session = first.getSession();
  first.destroy();
  const second = await dial({ maxVersion: "TLSv1.2", ...(session && { session }) });
  assert.equal(second.isSessionReused(), false);
  second.destroy();
});

test("a port that is taken is an error with a code", async () => {
  await assert.rejects(startSecureGrpcServer({ ...options, port: server.port }), ListenError);
});

test("a connection whose handshake fails is closed", async () => {
  const socket = connectPlain(server.port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => socket.destroy());
  const closed = once(socket, "close");
  socket.write(Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]));
  socket.resume();
  await closed;
});
