import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

const said = (text: string) => {
  const { issues, notices } = parseResources(text, "mesh.yaml");
  return {
    issues: issues.map(({ path, problem }) => `${path}: ${problem}`),
    notices: notices.map(({ path, message }) => `${path}: ${message}`),
  };
};

const good: string[] = [
  "{trustDomain: a.b., trustDomainAliases: [c-d]}",
  "{connectTimeout: 10s, protocolDetectionTimeout: 0s, dnsRefreshRate: 60s}",
  "{proxyListenPort: 15001, defaultConfig: {statusPort: 15020, discoveryAddress: 'istiod.istio-system.svc:15012'}}",
  "{defaultConfig: {tracing: {zipkin: {address: '$(HOST_IP):9411'}}, drainDuration: 45s}}",
  "{defaultConfig: {envoyAccessLogService: {address: '[::1]:80'}}}",
  "{serviceSettings: [{settings: {clusterLocal: true}, hosts: ['*.a.svc.cluster.local']}]}",
  "{tlsDefaults: {minProtocolVersion: TLSV1_3, ecdhCurves: [P-256]}, meshMTLS:}",
  "{discoverySelectors: [{matchLabels: {a: b}}], accessLogFile: /dev/stdout, accessLogEncoding: JSON}",
  "{extensionProviders: [{name: a, envoyFileAccessLog: {path: /dev/stdout, logFormat: {labels: {a: {b: 1}}}}}]}",
  "{defaultTrafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}, localityLbSetting: {enabled: true}}",
];
for (const text of good) {
  test(`VAL-75: ${text} is accepted`, () => assert.deepEqual(said(text).issues, []));
}

const bad: [text: string, issue: RegExp][] = [
  ["{trustDomain: a_b}", /^trustDomain: "a_b" is not a trust domain/],
  ["{trustDomain: -a.b}", /^trustDomain: /],
  ["{trustDomain: a..b}", /^trustDomain: /],
  ["{connectTimeout: 61m}", /^connectTimeout: must be at most 1h$/],
  ["{connectTimeout: 0s}", /^connectTimeout: is 0s; must be at least 1ms$/],
  ["{connectTimeout: 10}", /^connectTimeout: is the number 10; expected a duration such as "5s"$/],
  ["{dnsRefreshRate: soon}", /^dnsRefreshRate: "soon" is not a duration/],
  ["{protocolDetectionTimeout: 1us}", /^protocolDetectionTimeout: must be a whole number of milli/],
  ["{proxyListenPort: 0}", /^proxyListenPort: is 0; expected a number from 1 to 65535$/],
  ["{proxyHttpPort: a}", /^proxyHttpPort: is "a"; expected a whole number/],
  ["{accessLogEncoding: XML}", /^accessLogEncoding: is "XML"; expected one of TEXT, JSON$/],
  [
    "{enablePrometheusMerge: 1}",
    /^enablePrometheusMerge: is the number 1; expected true or false$/,
  ],
  ["{defaultProviders: {metric: [a]}}", /^defaultProviders\.metric: .*did you mean metrics\?$/],
  [
    "{serviceSettings: [{hosts: [a_b]}]}",
    /^serviceSettings\[0\]\.hosts\[0\]: "a_b" is not the name/,
  ],
  ["{meshMTLS: {ecdhCurves: [P-256]}}", /^meshMTLS\.ecdhCurves: cannot be chosen for mutual TLS/],
  [
    "{localityLbSetting: {failover: [{from: a, to: a}]}}",
    /failover\[0\]\.to: must be another region/,
  ],
  ["{defaultTrafficPolicy: {connectionPool: {}}}", /connectionPool: must have at least one field$/],
  [
    "{defaultTrafficPolicy: {outlierDetection: {maxEjectionPercent: 101}}}",
    /maxEjectionPercent: is 101/,
  ],
  [
    "{defaultInboundHttpRetryPolicy: {attempts: 0, backoff: 1s}}",
    /backoff: must not be given with attempts: 0/,
  ],
  [
    "{outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}}",
    /mode: not supported yet: ALLOW_ANY_DYNAMIC_DNS$/,
  ],
  ["{ca: {address: 1}}", /^ca\.address: is the number 1; expected text/],
  [
    "{caCertificates: [{pem: a, spiffeBundleUrl: b}]}",
    /caCertificates\[0\]\.spiffeBundleUrl: must not be given together/,
  ],
  ["{defaultConfig: {configPath: ''}}", /^defaultConfig\.configPath: must not be empty$/],
  [
    "{defaultConfig: {discoveryAddress: istiod}}",
    /^defaultConfig\.discoveryAddress: "istiod" is not an address; expected HOST:PORT$/,
  ],
  ["{defaultConfig: {statsdUdpAddress: 'a:0'}}", /statsdUdpAddress: "a:0" is not an address/],
  ["{defaultConfig: {drainDuration: 1500ms}}", /drainDuration: must be a whole number of seconds$/],
  ["{defaultConfig: {statusPort: 70000}}", /statusPort: is 70000; expected a number from 1/],
  ["{defaultConfig: {controlPlaneAuthPolicy: INHERIT}}", /controlPlaneAuthPolicy: is INHERIT/],
  [
    "{defaultConfig: {tracing: {lightstep: {address: 'a:1'}}}}",
    /lightstep\.accessToken: is missing$/,
  ],
  ["{defaultConfig: {tracing: {datadog: {}}}}", /datadog\.address: is missing$/],
  [
    "{defaultConfig: {tracing: {tlsSettings: {mode: MUTUAL, clientCertificate: /a}}}}",
    /tracing\.tlsSettings\.privateKey: is missing; mode MUTUAL needs it$/,
  ],
  [
    "{defaultConfig: {tracing: {zipkin: {}, datadog: {address: 'a:1'}}}}",
    /datadog: must not be given together with zipkin/,
  ],
  [
    "{defaultConfig: {tracing: {customTags: {a: null}}}}",
    /customTags\.a: is empty; expected a map$/,
  ],
  ["{defaultConfig: {privateKeyProvider: {}}}", /privateKeyProvider: needs cryptomb or qat$/],
  ["{defaultConfig: {privateKeyProvider: {qat: {pollDelay: 0s}}}}", /qat\.pollDelay: is missing/],
  [
    "{defaultConfig: {connectionSettings: {httpMaxConcurrentStreams: 0}}}",
    /httpMaxConcurrentStreams: is 0; expected at least 1$/,
  ],
  [
    "{defaultConfig: {connectionSettings: {httpIdleTimeout: -1s}}}",
    /httpIdleTimeout: is "-1s"; expected a duration/,
  ],
  [
    "{defaultConfig: {serviceCluster: a, tracingServiceName: CANONICAL_NAME_ONLY}}",
    /tracingServiceName: must not be given together/,
  ],
];
for (const [text, issue] of bad) {
  test(`VAL-75: ${text} is refused`, () => {
    assert.match(said(text).issues.join("\n"), issue);
    assert.deepEqual(parseResources(text, "f").resources, []);
  });
}

