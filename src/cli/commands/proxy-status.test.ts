import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProxyStatus } from "../../control/control-socket-messages.ts";
import { proxyStatusTable } from "./proxy-status.ts";

const ROWS: readonly [
  what: string,
  proxy: Omit<ProxyStatus, "pod" | "address"> | undefined,
  row: string,
][] = [
  ["has what was sent last", { versionSent: "b", versionAcked: "b" }, "SYNCED  b"],
  ["has not answered yet", { versionSent: "b", versionAcked: "a" }, "STALE  a"],
  ["was sent nothing", {}, "NOT SENT  -"],
  ["refused it", { versionSent: "b", versionAcked: "a", nackedError: "no" }, "REFUSED: no  a"],
  [
    "is an Envoy that refused its listeners",
    {
      versionSent: "b",
      versionAcked: "b",
      envoy: [
        { type: "clusters", state: "synced", version: "1" },
        { type: "listeners", state: "refused", version: "2", error: "no such filter" },
      ],
    },
    "REFUSED by Envoy: listeners: no such filter  b",
  ],
  [
    "is an Envoy that has not answered",
    {
      versionSent: "b",
      versionAcked: "b",
      envoy: [{ type: "clusters", state: "awaited", version: "1" }],
    },
    "STALE in Envoy: clusters  b",
  ],
  ["is not connected", undefined, "NOT CONNECTED  -"],
];

for (const [what, proxy, row] of ROWS) {
  test(`proxy-status of a sidecar that ${what}`, () => {
    const proxies =
      proxy === undefined ? [] : [{ pod: "shop/api-0", address: "127.0.0.1", ...proxy }];
    const [head, line] = proxyStatusTable(["shop/api-0"], proxies, "one");
    assert.match(head ?? "", /^NAME +CLUSTER +VIEW +VERSION$/);
    assert.equal(line?.replace(/ {2,}/g, "  "), `api-0.shop  one  ${row}`);
  });
}
