import { testRefusals, testWarnings } from "../../../test/kit/webhook-answer.ts";

const kind = { kind: "DestinationRule" };
const policy = (fields: string): string => `{host: a, trafficPolicy: {${fields}}}`;
const tls = (fields: string): string => policy(`tls: {${fields}}`);
const http = (fields: string): string => policy(`connectionPool: {http: {${fields}}}`);
const tcp = (fields: string): string => policy(`connectionPool: {tcp: {${fields}}}`);
const hash = (fields: string): string => policy(`loadBalancer: {consistentHash: {${fields}}}`);
const warmup = (fields: string): string => policy(`loadBalancer: {warmup: {${fields}}}`);
const outlier = (fields: string): string => policy(`outlierDetection: {${fields}}`);
const port = (fields: string): string => policy(`portLevelSettings: [{${fields}}]`);

testRefusals(kind, [
  [policy(""), /^spec\.trafficPolicy: must have at least one field$/],
  [policy("portLevelSettings: []"), /trafficPolicy: must have at least one field$/],
  [policy("retryBudget: {}")],
  [
    policy("tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {version: V1}"),
    /proxyProtocol: must not be given together with tunnel$/,
  ],
  [
    policy("tunnel: {protocol: GET, targetHost: '*', targetPort: 0}"),
    /protocol: is "GET"; expected CONNECT or POST$/,
    /targetHost: "\*" is neither the name of a host nor an address$/,
    /targetPort: is 0; expected a number/,
  ],
  [policy("tunnel: {targetHost: '::1', targetPort: 443}")],
  [port("tls: {mode: DISABLE}"), /\[0\]\.port\.number: is missing/],
  [port("port: {number: 1}"), /portLevelSettings\[0\]: must have at least one field/],
  [port("port: {number: 1}, connectionPool: {}"), /connectionPool: must have at least one field$/],
  [policy("connectionPool: {}"), /connectionPool: must have at least one field$/],
  [http("maxRetries: -1"), /maxRetries: is -1; must not be negative$/],
  [http("idleTimeout: 0s"), /idleTimeout: is 0s; must be at least 1ms$/],
  [http("h2UpgradePolicy: UPGRADE")],
  [http("h2UpgradePolicy: DO_NOT_UPGRADE, useClientProtocol: true")],
  [http("idleTimeout: 1d"), /idleTimeout: "1d" is not a duration/],
  [http("h2UpgradePolicy: UPGRADE, useClientProtocol: true"), /useClientProtocol: must not be t/],
  [http("http2KeepAlive: {interval: 1s}"), /http2KeepAlive\.timeout: is missing/],
  [tcp("maxConnections: -1"), /maxConnections: is -1/],
  [tcp("idleTimeout: 0s")],
  [tcp("idleTimeout: 0.0015s"), /idleTimeout: .*whole number of milliseconds$/],
  [tcp("tcpKeepalive: {time: 1ns}"), /time: is 1ns; must be at least 1ms$/],
  [outlier("maxEjectionPercent: 101"), /maxEjectionPercent: is 101; expected 0 to 100$/],
  [outlier("maxEjectionPercent: 100, minHealthPercent: 0")],
  [outlier("minHealthPercent: -1"), /minHealthPercent: is -1; expected 0 to 100$/],
  [outlier("consecutiveLocalOriginFailures: 1"), /needs splitExternalLocalOriginErrors: true/],
  [outlier("consecutiveLocalOriginFailures: 1, splitExternalLocalOriginErrors: true")],
  [hash("httpCookie: {ttl: 1s}"), /httpCookie\.name: is missing/],
  [
    hash("httpCookie: {name: a, attributes: [{name: x}, {name: x}, {}]}"),
    /attributes\[1\]\.name: "x" is given twice$/,
    /attributes\[2\]\.name: must not be empty$/,
  ],
  [hash("maglev: {}"), /tableSize: is missing/],
  [hash("maglev: {tableSize: 4}"), /tableSize: is 4; must be a prime number$/],
  [hash("maglev: {tableSize: 3}")],
  [hash("maglev: {tableSize: 9}"), /tableSize: is 9; must be a prime number$/],
  [hash("maglev: {tableSize: 65537}")],
  [hash("maglev: {tableSize: 5000011}"), /tableSize: is 5000011; must be less than 5000011$/],
  [warmup("aggression: 0, minimumPercent: 101"), /duration: is mi/, /at most 100$/, /er than 0$/],
  [warmup("duration: 10s")],
  [hash('httpHeaderName: "a\\nb"'), /httpHeaderName: has a control character$/],
  ["{host: a, trafficPolicy: {tls: {mode: MUTUAL, clientCertificate: c}}}", /privateKey: is miss/],
  [tls("mode: SIMPLE, credentialName: a, caCrl: b"), /caCrl: must not be given together with cre/],
  [tls("mode: ISTIO_MUTUAL, credentialName: a, caCrl: b")],
  [tls("mode: MUTUAL, credentialName: a, insecureSkipVerify: true")],
  [tls("mode: SIMPLE, credentialName: a, insecureSkipVerify: true"), /credentialName: must not be/],
  [tls("mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: []")],
  [tls("mode: SIMPLE, credentialName: 'configmap://shop/a'")],
  [tls("mode: SIMPLE, credentialName: 'configmap://other/a'"), /is in another namespace$/],
  [tls("mode: SIMPLE, credentialName: 'configmap://a'"), /names no config map/],
]);

testWarnings(kind, [
  [hash("minimumRingSize: 1024"), /minimumRingSize: is deprecated; use ringHash/],
  [port("port: {number: 1}, loadBalancer: {consistentHash: {minimumRingSize: 1024}}")],
]);
