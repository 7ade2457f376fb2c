/** Fifty cold starts, as `test/soak/cold-starts.ts` does a thousand: nothing gets in or out before a sidecar is ready. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startCommand } from "../../kit/namespaces-mesh.ts";

const COUNT = 50;
/** What the program says about a machine that does not allow it. */
const NOT_ALLOWED = 2;

test("no byte gets in or out before the sidecar is ready, in fifty starts", async (context) => {
  const program = ["--import", "tsx", "test/soak/cold-starts.ts", String(COUNT)];
  const command = startCommand([process.execPath, ...program], {
    cwd: process.cwd(),
    env: process.env,
  });
  context.after(() => command.child.kill("SIGTERM"));
  const { code } = await command.ended;
  const said = command.said();
  if (code === NOT_ALLOWED) return context.skip(said);
  assert.equal(code, 0, said);
  assert.match(said, /^50 starts, 0 faults$/m);
  assert.match(said, /^cold start p95: \d+ ms \(goal <= \d+ ms\) (holds|falls short)$/m);
  for (const line of said.trim().split("\n")) context.diagnostic(line);
});
