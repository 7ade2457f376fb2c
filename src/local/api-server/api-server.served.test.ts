/** What is served beside objects, over HTTPS: tokens, streams, discovery, schemas, refusals. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:tls";
import {
  apiServerStage,
  CONFIG_MAPS,
  configMap,
  post,
  put,
  stageStore,
} from "../../../test/kit/api-server-stage.ts";
import { listAt, objectAt, textAt } from "./kinds/json-access.ts";

test("tokens of service accounts come from whoever issues them", async (context) => {
  const wishes: unknown[] = [];
  const { ask, store } = await apiServerStage(context, {
    issueToken: async (wish) => {
      wishes.push(wish);
      return { token: "t", audiences: wish.audiences, expiresAt: new Date(0) };
    },
  });
  const account = put(store, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "sa" },
  });
  const path = "/api/v1/namespaces/default/serviceaccounts";
  const spec = { audiences: ["a"], expirationSeconds: 900 };
  const { status, body } = await ask(`${path}/sa/token`, post({ spec }));
  assert.equal(status, 201);
  assert.deepEqual(body["status"], { token: "t", expirationTimestamp: "1970-01-01T00:00:00Z" });
  assert.deepEqual(wishes, [
    {
      namespace: "default",
      serviceAccount: "sa",
      serviceAccountUid: account.metadata.uid,
      audiences: ["a"],
      lifetimeMs: 900_000,
      boundTo: undefined,
    },
  ]);
  assert.equal((await ask(`${path}/none/token`, post({ spec }))).status, 404);
  const short = { spec: { expirationSeconds: 1 } };
  assert.equal((await ask(`${path}/sa/token`, post(short))).status, 400);
  const silent = await apiServerStage(context, { store });
  assert.equal((await silent.ask(`${path}/sa/token`, post({ spec }))).status, 405);
});

test("a token is bound to a pod that is there and runs as its account", async (context) => {
  const bound: unknown[] = [];
  const { ask, store } = await apiServerStage(context, {
    issueToken: async ({ boundTo, audiences }) => {
      bound.push(boundTo);
      return { token: "t", audiences, expiresAt: new Date(0) };
    },
  });
  for (const name of ["sa", "other"])
    put(store, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
  const pod = put(store, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "api-0" },
    spec: { serviceAccountName: "sa", containers: [{ name: "app", image: "app" }] },
  });
  const request = async (account: string, boundObjectRef: object): Promise<number> => {
    const path = `/api/v1/namespaces/default/serviceaccounts/${account}/token`;
    return (await ask(path, post({ spec: { boundObjectRef } }))).status;
  };
  const { uid } = pod.metadata;
  assert.equal(await request("sa", { kind: "Pod", name: "api-0" }), 201);
  assert.equal(await request("sa", { kind: "Pod", name: "api-0", uid }), 201);
  assert.equal(await request("sa", { kind: "Pod", name: "api-0", uid: "another" }), 409);
  assert.equal(await request("sa", { kind: "Pod", name: "nobody" }), 404);
  assert.equal(await request("other", { kind: "Pod", name: "api-0" }), 400);
  assert.equal(await request("sa", { kind: "Secret", name: "api-0" }), 400);
  const known = { kind: "Pod", name: "api-0", uid };
  assert.deepEqual(bound, [known, known]);
});

test("logs, and connections into pods, are left to whoever runs them", async (context) => {
  const heard: string[] = [];
  const { ask, store, server, certificate, token } = await apiServerStage(context, {
    streams: {
      log: async ({ pod, query }, response) => {
        heard.push(`${pod.metadata.name} ${query.get("container")}`);
        response.end("a line\n");
      },
      upgrade: async ({ pod, subresource }, { socket }) => {
        heard.push(`${pod.metadata.name} ${subresource}`);
        socket.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
      },
    },
  });
  put(store, { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: {} });
  const pods = "/api/v1/namespaces/default/pods";
  assert.equal((await ask(`${pods}/web/log?container=app`)).text, "a line\n");
  assert.equal((await ask(`${pods}/none/log`)).status, 404);
  const upgrade = async (path: string, authorization: string): Promise<string> => {
    const socket = connect({ port: server.port, host: "127.0.0.1", ca: certificate.authorityPem });
    let answer = "";
    socket.on("data", (part) => {
      answer += part;
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${authorization}\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n`,
    );
    await once(socket, "close");
    return answer.split("\r\n")[0] ?? "";
  };
  assert.equal(await upgrade(`${pods}/web/exec`, "x"), "HTTP/1.1 401 Unauthorized");
  assert.equal(await upgrade(`${pods}/none/exec`, token), "HTTP/1.1 404 NotFound");
  assert.equal(await upgrade(`${pods}/web`, token), "HTTP/1.1 404 NotFound");
  assert.equal(await upgrade(`${pods}/web/portforward`, token), "HTTP/1.1 101 Switching Protocols");
  assert.deepEqual(heard, ["web app", "web portforward"]);
  const silent = await apiServerStage(context, { store });
  assert.equal((await silent.ask(`${pods}/web/log`)).status, 404);
});

test("what is served is told all at once, and group by group", async (context) => {
  const { ask } = await apiServerStage(context);
  const accept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
  const aggregated = await ask("/apis", { headers: { accept } });
  assert.match(String(aggregated.headers["content-type"]), /as=APIGroupDiscoveryList/);
  assert.equal(aggregated.headers["vary"], "Accept");
  const groups = listAt(aggregated.body, "items").map((group) => textAt(group, "metadata", "name"));
  const plain = listAt((await ask("/apis")).body, "groups").map((group) => textAt(group, "name"));
  assert.deepEqual(groups, plain);
  for (const group of groups) {
    const { body } = await ask(`/apis/${group}`);
    const version = textAt(body, "preferredVersion", "version");
    const resources = await ask(`/apis/${group}/${version}`);
    assert.equal(resources.body["kind"], "APIResourceList", group);
    assert.ok(listAt(resources.body, "resources").length > 0, group);
  }
  assert.equal((await ask("/apis/none")).status, 404);
  assert.equal((await ask("/apis/apps/v9")).status, 404);
});

test("every kind is described, and refers to nothing that is not", async (context) => {
  const { ask } = await apiServerStage(context);
  const paths = objectAt((await ask("/openapi/v3")).body, "paths");
  assert.ok(Object.keys(paths).length > 10);
  for (const entry of Object.values(paths)) {
    const { body, text } = await ask(textAt(entry, "serverRelativeURL"));
    const schemas = objectAt(body, "components", "schemas");
    for (const [, name = ""] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(Object.hasOwn(schemas, name), name);
  }
  assert.equal((await ask("/openapi/v2")).status, 404);
});

test("a method that does not belong is refused", async (context) => {
  const { ask } = await apiServerStage(context);
  const calls: [method: string, path: string][] = [
    ["PUT", CONFIG_MAPS],
    ["POST", `${CONFIG_MAPS}/a`],
    ["POST", "/api/v1/configmaps"],
    ["DELETE", "/api/v1/configmaps"],
    ["DELETE", "/api/v1/namespaces"],
    ["TRACE", CONFIG_MAPS],
    ["POST", "/version"],
  ];
  for (const [method, path] of calls)
    assert.equal((await ask(path, { method })).status, 405, `${method} ${path}`);
});

test("a fault of ours is told as that, without what it was", async (context) => {
  const store = stageStore({
    admit: async () => {
      throw new Error("inner secret");
    },
  });
  const { ask } = await apiServerStage(context, { store });
  const { status, text } = await ask(CONFIG_MAPS, post(configMap("a")));
  assert.equal(status, 500);
  assert.ok(!text.includes("inner secret"));
});