const warned: [text: string, notice: RegExp][] = [
  [
    "{tlsDefaults: {ecdhCurves: [P-1]}}",
    /^tlsDefaults\.ecdhCurves\[0\]: "P-1" is not a known curve$/,
  ],
  [
    "{tlsDefaults: {ecdhCurves: [P-256, P-256]}}",
    /^tlsDefaults\.ecdhCurves\[1\]: "P-256" is given twice$/,
  ],
  [
    "{defaultInboundHttpRetryPolicy: {attempts: 1, perTryTimeout: 1s}}",
    /perTryTimeout: has no effect on what comes in$/,
  ],
  [
    "{defaultConfig: {proxyMetadata: {ISTIO_META_DNS_AUTO_ALLOCATE: 'true'}}}",
    /ISTIO_META_DNS_AUTO_ALLOCATE: is deprecated$/,
  ],
];
for (const [text, notice] of warned) {
  test(`${text} is warned of`, () => {
    const { issues, notices } = said(text);
    assert.deepEqual(issues, []);
    assert.match(notices[0] ?? "", notice);
  });
}

test("a policy for other addresses without a mode is REGISTRY_ONLY, none is ALLOW_ANY", () => {
  const modeOf = (text: string) => {
    const [config] = parseResources(text, "f").resources;
    return config?.kind === "MeshConfig" && config.settings.outboundTrafficPolicy;
  };
  assert.equal(modeOf("{outboundTrafficPolicy: {}}"), "REGISTRY_ONLY");
  assert.equal(modeOf("{outboundTrafficPolicy: null}"), "ALLOW_ANY");
  assert.equal(modeOf("{trustDomain: a}"), "ALLOW_ANY");
});
