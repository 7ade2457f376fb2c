import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inspection } from "./chain-kinds.ts";
import { inspectors } from "./listener-filters.ts";

const NOTHING: Inspection = { tls: false, http: false };
const TLS: Inspection = { tls: true, http: false };
const BOTH: Inspection = { tls: true, http: true };

function port(number: number): object {
  return { destinationPortRange: { start: number, end: number + 1 } };
}

const LISTENERS: readonly [
  string,
  ReadonlyMap<number, Inspection>,
  Inspection | undefined,
  readonly [inspector: string, disabled: object | undefined][],
][] = [
  ["a port that needs nothing has none", new Map([[80, NOTHING]]), undefined, []],
  ["a port that needs TLS", new Map([[80, TLS]]), undefined, [["tls_inspector", undefined]]],
  [
    "a port of which nothing is known",
    new Map([[80, BOTH]]),
    undefined,
    [
      ["tls_inspector", undefined],
      ["http_inspector", undefined],
    ],
  ],
  [
    "ports that need nothing are spared",
    new Map([
      [80, BOTH],
      [3306, NOTHING],
      [443, TLS],
    ]),
    BOTH,
    [
      ["tls_inspector", port(3306)],
      ["http_inspector", { orMatch: { rules: [port(3306), port(443)] } }],
    ],
  ],
  [
    "where all others need nothing, so are they",
    new Map([[80, BOTH]]),
    TLS,
    [
      ["tls_inspector", undefined],
      ["http_inspector", { notMatch: port(80) }],
    ],
  ],
];

for (const [title, ports, others, expected] of LISTENERS) {
  test(`PA-41: ${title}`, () => {
    const found = inspectors(ports, others).map(({ name, filterDisabled }) => [
      name?.replace("envoy.filters.listener.", ""),
      filterDisabled,
    ]);
    assert.deepEqual(found, expected);
  });
}
