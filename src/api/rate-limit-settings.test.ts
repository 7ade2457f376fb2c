/** `hauberk.rateLimits` of the mesh configuration. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { meshSettingsOf } from "../policy/mesh-snapshot.ts";
import { parseResources } from "./parse-resources.ts";

const { rootPem } = createThrowawayAuthority();

function read(redis: string) {
  const text = [
    "apiVersion: v1",
    "kind: ConfigMap",
    "metadata: {name: istio, namespace: istio-system}",
    "data:",
    "  mesh: |",
    "    hauberk:",
    "      rateLimits:",
    ...redis.split("\n").map((line) => `        ${line}`),
  ].join("\n");
  const { resources, issues } = parseResources(text, "mesh.yaml");
  return {
    settings: meshSettingsOf(resources).rateLimits,
    issues: issues.map(({ path, problem }) => `${path}: ${problem}`),
  };
}

const indented = rootPem
  .trim()
  .split("\n")
  .map((line) => `      ${line}`)
  .join("\n");

const good: [what: string, written: string, expected: unknown][] = [
  ["nothing", "{}", {}],
  ["an address", "redis: {address: 'redis:6379'}", { host: "redis", port: 6379, database: 0 }],
  [
    "an address of IPv6",
    "redis: {address: '[::1]:6380', database: 3}",
    { host: "::1", port: 6380, database: 3 },
  ],
  [
    "a user with a password",
    "redis: {address: '10.0.0.1:1', user: hauberk, passwordFile: /etc/redis/password}",
    {
      ...{ host: "10.0.0.1", port: 1, database: 0 },
      ...{ user: "hauberk", passwordFile: "/etc/redis/password" },
    },
  ],
  [
    "TLS by the system's authorities",
    "redis: {address: 'redis:6379', tls: {}}",
    { host: "redis", port: 6379, database: 0, tls: { authoritiesPem: [] } },
  ],
  [
    "TLS by an authority of one's own",
    `redis:\n  address: redis:6379\n  tls:\n    serverName: redis.shop\n    certificateAuthorities: |\n${indented}`,
    {
      ...{ host: "redis", port: 6379, database: 0 },
      tls: { serverName: "redis.shop", authoritiesPem: [rootPem.trim()] },
    },
  ],
  [
    "TLS that is off",
    "redis: {address: 'redis:6379', tls: {enabled: false}}",
    { host: "redis", port: 6379, database: 0 },
  ],
];
for (const [what, written, redis] of good) {
  test(`is read: ${what}`, () => {
    const { settings, issues } = read(written);
    assert.deepEqual(issues, []);
    assert.deepEqual(settings, what === "nothing" ? {} : { redis });
  });
}

const faulty: [what: string, written: string, issue: RegExp][] = [
  ["no address", "redis: {}", /address.*expected HOST:PORT/],
  ["no port", "redis: {address: redis}", /"redis"; expected HOST:PORT, as in 127\.0\.0\.1:6379/],
  ["a port that is none", "redis: {address: 'redis:70000'}", /expected HOST:PORT/],
  ["a URL", "redis: {address: 'redis://redis:6379'}", /expected HOST:PORT/],
  [
    "a relative file",
    "redis: {address: 'a:1', passwordFile: password}",
    /passwordFile.*absolute path/,
  ],
  ["a user alone", "redis: {address: 'a:1', user: x}", /user.*needs passwordFile/],
  ["a password", "redis: {address: 'a:1', password: x}", /password/],
  [
    "what is no certificate",
    "redis: {address: 'a:1', tls: {certificateAuthorities: x}}",
    /certificateAuthorities.*PEM/,
  ],
  ["another place", "memcached: {}", /memcached/],
];
for (const [what, written, expected] of faulty) {
  test(`is refused: ${what}`, () => {
    const { issues } = read(written);
    assert.ok(
      issues.some((issue) => expected.test(issue)),
      issues.join("\n"),
    );
  });
}
