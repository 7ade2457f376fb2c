import { testRefusals, testWarnings } from "../../../test/kit/webhook-answer.ts";

const kind = { kind: "DestinationRule" };
const subset = (fields: string): string => `{host: a, subsets: [${fields}]}`;

testRefusals(kind, [
  ["{host: reviews}"],
  ["{host: '*.shop.svc.cluster.local', subsets: [{name: v1, labels: {version: v1}}]}"],
  ["{}", /^spec\.host: is missing$/],
  ["{host: ''}", /^spec\.host: must not be empty$/],
  ["{host: a_b}", /^spec\.host: "a_b" is not the name of a host$/],
  ["{host: 10.0.0.1}", /^spec\.host: "10.0.0.1" is not the name/],
  // One label of digits is a name, although two are not.
  ["{host: '123'}"],
  [subset("{name: a}, {name: a}"), /subsets\[1\]\.name: "a" is given twice$/],
  [subset("{name: ''}"), /subsets\[0\]\.name: must not be empty$/],
  [subset("{labels: {a: b}}"), /subsets\[0\]\.name: is missing$/],
  [subset("{name: a.b}"), /"a\.b" is not a DNS label$/],
  [subset("{name: V1}")],
  [subset("{name: a, labels: {'a b': c}}"), /labels\["a b"\]: is not a label key$/],
  [subset("{name: a, labels: {a: '-'}}"), /labels\.a: "-" is not a label value$/],
  [subset("{name: a, labels: {x.io/a: ''}}")],
  [subset("{name: a, trafficPolicy: {}}"), /subsets\[0\]\.trafficPolicy: must have at least one/],
  ["{host: a, exportTo: [., shop]}", /exportTo\[1\]: "shop" is given twice$/],
  ["{host: a, exportTo: ['~']}", /exportTo\[0\]: "~" is neither a namespace/],
  ["{host: a, exportTo: ['*', b]}", /exportTo: has "\*" and namespaces/],
  ["{host: a, exportTo: [b, c]}"],
  ["{host: a, exportTo: [.], workloadSelector: {matchLabels: {a: b}}}"],
  ["{host: a, exportTo: [b], workloadSelector: {matchLabels: {a: b}}}", /exportTo: must be only "/],
  ["{host: a, workloadSelector: {matchLabels: {a: 'b*'}}}", /matchLabels\.a: "b\*" has a wildc/],
]);

testWarnings(kind, [
  ["{host: a, workloadSelector: {}}", /workloadSelector: has no labels/],
  [
    "{host: a, trafficPolicy: {outlierDetection: {consecutiveErrors: 5}}}",
    /consecutiveErrors: is deprecated/,
  ],
  // Istiod keeps warnings of subsets to itself.
  [subset("{name: a, trafficPolicy: {outlierDetection: {consecutiveErrors: 5}}}")],
]);
