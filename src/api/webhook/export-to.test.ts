import { testRefusals } from "../../../test/kit/webhook-answer.ts";

const kind = { kind: "ServiceEntry" };
const entry = (namespaces: string): string =>
  `{hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS, exportTo: ${namespaces}}`;

testRefusals(kind, [
  [entry("['~']")],
  [entry("['*']")],
  [entry("[., other]")],
  [entry("['~', other]"), /exportTo: has "~" and namespaces: "~" stands alone$/],
  [entry("['~', '~']"), /exportTo\[1\]: "~" is given twice$/, /exportTo: has "~" and namespaces/],
  [entry("[a_b]"), /exportTo\[0\]: "a_b" is neither a namespace nor "\." or "\*"$/],
]);
