import { testRefusals, testWarnings } from "../../../test/kit/webhook-answer.ts";

const kind = { kind: "Gateway" };
const HTTP = "port: {number: 80, name: http, protocol: HTTP}";
const HTTPS = "port: {number: 443, name: https, protocol: HTTPS}";
const servers = (...fields: readonly string[]): string =>
  `{servers: [${fields.map((one) => `{${one}}`)}]}`;
const hosts = (...names: readonly string[]): string =>
  servers(`hosts: [${names.map((name) => `'${name}'`)}], ${HTTP}`);
const tls = (fields: string): string => servers(`hosts: ['*'], ${HTTPS}, tls: {${fields}}`);
const FILES = "serverCertificate: /c, privateKey: /k";

testRefusals(kind, [
  ["{}", /^spec\.servers: must have at least one item$/],
  [servers(""), /hosts: must have at least one item$/, /servers\[0\]\.port: is missing$/],
  [hosts("*", "*.shop.example", "shop.example", "ns/a.b", "./a.b", "*/a.b", "10.0.0.1")],
  [hosts("shop"), /hosts\[0\]: "shop" is a short name; expected a full one$/],
  [hosts("a.*.b"), /hosts\[0\]: "a\.\*\.b" is not the name of a host$/],
  [hosts("*a.b"), /hosts\[0\]: "\*a\.b" has a wildcard that is not a whole label/],
  [hosts("/a.b"), /has an empty namespace or host/],
  [hosts("a_b/a.b"), /"a_b" is not a namespace/],
  [hosts("~ns/a.b"), /"~ns" is not a namespace/],
  [hosts("~/a.b"), /"~" is not a namespace/],
  [
    servers("hosts: ['*'], port: {number: 80, name: a, protocol: SMTP}"),
    /"SMTP" is not a protocol/,
  ],
  [servers("hosts: ['*'], port: {number: 0, name: a, protocol: HTTP}"), /number: is 0; expected/],
  [servers("hosts: ['*'], port: {number: 1, protocol: HTTP}"), /port\.name: is missing$/],
  [
    servers("hosts: ['*'], port: {number: 1, name: a, protocol: HTTP, targetPort: 2}"),
    /targetPort: has no effect in a Gateway$/,
  ],
  [
    servers(`hosts: ['*'], ${HTTP}`, `hosts: ['*'], ${HTTP}`),
    /servers\[1\]\.port\.name: "http" is/,
  ],
  [servers(`hosts: ['*'], ${HTTP}, bind: 127.0.0.1`)],
  [servers(`hosts: ['*'], ${HTTP}, bind: localhost`), /bind: "localhost" is neither an address/],
  [
    servers(`hosts: ['*'], ${HTTP}, bind: 'unix:///a'`),
    /port\.number: must be 0 for a Unix socket$/,
  ],
  [servers("hosts: ['*'], port: {name: a, protocol: HTTP}, bind: 'unix:///a'")],
  [
    servers("hosts: ['*'], port: {name: a, protocol: HTTP}, bind: 'unix://a/'"),
    /bind: .*Unix sock/,
  ],
  [servers("hosts: ['*'], port: {name: a, protocol: HTTP}, bind: 'unix://a'"), /bind: .*Unix sock/],
  [
    servers("hosts: ['*'], port: {name: a, protocol: HTTP}, bind: 'unix:///a/'"),
    /bind: .*Unix soc/,
  ],
  [servers("hosts: ['*'], port: {name: a, protocol: HTTP}, bind: 'unix://@a'")],
  [servers(`hosts: ['*'], ${HTTPS}`), /tls: is missing; protocol HTTPS needs it$/],
  [servers(`hosts: ['*'], ${HTTP}, tls: {mode: SIMPLE, ${FILES}}`), /tls: must not be given for/],
  [servers(`hosts: ['*'], ${HTTP}, tls: {httpsRedirect: true}`)],
  [
    servers(`hosts: ['*'], ${HTTP}, tls: {mode: SIMPLE, credentialName: a}`),
    /tls: must not be giv/,
  ],
  [tls(`mode: SIMPLE, ${FILES}`)],
  [tls("mode: SIMPLE, credentialName: a")],
  [
    tls("mode: SIMPLE"),
    /serverCertificate: is missing; mode SIMPLE needs it, or credentialName, the Secret/,
    /privateKey: is missing/,
  ],
  [
    tls(`mode: MUTUAL, ${FILES}`),
    /caCertificates: is missing; mode MUTUAL needs it, or credentialName/,
  ],
  [tls(`mode: OPTIONAL_MUTUAL, ${FILES}`), /caCertificates: is missing/],
  [tls("mode: MUTUAL, credentialNames: [a]")],
  [
    tls("mode: SIMPLE, credentialName: a, credentialNames: [b]"),
    /credentialNames: must not be given/,
  ],
  [
    tls("mode: SIMPLE, tlsCertificates: [{privateKey: /k}]"),
    /\[0\]\.serverCertificate: is missing/,
  ],
  [tls("mode: ISTIO_MUTUAL")],
  [tls("mode: ISTIO_MUTUAL, credentialName: a"), /credentialName: must not be given in mode ISTIO/],
  [tls(`mode: SIMPLE, ${FILES}, caCrl: /r`), /caCrl: has no client to check in mode SIMPLE$/],
  [tls(`mode: MUTUAL, ${FILES}, caCertificates: /a, caCrl: /r`)],
]);

testRefusals({ ...kind, name: "a.b" }, [
  [hosts("*"), /^metadata\.name: "a\.b" is not the name of/],
]);

const CONVERTED = "{internal.istio.io/gateway-semantics: gateway}";
testRefusals({ ...kind, name: "a.b", annotations: CONVERTED }, [[hosts("~/a.b")]]);

const twice = "credentialName: a, cipherSuites: [AES128-SHA, AES128-SHA, '-ALL', nothing, '', ALL]";
const CERTIFICATE = "{serverCertificate: /c, privateKey: /k}";
const certificates = (count: number): string =>
  tls(`mode: SIMPLE, tlsCertificates: [${Array(count).fill(CERTIFICATE)}]`);
testWarnings(kind, [
  [certificates(2)],
  [certificates(3), /tlsCertificates: has 3 items; at most 2 are supported$/],
  [
    tls(`mode: SIMPLE, ${twice}`),
    /cipherSuites\[1\]: .* is given twice$/,
    /\[3\]: "nothing" is no/,
  ],
  [
    tls("mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_1"),
    /minProtocolVersion: is TLS/,
  ],
  [tls("mode: PASSTHROUGH, credentialName: a"), /credentialName: has no effect: TLS passes/],
  [tls("mode: SIMPLE, credentialName: a, httpsRedirect: true"), /httpsRedirect: has no effect but/],
]);
