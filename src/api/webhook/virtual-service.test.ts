import assert from "node:assert/strict";
import { test } from "node:test";
import { testRefusals, testWarnings } from "../../../test/kit/webhook-answer.ts";
import { parseResources } from "../parse-resources.ts";

const kind = { kind: "VirtualService" };
const ROUTE = "[{route: [{destination: {host: b}}]}]";
const hosts = (list: string, more = ""): string => `{hosts: ${list}, http: ${ROUTE}${more}}`;
const gateways = (list: string, host = "a.b"): string =>
  hosts(`['${host}']`, `, gateways: ${list}`);
const claim = (gateway: string): string =>
  `{hosts: [a.b], gateways: ${gateway}, http: [{match: [{headers: {'@request.auth.claims.a': {exact: b}}}], route: [{destination: {host: b}}]}]}`;
const tls = (fields: string): string =>
  `{hosts: [a.b, '*.c'], tls: [{match: [{${fields}}], route: [{destination: {host: b}}]}]}`;
const tcp = (fields: string): string => `{hosts: [a.b], tcp: [{${fields}}]}`;
const TO_B = "route: [{destination: {host: b}}]";

testRefusals(kind, [
  [hosts("[a.b, c, 10.0.0.1]")],
  ["{hosts: [a.b]}", /^spec: must have http, tls or tcp$/],
  [hosts("[a_b]"), /^spec\.hosts\[0\]: "a_b" is not the name of a host$/],
  [hosts("['*']"), /hosts\[0\]: "\*" must not be a host for sidecars/],
  [gateways("[ns/gw]", "*")],
  [gateways("[ns/gw, mesh]", "*"), /hosts\[0\]: "\*" must not be a host for sidecars/],
  [hosts("['*.b', a.b]"), /hosts\[1\]: "a\.b" overlaps with "\*\.b"$/],
  [hosts("['*.a.b', '*.b']"), /hosts\[1\]: "\*\.b" overlaps/],
  [hosts("['*.b', b]")],
  [gateways("['ns/*']"), /gateways\[0\]: "ns\/\*" is not a gateway/],
  [gateways("[/gw]"), /gateways\[0\]: "\/gw" is not a gateway/],
  [gateways("[gw_]"), /gateways\[0\]: "gw_" is not the name of a host$/],
  // Istiod looks no further than the first name without a namespace.
  [gateways("[mesh, 'ns/*']")],
  [claim("[ns/gw]")],
  [claim("[mesh]"), /headers\[".*"\]: is a claim of a token, which only gateways route by$/],
  [claim("[]"), /is a claim of a token/],
  [`{http: ${ROUTE}}`],
  [`{gateways: [ns/gw], http: ${ROUTE}}`, /^spec\.gateways: must not be given in a VirtualService/],
  [`{http: ${ROUTE}, tcp: [{${TO_B}}]}`, /^spec\.tcp: must not be given in a VirtualService/],
  [hosts("[a.b]", ", exportTo: ['*', c]"), /exportTo: has "\*" and namespaces/],
  [tls("sniHosts: [a.b, x.c, '*.x.c'], port: 443, destinationSubnets: [10.0.0.0/8, '::1']")],
  [tls("port: 443"), /sniHosts: must have at least one item$/],
  [tls("sniHosts: [b.a]"), /sniHosts\[0\]: "b\.a" is of none of the hosts "a\.b", "\*\.c"$/],
  [tls("sniHosts: [a_b]"), /sniHosts\[0\]: "a_b" is not the name of a host$/],
  [tls("sniHosts: [a.b], port: 70000"), /port: is 70000; expected a number/],
  [tls("sniHosts: [a.b], destinationSubnets: [10.0.0.0/33]"), /"10\.0\.0\.0\/33" is neither/],
  [`{hosts: [a.b], tls: [{${TO_B}}]}`, /tls\[0\]\.match: must have at least one item$/],
  [
    "{hosts: [a.b], tls: [{match: [{sniHosts: [a.b]}]}]}",
    /tls\[0\]\.route: must have at least one/,
  ],
  [
    "{hosts: [outbound_.80_._.a.b], gateways: [ns/gw], tls: [{match: [{sniHosts: [outbound_.80_._.a.b]}], route: [{destination: {host: a}}]}]}",
  ],
  [
    "{hosts: [outbound_.x_._.a.b], gateways: [ns/gw], tls: [{match: [{sniHosts: [outbound_.80_._.a.b]}], route: [{destination: {host: a}}]}]}",
    /hosts\[0\]: "outbound_\.x_\._\.a\.b" is not a server name/,
    /sniHosts\[0\]: .* is of none of the hosts/,
  ],
  [tcp("match: [{port: 1}]"), /tcp\[0\]\.route: must have at least one item$/],
  [tcp(`match: [{sourceLabels: {a: '-'}}], ${TO_B}`), /sourceLabels\.a: "-" is not a label value$/],
  [tcp("route: [{destination: {host: '*'}}]"), /destination\.host: "\*" is no host to send to$/],
  [tcp("route: [{weight: 1}]"), /route\[0\]\.destination: is missing$/],
  [
    tcp("route: [{destination: {host: a, subset: a.b, port: {}}}]"),
    /subset: "a\.b"/,
    /number: is 0/,
  ],
  [
    tcp("route: [{destination: {host: a}}, {destination: {host: b}}]"),
    /tcp\[0\]\.route: has weights of 0 in all/,
  ],
  [tcp("route: [{destination: {host: a}, weight: -1}]"), /weight: is -1; must not be negative$/],
]);

const CONVERTED = "{internal.istio.io/route-semantics: gateway}";
testRefusals({ ...kind, annotations: CONVERTED }, [
  [tcp("route: [{destination: {host: '*'}}]")],
  [gateways("[ns/a.b]")],
  [gateways("[ns/]"), /gateways\[0\]: "ns\/" is not a gateway/],
]);

testWarnings(kind, [
  [gateways("[gw.ns.svc.cluster.local]"), /gateways\[0\]: .* prefer "ns\/gw"$/],
  [tls("sniHosts: [10.0.0.1]"), /sniHosts\[0\]: is an address/],
  [tls("sniHosts: [a.b], gateways: [gw.ns]"), /match\[0\]\.gateways\[0\]: .* the old way/],
  // Istiod keeps this warning to itself for other matches.
  [tcp(`match: [{gateways: [gw.ns]}], ${TO_B}`)],
]);

const many = (count: number, make: (at: number) => string): string =>
  `[${Array.from({ length: count }, (_, at) => make(at))}]`;

test("of 30,000 hosts, all of them the same, a hundred are told", () => {
  const { issues } = parsed(hosts(many(30_000, () => "a.b")));
  assert.equal(issues.length, 101);
  assert.match(issues[99]?.problem ?? "", /^"a\.b" overlaps with "a\.b"$/);
});

test("10,000 server names are held against 10,000 hosts, of which a few are named", () => {
  const names = many(10_000, (at) => `s${at}.d`);
  const more = `tls: [{match: [{sniHosts: ${names}}], ${TO_B}}]`;
  const { issues } = parsed(`{hosts: ${many(10_000, (at) => `h${at}.d`)}, ${more}}`);
  assert.equal(issues.length, 101);
  assert.match(issues[0]?.problem ?? "", /hosts "h0\.d", .*, "h4\.d" and 9995 more$/);
});

function parsed(spec: string): ReturnType<typeof parseResources> {
  const head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}";
  return parseResources(`${head}\nspec: ${spec}`, "mesh.yaml");
}
