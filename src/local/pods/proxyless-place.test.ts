import assert from "node:assert/strict";
import { test } from "node:test";
import { DataDirectory } from "../data-directory.ts";
import { proxylessPlace } from "./proxyless-place.ts";

/** Linux allows 107 bytes, macOS 103. */
const LONGEST_SOCKET_PATH = 103;

const pod = (templates: string | undefined, injected = true) => ({
  workload: { namespace: "shop", name: "web-0", injected },
  template: {
    annotations: templates === undefined ? {} : { "inject.istio.io/templates": templates },
  },
});

test("INJ-15: a pod has one where its template asks for it, and a proxy can serve it", () => {
  const where = { dataDirectory: new DataDirectory("/srv/data"), user: undefined };
  for (const [templates, injected, expected] of [
    [undefined, true, false],
    ["sidecar", true, false],
    ["gateway", true, false],
    ["grpc-agent", true, true],
    ["sidecar, grpc-agent", true, true],
    ["grpc-agent", false, false],
  ] as const) {
    const found = proxylessPlace(pod(templates, injected), where) !== undefined;
    assert.equal(found, expected, `${templates} ${injected}`);
  }
});

test("where all share the machine's files, both see the same paths", () => {
  const where = { dataDirectory: new DataDirectory("/srv/data"), user: undefined };
  const folder = "/srv/data/pods/shop/web-0/grpc";
  const socket = `${folder}/grpc-xds.sock`;
  assert.deepEqual(proxylessPlace(pod("grpc-agent"), where), {
    settings: {
      folder,
      socket,
      applicationFolder: folder,
      applicationSocket: socket,
      access: "owner",
    },
    bootstrapPath: `${folder}/grpc-bootstrap.json`,
  });
});

test("a path that is too long for a socket is another one, and not that of the Workload API", () => {
  const dataDirectory = new DataDirectory(`/${"long/".repeat(20)}data`);
  const place = proxylessPlace(pod("grpc-agent"), { dataDirectory, user: undefined });
  const { socket = "" } = place?.settings ?? {};
  assert.ok(socket.length > 0 && socket.length <= LONGEST_SOCKET_PATH, socket);
  assert.notEqual(socket, dataDirectory.workloadApiSocket({ namespace: "shop", name: "web-0" }));
});

for (const [user, access] of [
  ["ordinary", "owner"],
  ["root", "group"],
] as const) {
  test(`in namespaces of ${user}'s the containers see one folder, and the sidecar has it open`, () => {
    const where = { dataDirectory: new DataDirectory("/srv/data"), user };
    assert.deepEqual(proxylessPlace(pod("grpc-agent"), where), {
      settings: {
        folder: "/proc/self/fd/8",
        socket: "/proc/self/fd/8/grpc-xds.sock",
        applicationFolder: "/run/spiffe",
        applicationSocket: "/run/spiffe/grpc-xds.sock",
        access,
      },
      bootstrapPath: "/run/spiffe/grpc-bootstrap.json",
      shared: { source: "/srv/data/pods/shop/web-0/workload-api", target: "/run/spiffe" },
    });
  });
}
