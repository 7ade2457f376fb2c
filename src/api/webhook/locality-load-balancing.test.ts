import { testRefusals, testWarnings } from "../../../test/kit/webhook-answer.ts";

const kind = { kind: "DestinationRule" };
const locality = (fields: string): string =>
  `{host: a, trafficPolicy: {outlierDetection: {}, loadBalancer: {localityLbSetting: {${fields}}}}}`;
const from = (...sources: readonly string[]): string =>
  locality(`distribute: [${sources.map((source) => `{from: '${source}', to: {r9: 100}}`)}]`);
const to = (weights: string): string => locality(`distribute: [{from: r1, to: {${weights}}}]`);
const zones = (fields: string): string =>
  `{host: a, trafficPolicy: {loadBalancer: {zoneAwareLbSetting: {${fields}}}}}`;

testRefusals(kind, [
  [locality("distribute: [{from: a, to: {b: 100}}], failover: [{from: a, to: b}]"), /failover: mu/],
  [locality("failover: [{from: a, to: b}], failoverPriority: [topology.istio.io/subzone]"), /fail/],
  [locality("failoverPriority: [topology.kubernetes.io/region]")],
  [to("r2: 60, r3: 40")],
  [to("r2: 60, r3: 30"), /distribute\[0\]\.to: has weights of 90 in all; expected 100$/],
  [to("r2: 101"), /to\.r2: is 101; expected a weight from 1 to 100$/],
  [to("r2: 0"), /to\.r2: is 0; expected a weight/],
  [to("'*': 50, r2: 50"), /to\.r2: "r2" overlaps with one before it$/],
  // A map has no order, so it does not matter which stands first.
  [to("r2: 50, '*': 50"), /to\.r2: "r2" overlaps with one before it$/],
  [from("r1/z1", "r1/z2", "r2")],
  [from("r1", "r1/z1"), /distribute\[1\]\.from: "r1\/z1" overlaps/],
  [from("r1/z1/s1", "r1/z1"), /distribute\[1\]\.from: .* overlaps/],
  [from("r1/z1/s1", "r1/z1/s2")],
  [from("r1/z1/s1", "r1/z1/s1"), /distribute\[1\]\.from: .* overlaps/],
  [from("r1/*", "r1/z1/s1"), /distribute\[1\]\.from: .* overlaps/],
  // In a list, the rest after all that is named is no overlap.
  [from("r1/z1", "r1/*", "*")],
  [from("*/z1"), /from: "\*\/z1" has a "\*" that is not at its end$/],
  [from("r1//s1"), /from: .* has an empty region, zone or subzone$/],
  [locality("failover: [{from: a, to: a}]"), /to: must be another region than from$/],
  [locality("failover: [{from: a/z, to: 'b*'}]"), /from: "a\/z" is not a/, /to: "b\*" is not a r/],
  [
    "{host: a, trafficPolicy: {loadBalancer: {localityLbSetting: {}, zoneAwareLbSetting: {}}}}",
    /zoneAwareLbSetting: must not be given together with localityLbSetting$/,
  ],
]);

testWarnings(kind, [
  [zones("failover: [{from: a, to: b}]"), /failover: has no effect without outlierDetection$/],
  [zones("failoverPriority: [a]"), /failoverPriority: has no effect without outlierDetection$/],
]);
