import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GatewayServer } from "../gateway-view.ts";
import { gatewayServerFor, mayServe } from "./gateway-server-for.ts";

function serverOf(serverNames: readonly string[]): GatewayServer {
  return {
    origins: [],
    serverNames,
    tls: {
      mode: "PASSTHROUGH",
      certificates: [],
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      cipherSuites: [],
      ecdhCurves: [],
    },
    traffic: { is: "stream", routes: [] },
  };
}

const label = fc.constantFrom("a", "b", "shop");
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const pattern = fc.oneof(
  name,
  name.map((one) => `*.${one}`),
  fc.constant("*"),
);
const names = fc.array(pattern, { maxLength: 3 });

/** How specific a pattern that matches is; -1: it does not match. */
function rankOf(pattern: string, serverName: string): number {
  if (pattern === serverName) return Number.POSITIVE_INFINITY;
  if (!pattern.startsWith("*")) return -1;
  const suffix = pattern.slice(1);
  return serverName.length > suffix.length && serverName.endsWith(suffix) ? suffix.length : -1;
}

test("law: the most specific pattern of all servers has a name, and of two alike the first", () => {
  fc.assert(
    fc.property(fc.array(names, { maxLength: 4 }), name, (written, serverName) => {
      const servers = written.map(serverOf);
      const ranked = servers
        .flatMap((server) =>
          server.serverNames.map((one) => ({ server, rank: rankOf(one, serverName) })),
        )
        .filter(({ rank }) => rank >= 0)
        .sort((one, other) => (one.rank === other.rank ? 0 : other.rank - one.rank));
      const found = gatewayServerFor({ servers }, serverName.toUpperCase());
      assert.equal(found, ranked[0]?.server);
      for (const server of servers) {
        const may = mayServe({ servers }, { server, authority: `${serverName}:443` });
        assert.equal(may, found === undefined || found === server);
      }
    }),
  );
});

test("who names nobody gets what is for all, or nothing", () => {
  const [all, one] = [serverOf(["*"]), serverOf(["*.a", "b"])];
  assert.equal(gatewayServerFor({ servers: [one, all] }, undefined), all);
  assert.equal(gatewayServerFor({ servers: [one] }, undefined), undefined);
});
