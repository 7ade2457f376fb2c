import { testWarnings } from "../../../test/kit/webhook-answer.ts";

const TO_B = "route: [{destination: {host: b}}]";
const http = (...matches: readonly string[]): string =>
  `{hosts: [a], http: [${matches.map((match) => `{${match === "" ? "" : `match: [${match}], `}${TO_B}}`)}]}`;
const tcp = (...matches: readonly string[]): string => http(...matches).replace("http:", "tcp:");
const prefix = (text: string, more = ""): string => `{uri: {prefix: ${text}}${more}}`;
const covered =
  /http\[1\]\.match\[0\]\.uri\.prefix: is never reached: spec\.http\[0\]\.match\[0\] m/;

testWarnings({ kind: "VirtualService" }, [
  [http(prefix("/a"), "")],
  [http("", ""), /^spec\.http\[1\]: is never reached: spec\.http\[0\] before it has no match/],
  [http("", prefix("/a")), /^spec\.http\[1\]: is never reached/],
  [
    http(prefix("/a"), `${prefix("/b")}, ${prefix("/a")}`),
    /^spec\.http\[1\]\.match\[1\]: is never reached: spec\.http\[0\]\.match\[0\] matches the same$/,
  ],
  [
    http(prefix("/a", ", name: one"), `{name: two, uri: {prefix: /a}, gateways: []}`),
    /match\[0\]: is never reached/,
    /http\[1\]: is never reached: all of its matches/,
  ],
  [http(prefix("/a"), prefix("/a/b")), covered],
  [http(prefix("/a/b"), prefix("/a"))],
  [http(prefix("/a"), prefix("/a/b", ", port: 80"))],
  [http(prefix("/a", ", method: {exact: POST}"), prefix("/a/b"))],
  [http(prefix("/a", ", method: {exact: GET}"), prefix("/a/b")), covered],
  [http(prefix("/a", ", headers: {x: {exact: v}}"), prefix("/a/b"))],
  [
    http(
      prefix("/a", ", headers: {x: {prefix: vw}}"),
      prefix("/a/b", ", headers: {x: {prefix: v}}"),
    ),
    covered,
  ],
  [http(prefix("/a"), "{uri: {exact: /a/b}}")],
  [
    tcp("{port: 1}", "{port: 1}"),
    /tcp\[1\]\.match\[0\]: is never/,
    /tcp\[1\]: is never reached: al/,
  ],
  [tcp("{port: 1}", "{port: 2}", "")],
]);
