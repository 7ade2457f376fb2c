import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { sampleView } from "../../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import type { X509Svid } from "../../identity/x509-svid.ts";
import type { ProxylessSettings } from "../../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { silentLog } from "../../runtime/log.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { startProxylessAgent } from "./proxyless-agent.ts";

const API = "spiffe://cluster.local/ns/shop/sa/api";
const mesh = createThrowawayAuthority();
const next = createThrowawayAuthority();

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

interface Fixture {
  readonly place: string;
  readonly svid: WatchedValue<X509Svid | undefined>;
  readonly views: WatchedValue<WorkloadView | undefined>;
  read(file: string): Promise<string>;
}

let places = 0;

async function agent(
  context: TestContext,
  access: ProxylessSettings["access"] = "owner",
): Promise<Fixture> {
  const place = join(folder, `pod-${places++}`);
  const svid = new WatchedValue<X509Svid | undefined>(mesh.svid(API));
  const view = sampleView({ name: "shop/api-0", identity: API, rootPem: mesh.rootPem });
  const views = new WatchedValue<WorkloadView | undefined>(view);
  const started = await startProxylessAgent({
    settings: {
      folder: place,
      socket: join(place, "xds.sock"),
      applicationFolder: "/run/pod",
      applicationSocket: "/run/pod/xds.sock",
      access,
    },
    namespace: "shop",
    name: "api-0",
    controlPlane: "127.0.0.1:1",
    svid,
    views,
    rootsPem: () => [mesh.rootPem],
    log: silentLog,
  });
  context.after(() => started.close());
  return { place, svid, views, read: (file) => readFile(join(place, file), "utf8") };
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test("a program finds key, certificate and roots, and who may read them is said by their modes", async (context) => {
  const { place, svid, read } = await agent(context);
  assert.equal(await read("key.pem"), svid.current?.privateKeyPem);
  assert.equal(await read("cert-chain.pem"), svid.current?.certificateChainPem);
  assert.equal((await read("root-cert.pem")).trim(), mesh.rootPem.trim());
  assert.equal(await modeOf(place), 0o700);
  for (const file of ["key.pem", "cert-chain.pem", "root-cert.pem", "grpc-bootstrap.json"])
    assert.equal(await modeOf(join(place, file)), 0o600, file);
  const shared = await agent(context, "group");
  assert.equal(await modeOf(join(shared.place, "key.pem")), 0o640);
});

test("they are written anew when the certificate is renewed, and when the mesh believes others", async (context) => {
  const { svid, views, read } = await agent(context);
  const renewed = mesh.svid(API);
  svid.set(renewed);
  await eventually(
    "the renewed certificate",
    async () => (await read("cert-chain.pem")) === renewed.certificateChainPem,
  );
  assert.equal(await read("key.pem"), renewed.privateKeyPem);
  const view = views.current;
  assert.ok(view);
  const rootsPem = [mesh.rootPem, next.rootPem];
  views.set({ ...view, trust: { ...view.trust, rootsPem } });
  await eventually(
    "both roots",
    async () => (await read("root-cert.pem")).match(/BEGIN CERTIFICATE/g)?.length === 2,
  );
});

test("the bootstrap names places as the program sees them, and the pod that it belongs to", async (context) => {
  const { read } = await agent(context);
  assert.deepEqual(JSON.parse(await read("grpc-bootstrap.json")), {
    xds_servers: [
      {
        server_uri: "unix:///run/pod/xds.sock",
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      },
    ],
    node: {
      id: "sidecar~127.0.0.1~api-0.shop~shop.svc.cluster.local",
      cluster: "api.shop",
      locality: {},
      metadata: { GENERATOR: "grpc", NAMESPACE: "shop", NAME: "api-0" },
    },
    certificate_providers: {
      default: {
        plugin_name: "file_watcher",
        config: {
          certificate_file: "/run/pod/cert-chain.pem",
          private_key_file: "/run/pod/key.pem",
          ca_certificate_file: "/run/pod/root-cert.pem",
          refresh_interval: "1s",
        },
      },
    },
    server_listener_resource_name_template: "xds.istio.io/grpc/lds/inbound/%s",
  });
});
