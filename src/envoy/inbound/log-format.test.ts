import assert from "node:assert/strict";
import { test } from "node:test";
import { ISTIO_JSON, ISTIO_TEXT } from "../../api/istio-log-formats.ts";
import { readable, substitutionFormat } from "./log-format.ts";

/** What Envoy 1.40 takes and what it refuses a listener for was found out by asking it. */
const TEMPLATES: readonly [string, string, why: string][] = [
  ["%REQ(:METHOD)% %PROTOCOL%", "%REQ(:METHOD)% %PROTOCOL%", "known operators stay"],
  ["%REQ(X-A?:PATH):20%", "%REQ(X-A?:PATH):20%", "of headers a length may be given"],
  ["%REQ()%", "-", "a header has to be named"],
  ["%REQ(a b)%", "-", "and to be one"],
  ["%REQ(a?b?c)%", "-", "two at most"],
  ["%PROTOCOL(x)% %DURATION:3%", "%PROTOCOL% %DURATION%", "nothing else takes an argument"],
  ["%START_TIME(%s)%", "%START_TIME(%s)%", "but for the time"],
  ["%DYNAMIC_METADATA(a:b)% %NOPE%", "- -", "what our sidecars cannot tell"],
  ["100%% of 5% is\nmuch", "100%% of 5%% is much", "a sign that begins no operator"],
  ["a line\n", "a line", "one line end is the line's own"],
];

for (const [template, expected, why] of TEMPLATES) {
  test(`OBS-1: ${JSON.stringify(template)}: ${why}`, () => {
    assert.equal(readable(template), expected);
  });
}

test("OBS-1, OBS-2: Istio's own formats come through as they are", () => {
  assert.deepEqual(substitutionFormat({ encoding: "TEXT" }), {
    textFormatSource: { inlineString: `${ISTIO_TEXT}\n` },
  });
  assert.deepEqual(substitutionFormat({ encoding: "JSON" }), { jsonFormat: ISTIO_JSON });
});

test("texts within a JSON format are templates, and what is absent may be left out", () => {
  const template = JSON.stringify({ who: "%NOPE%", list: ["%PROTOCOL%", 7], deep: { a: "50%" } });
  assert.deepEqual(substitutionFormat({ encoding: "JSON", template, omitEmpty: true }), {
    jsonFormat: { who: "-", list: ["%PROTOCOL%", 7], deep: { a: "50%%" } },
    omitEmptyValues: true,
  });
});

test("the path without its query is told by a formatter of its own", () => {
  const { formatters } = substitutionFormat({
    encoding: "TEXT",
    template: "%REQ_WITHOUT_QUERY(:PATH)%",
  });
  assert.match(JSON.stringify(formatters), /req_without_query/);
});
