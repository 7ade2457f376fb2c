import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { DiscoveryBytes } from "../../test/kit/discovery-bytes.ts";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { idOf } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { bytesOf, streamService } from "../wire/byte-streams.ts";
import {
  PACKING,
  PACKING_HEADER,
  packedMessage,
  packedPart,
} from "../wire/envoy/packed-messages.ts";
import type { ServerStream } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { startUnixGrpcServer } from "../wire/unix-grpc-server.ts";
import { forwardedDiscovery } from "./forwarded-discovery.ts";

const SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService";
const METHODS = ["DeltaAggregatedResources", "StreamAggregatedResources"];
const mesh = createThrowawayAuthority();

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

let sockets = 0;

type BytesStream = ServerStream<Uint8Array, Uint8Array>;

interface Fixture {
  readonly svid: WatchedValue<X509Svid | undefined>;
  /** Serial numbers of those that the control plane did not take. */
  readonly refused: string[];
  ask(method?: string): DiscoveryBytes;
}

/** @param serve what the control plane does with a stream; absent: there is none */
async function agentOf(
  context: TestContext,
  serve?: (stream: BytesStream) => Promise<void>,
): Promise<Fixture> {
  const port = serve === undefined ? await freePort() : await controlPlane(context, serve);
  const svid = new WatchedValue<X509Svid | undefined>(mesh.svid(idOf("api")));
  const refused: string[] = [];
  const path = join(folder, `${sockets++}.sock`);
  const server = await startUnixGrpcServer({
    path,
    access: "owner",
    services: forwardedDiscovery({
      controlPlane: `127.0.0.1:${port}`,
      svid,
      rootsPem: () => [mesh.rootPem],
      onRefused: ({ serialNumber }) => refused.push(serialNumber),
      log: silentLog,
    }),
    maxReceiveBytes: 65_536,
    maxConnections: 8,
    maxStreamsPerConnection: 8,
    log: silentLog,
  });
  context.after(() => server.close());
  const ask = (method = "DeltaAggregatedResources"): DiscoveryBytes => {
    const envoy = new DiscoveryBytes(path, `/${SERVICE}/${method}`);
    context.after(() => envoy.close());
    return envoy;
  };
  return { svid, refused, ask };
}

async function controlPlane(
  context: TestContext,
  serve: (stream: BytesStream) => Promise<void>,
): Promise<number> {
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: METHODS.map((method) => streamService(bytesOf(SERVICE, method), serve, silentLog)),
    maxReceiveBytes: 65_536,
    log: silentLog,
  });
  context.after(() => server.close());
  return server.port;
}

/** Answers each request with the serial number of the caller and what it said. */
async function echo({ requests, caller, send }: BytesStream): Promise<void> {
  for await (const request of requests) {
    const said = Buffer.from(request).toString();
    send(Buffer.from(`${caller.certificate?.serialNumber}: ${said}`));
  }
}

for (const method of METHODS) {
  test(`${method}: bytes go both ways as they are, shown with the workload's certificate`, async (context) => {
    const { svid, ask } = await agentOf(context, echo);
    const envoy = ask(method);
    for (const said of ["one", "two"]) {
      envoy.send(said);
      assert.equal(await envoy.next(), `${svid.current?.serialNumber}: ${said}`);
    }
  });
}

test("what the control plane packs is unpacked for Envoy", async (context) => {
  const { ask } = await agentOf(context, async ({ requests, caller, send }) => {
    for await (const request of requests) {
      assert.deepEqual(caller.headers(PACKING_HEADER), [PACKING]);
      send(packedMessage([packedPart([Buffer.from("packed ")], "only")], Buffer.from(request)));
    }
  });
  const envoy = ask();
  envoy.send("one");
  assert.equal(await envoy.next(), "packed one");
});

test("a renewed certificate ends the stream, and the next is opened with it", async (context) => {
  const { svid, refused, ask } = await agentOf(context, echo);
  const envoy = ask();
  envoy.send("one");
  await envoy.next();
  const renewed = mesh.svid(idOf("api"));
  svid.set(renewed);
  await assert.rejects(envoy.next(), { message: "the stream has ended" });
  const next = ask();
  next.send("two");
  assert.equal(await next.next(), `${renewed.serialNumber}: two`);
  assert.deepEqual(refused, []);
});

test("how the control plane ends a stream is told to Envoy; a certificate that it does not take, to the identity", async (context) => {
  const refusal = new GrpcStatusError("UNAUTHENTICATED", "a workload certificate is required");
  const { svid, refused, ask } = await agentOf(context, () => Promise.reject(refusal));
  const envoy = ask();
  envoy.send("one");
  await assert.rejects(envoy.next(), {
    status: "UNAUTHENTICATED",
    message: /a workload certificate is required/,
  });
  assert.deepEqual(refused, [svid.current?.serialNumber]);
});

test("without control plane, and without certificate, Envoy is told to come again", async (context) => {
  const { svid, refused, ask } = await agentOf(context);
  for (const own of [svid.current, undefined]) {
    svid.set(own);
    const envoy = ask();
    envoy.send("one");
    await assert.rejects(envoy.next(), { status: "UNAVAILABLE" });
  }
  assert.deepEqual(refused, []);
});

test("when Envoy leaves, so does its stream to the control plane", async (context) => {
  let gone = false;
  const { ask } = await agentOf(context, async (stream) => {
    stream.signal.addEventListener("abort", () => {
      gone = true;
    });
    await echo(stream);
  });
  const envoy = ask();
  envoy.send("one");
  await envoy.next();
  envoy.close();
  await eventually("the end of the stream", () => gone);
});

test("who asks no more is let go, as the control plane is told", async (context) => {
  let gone = false;
  const { ask } = await agentOf(context, async (stream) => {
    stream.signal.addEventListener("abort", () => {
      gone = true;
    });
    for await (const request of stream.requests) stream.send(request);
    await new Promise(() => {}); // would serve on
  });
  const program = ask("StreamAggregatedResources");
  program.send("one");
  await program.next();
  program.finish();
  await assert.rejects(program.next(), { message: "the stream has ended" });
  await eventually("the end of the stream", () => gone);
});
