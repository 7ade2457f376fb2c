import assert from "node:assert/strict";
import { test } from "node:test";
import { STANDARD_LOCATIONS, type TokenLocations } from "../api/request-authentication.ts";
import { firstParam } from "./query-params.ts";
import { findTokens } from "./token-places.ts";

type Fields = Readonly<Record<string, string | readonly string[]>>;

function found(places: Partial<TokenLocations>, fields: Fields, path = "/"): readonly string[] {
  const bearer = {
    param: (name: string) => firstParam(path, name),
    values: (name: string): readonly string[] => [fields[name] ?? []].flat(),
  };
  const all = { headers: [], params: [], cookies: [], ...places };
  return findTokens(all, bearer).map(({ text }) => text);
}

const standard: [rule: string, fields: Fields, path: string, tokens: readonly string[]][] = [
  ["JWT-11 a bearer token", { authorization: "Bearer a.b-c_d" }, "/", ["a.b-c_d"]],
  ["JWT-11 a parameter", {}, "/x?access_token=a.b", ["a.b"]],
  ["JWT-12 the header first", { authorization: "Bearer h" }, "/x?access_token=p", ["h", "p"]],
  [
    "JWT-12 the first of two parameters, decoded",
    {},
    "/?access_token=a%2Eb&access_token=c",
    ["a.b"],
  ],
  [
    "JWT-12 each value of a repeated header",
    { authorization: ["Bearer a", "Bearer b"] },
    "/",
    ["a", "b"],
  ],
  ["JWT-13 lower case", { authorization: "bearer a" }, "/", []],
  ["JWT-13 another scheme", { authorization: "Basic a" }, "/", []],
  ["JWT-13 in the middle", { authorization: "x Bearer a" }, "/", ["a"]],
  [
    "JWT-14 what cannot be of a token is skipped",
    { authorization: "Bearer   <a.b>, c" },
    "/",
    ["a.b"],
  ],
  ["JWT-14 nothing that could be of a token", { authorization: "Bearer ???" }, "/", ["???"]],
  ["no query", {}, "/access_token=a", []],
];
for (const [rule, fields, path, tokens] of standard) {
  test(rule, () => assert.deepEqual(found(STANDARD_LOCATIONS, fields, path), tokens));
}

test("JWT-12: headers by name and prefix, then parameters, then cookies", () => {
  const places = {
    headers: [
      { name: "X-B", prefix: "" },
      { name: "x-a", prefix: "T " },
    ],
    params: ["q"],
    cookies: ["session", "other"],
  };
  const fields = {
    "x-b": "tb",
    "x-a": "T ta",
    cookie: ['other="to"; session=ts', "session=again"],
  };
  assert.deepEqual(found(places, fields, "/?q=tq"), ["tb", "ta", "tq", "ts", "to"]);
});

const cookieRows: [cookies: readonly string[], token: string | undefined][] = [
  [["t=a"], "a"],
  [["x=1; t=a; t=b"], "a"],
  [["x=1;t=a ;y=2"], "a"],
  [["x=t=a; t=b"], "b"],
  [["xt=a; t =b;\t t=c"], "c"],
  [["t=;t=a"], ""],
  [['t="a b"; x=1'], "a b"],
  [["x=1", "t=a=b"], "a=b"],
  [["t", ";;; ;"], undefined],
];
for (const [cookies, token] of cookieRows) {
  test(`JWT-12: the cookie t of ${JSON.stringify(cookies)}`, () => {
    const tokens = found({ cookies: ["t"] }, { cookie: cookies });
    assert.deepEqual(tokens, token === undefined ? [] : [token]);
  });
}

test("the cookies of a request are read once, however many rules ask", () => {
  let reads = 0;
  const bearer = {
    param: () => undefined,
    values() {
      reads++;
      return ["t=a; u=b"];
    },
  };
  for (let rule = 0; rule < 10; rule++)
    assert.equal(findTokens({ headers: [], params: [], cookies: ["t", "u"] }, bearer).length, 2);
  assert.equal(reads, 2);
});
