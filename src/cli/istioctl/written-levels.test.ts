import assert from "node:assert/strict";
import { test } from "node:test";
import { levelsProblem, toldLevels } from "./written-levels.ts";

const RBAC = "POST /logging?scopes=rbac%3Adebug";

const asked: readonly [text: string | undefined, questions: readonly string[]][] = [
  [undefined, ["GET /logging"]],
  ["debug", ["GET /logging", "POST /logging?level=debug"]],
  ["warning", ["GET /logging", "POST /logging?level=warn"]],
  ["rbac:debug", [RBAC]],
  ["info,rbac:debug", [RBAC, "POST /logging?level=info"]],
  ["rbac:debug,http:info", ["POST /logging?scopes=rbac%3Adebug%2Chttp%3Ainfo"]],
];
for (const [text, questions] of asked) {
  test(`--level ${text} asks ${questions.join(", ")}`, async () => {
    assert.equal(text === undefined ? undefined : levelsProblem(text), undefined);
    const put: string[] = [];
    const lines = await toldLevels(text, ({ method = "GET", path }) => {
      put.push(`${method} ${path}`);
      const scopes = path.includes("scopes") ? { scopes: { rbac: "always" } } : {};
      return Promise.resolve({ level: "info", ...scopes });
    });
    assert.deepEqual(put, questions);
    const ofScopes = text?.includes("rbac") === true ? ["rbac: always"] : [];
    assert.deepEqual(lines, ["level: info", ...ofScopes]);
  });
}

for (const [text, problem] of [
  ["loud", /"loud" is no level; expected one of debug, info, warn, error, or SCOPE:LEVEL/],
  ["", /"" is no level/],
  ["rbac:loud", /"rbac:loud": expected SCOPE:LEVEL/],
  ["rbac:debug,loud", /"loud" is no level/],
] as const)
  test(`--level ${JSON.stringify(text)} is refused`, () => {
    assert.match(levelsProblem(text) ?? "", problem);
  });
