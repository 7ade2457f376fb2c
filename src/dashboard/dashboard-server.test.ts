/** Who may look, and what they are told: real requests to a real server, of a mesh that the tests make up. */
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request } from "node:http";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../runtime/clock.ts";
import { type Dashboard, startDashboard } from "./dashboard-server.ts";
import type { MeshSource } from "./mesh-source.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const source: MeshSource = {
  status: async () => ({ pods: [], troubles: ["nothing runs"] }),
  readLogs: async () => {},
  summaryOf: () => "",
  explanationOf: () => [],
};

describe("the dashboard's server", () => {
  let dashboard: Dashboard;
  let cookie: string;
  before(async () => {
    dashboard = await startDashboard({ source, clock: systemClock, port: 0, script: "// script" });
  });
  after(() => dashboard.close());

  const ask = (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = "GET",
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { port } = dashboard;
      const outgoing = request({ host: "127.0.0.1", port, path, headers, method, agent: false });
      outgoing.on("error", reject).on("response", (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          body += part;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
      outgoing.end();
    });
  const printed = (): string => dashboard.url.slice(dashboard.url.indexOf("/?"));

  test("it listens on loopback, and prints an address with a token of 32 random octets", () => {
    assert.match(dashboard.url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/);
  });

  for (const path of ["/", "/?token=wrong", "/page.js", "/api/denials", "/nothing"]) {
    test(`${path} is refused to whoever was not admitted`, async () => {
      const { status, body } = await ask(path);
      assert.equal(status, 403);
      assert.doesNotMatch(body, /nothing runs|<html/);
    });
  }

  for (const host of ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"]) {
    test(`the right token is refused, and not used up, under the name ${host}`, async () => {
      assert.equal((await ask(printed(), { host })).status, 403);
    });
  }

  test("the token is good once, and leads to the page by a cookie that other sites cannot use", async () => {
    const entered = await ask(printed());
    assert.deepEqual([entered.status, entered.headers.location], [303, "/"]);
    const [set = ""] = entered.headers["set-cookie"] ?? [];
    assert.match(set, /^hauberk-dashboard-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    cookie = set.slice(0, set.indexOf(";"));
    assert.equal((await ask(printed())).status, 403);
    // A reload of the same address by the one who was admitted.
    assert.equal((await ask(printed(), { cookie })).status, 303);
  });

  test("the page has no script, no style and nothing of others in its text", async () => {
    const { status, headers, body } = await ask("/", { cookie });
    assert.equal(status, 200);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'; script-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|http|data:/);
    assert.doesNotMatch(body, /<script(?![^>]* src="\/)|<style|style=| on\w+=|https?:\/\//);
    assert.equal(headers["access-control-allow-origin"], undefined);
    for (const [, path = ""] of body.matchAll(/(?:src|href)="(\/[^"]*)"/g))
      assert.equal((await ask(path, { cookie })).status, 200, path);
  });

  test("views are JSON", async () => {
    const { headers, body } = await ask("/api/workloads", { cookie });
    assert.equal(headers["content-type"], "application/json; charset=utf-8");
    assert.deepEqual(JSON.parse(body), { workloads: [], troubles: ["nothing runs"] });
    assert.deepEqual(JSON.parse((await ask("/api/denials", { cookie })).body), { denials: [] });
  });

  const refused: readonly [what: string, headers: Record<string, string>, status: number][] = [
    ["another cookie", { cookie: "hauberk-dashboard-1=x" }, 403],
    ["a request that another site made", { "sec-fetch-site": "cross-site" }, 403],
    ["a request of another port of this machine", { "sec-fetch-site": "same-site" }, 403],
    ["another name", { host: "evil.example" }, 403],
  ];
  for (const [what, headers, status] of refused) {
    test(`${what} is refused`, async () => {
      assert.equal((await ask("/api/graph", { cookie, ...headers })).status, status);
    });
  }

  test("nothing but reading is served", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      assert.equal((await ask("/api/graph", { cookie }, method)).status, 405, method);
    assert.equal((await ask("/../../etc/passwd", { cookie })).status, 404);
  });

  test("a mesh that cannot be asked is said, without what went wrong inside", async () => {
    const failing = { ...source, status: () => Promise.reject(new Error("secret path")) };
    const other = await startDashboard({
      source: failing,
      clock: systemClock,
      port: 0,
      script: "",
    });
    try {
      const entered = await fetch(other.url, { redirect: "manual" });
      const own = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
      const answer = await fetch(new URL("/api/graph", other.url), { headers: { cookie: own } });
      assert.equal(answer.status, 503);
      assert.deepEqual(await answer.json(), { problem: "the mesh cannot be read" });
    } finally {
      await other.close();
    }
  });
});
