import { testRefusals, testWarnings } from "../../../test/kit/webhook-answer.ts";

const kind = { kind: "VirtualService" };
const route = (fields: string): string => `{hosts: [a], http: [{${fields}}]}`;
const TO_B = "route: [{destination: {host: b}}]";
const also = (fields: string): string => route(`${TO_B}, ${fields}`);
const match = (fields: string): string => also(`match: [{${fields}}]`);
const request = (fields: string): string => also(`headers: {request: {${fields}}}`);
const response = (fields: string): string => also(`headers: {response: {${fields}}}`);
const cors = (fields: string): string => also(`corsPolicy: {${fields}}`);
const fault = (fields: string): string => also(`fault: {${fields}}`);
const retries = (fields: string): string => also(`retries: {${fields}}`);
const redirect = (fields: string): string => route(`redirect: {${fields}}`);

testRefusals(kind, [
  [route(""), /^spec\.http\[0\]: must have route, redirect or directResponse$/],
  [route("delegate: {name: d}")],
  [route(`delegate: {name: d}, ${TO_B}`), /route: must not be given together with delegate$/],
  [`{http: [{delegate: {name: d}, ${TO_B}}]}`, /delegate: must not be given in a VirtualService/],
  [also("redirect: {uri: /a}"), /route: must not be given together with redirect$/],
  [
    route(
      "redirect: {uri: /a}, fault: {delay: {}}, rewrite: {uri: /b}, directResponse: {status: 200}",
    ),
    /fault: must not/,
    /rewrite: must not/,
    /directResponse: must not/,
  ],
  [also("directResponse: {status: 200}"), /route: must not be given together with directResponse$/],
  [also("mirror: {host: c}, mirrors: [{destination: {host: c}}]"), /mirrors: must not be given/],
  [also("mirrors: [{}]"), /mirrors\[0\]\.destination: is missing$/],
  [also("mirror: {host: '*'}"), /mirror\.host: "\*" is no host to send to$/],
  [also("mirrorPercentage: {value: 101}"), /mirrorPercentage\.value: is 101; expected 0 to 100$/],
  [match("uri: {prefix: ''}, port: 80, sourceNamespace: ns, queryParams: {a: {exact: ''}}")],
  [match("method: {prefix: ''}"), /method\.prefix: must not be empty$/],
  [match("uri: {regex: '(?=a)'}"), /uri\.regex: "\(\?=a\)" is not a regular expression of RE2/],
  [match("headers: {a: {regex: ''}}"), /headers\.a\.regex: must not be empty$/],
  [match("headers: {'a b': {exact: c}}"), /headers\["a b"\]: "a b" is not the name of a header$/],
  [match("headers: {':authority': {exact: c}}")],
  [match("headers: {a: null}"), /headers\.a: must not be null/],
  [match("withoutHeaders: {a: {regex: '*'}}")],
  [match("withoutHeaders: {a: {regex: '+'}}"), /withoutHeaders\.a\.regex: .* nothing before "\+"$/],
  [match("port: 65535")],
  [match("port: 65536"), /port: is 65536/],
  [match("sourceNamespace: a.b"), /sourceNamespace: "a\.b" is not the name of a namespace$/],
  [match("gateways: ['ns/*']"), /gateways\[0\]: "ns\/\*" is not a gateway/],
  [request("set: {':authority': a}, add: {x: '%HOSTNAME%'}, remove: [z]")],
  [request("add: {':path': a}"), /add\[":path"\]: must not begin with ":"$/],
  [request("set: {a: '%'}"), /set\.a: has a "%"/],
  [request("remove: [host]"), /remove\[0\]: must not be changed: it is the authority$/],
  [
    request("set: {host: a}, add: {':authority': b}"),
    /add\[":authority"\]: sets the authority, wh/,
  ],
  [
    also("rewrite: {authority: a}, headers: {request: {set: {host: a}}}"),
    /set\.host: sets the auth/,
  ],
  [request('set: {"a\\r\\nb": c}'), /has a control character$/],
  [request(`set: {a: ${"b".repeat(16_384)}}`)],
  [request(`set: {a: ${"b".repeat(16_385)}}`), /set\.a: has more than 16384 bytes$/],
  [also('rewrite: {uri: "/a\\r\\nb"}'), /rewrite\.uri: has a control character$/],
  [also('rewrite: {authority: "a\\nb"}'), /rewrite\.authority: has a control character$/],
  [redirect('uri: "/a\\nb"'), /redirect\.uri: has a control character$/],
  [redirect('prefixRewrite: "/a\\0b"'), /redirect\.prefixRewrite: has a control character$/],
  [match("queryParams: {'': {exact: a}}"), /queryParams\[""\]: must not be an empty name$/],
  [response("set: {Host: a}"), /set\.Host: must not be changed/],
  [route("route: [{destination: {host: b}, headers: {response: {add: {'': a}}}}]"), /empty name$/],
  [cors("allowOrigins: [{exact: a}], allowMethods: [GET, '*'], allowHeaders: ['*'], maxAge: 1m")],
  [cors("allowOrigins: [{}]"), /allowOrigins\[0\]: must have exact, prefix or regex/],
  [cors("allowMethods: [get]"), /allowMethods\[0\]: "get" is not a method/],
  [cors("exposeHeaders: ['a b']"), /exposeHeaders\[0\]: "a b" is not the name of a header$/],
  [cors("maxAge: 1.5s"), /maxAge: must be a whole number of seconds$/],
  [fault("abort: {httpStatus: 503, percentage: {value: 0.5}}, delay: {fixedDelay: 1s}")],
  [fault(""), /fault: must have abort or delay, or both$/],
  [fault("abort: {}")],
  [fault("abort: {grpcStatus: LOST}"), /grpcStatus: "LOST" is not a status of gRPC/],
  [fault("abort: {http2Error: a}"), /http2Error: is not supported by Istio$/],
  [fault("abort: {httpStatus: 0}"), /httpStatus: is 0/],
  [fault("delay: {exponentialDelay: 1s}"), /exponentialDelay: is not supported by Istio$/],
  [fault("abort: {percentage: {value: 0}}, delay: {percentage: {value: 100}}")],
  [fault("abort: {percentage: {value: 0.0001}}, delay: {percentage: {value: 1}}")],
  [fault("abort: {percentage: {value: 101}}"), /percentage\.value: is 101; expected 0, or/],
  [fault("abort: {percentage: {value: -1}}"), /percentage\.value: is -1; expected 0, or/],
  [fault("delay: {percentage: {value: 0.00001}}"), /value: is 0\.00001; expected 0, or 0\.0001 to/],
  [retries("attempts: 3, retryOn: 'reset,503', perTryTimeout: 1s")],
  [retries("attempts: 0, retryOn: reset"), /attempts: is 0, which turns retries off/],
  [retries("attempts: -1"), /attempts: is -1/],
  [retries("attempts: 1, retryOn: 'reset, 503'"), /retryOn: " 503" is not a condition/],
  [retries("attempts: 1, retryOn: '509'"), /retryOn: "509" is not a condition/],
  [also("timeout: 0s"), /timeout: is 0s; must be at least 1ms$/],
  [redirect("authority: a, redirectCode: 308, scheme: https, port: 443")],
  [redirect(""), /redirect: must have uri, prefixRewrite, authority, scheme or port$/],
  [redirect("uri: /a, prefixRewrite: /b"), /prefixRewrite: must not be given together with uri$/],
  [redirect("uri: /a, redirectCode: 200"), /redirectCode: is 200; expected 300 to 399$/],
  [redirect("uri: /a, redirectCode: 300")],
  [redirect("uri: /a, redirectCode: 399")],
  [redirect("uri: /a, redirectCode: 400"), /redirectCode: is 400; expected/],
  [redirect("scheme: ftp"), /scheme: is "ftp"; expected http or https$/],
  [redirect("port: 70000"), /port: is 70000/],
  [
    route("match: [{uri: {prefix: /a}}, {uri: {exact: /b}}], redirect: {prefixRewrite: /c}"),
    /prefixRewrite: needs every uri of match to be a prefix$/,
  ],
  [route("directResponse: {status: 601}"), /directResponse\.status: is 601/],
  [also("rewrite: {}"), /rewrite: must have uri, uriRegexRewrite or authority$/],
  [also("rewrite: {uriRegexRewrite: {match: a}}"), /uriRegexRewrite\.rewrite: is missing/],
  [also("rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}"), /must not be given togeth/],
]);

const large = (kilobytes: number): string =>
  route(`directResponse: {status: 200, body: {string: ${"x".repeat(kilobytes * 1024)}}}`);
testWarnings(kind, [[also("mirrorPercent: 5"), /mirrorPercent: is deprecated/]]);
testWarnings(kind, [
  [large(100)],
  [large(101), /body: has 103424 bytes/],
  [large(1024), /body: has 1048576 bytes/],
]);
testRefusals(kind, [[large(1025), /body: has 1049600 bytes; at most 1048576$/]]);
