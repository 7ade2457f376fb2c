import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { linkIstioctl } from "./istioctl-link.ts";

test("istioctl of the data directory starts this program with its mesh, whatever is in its path", async (context) => {
  const data = join(await mkdtemp(join(tmpdir(), "hauberk-")), "it's data; $(false)");
  context.after(() => rm(join(data, ".."), { recursive: true }));
  const program =
    "console.log(JSON.stringify([process.env.HAUBERK_DATA, ...process.argv.slice(1)]))";
  const folder = await linkIstioctl(data, [process.execPath, "-e", program, "--"]);
  const { HAUBERK_DATA: _, ...env } = process.env;
  const text = execFileSync(join(folder, "istioctl"), ["ps", "a b"], { encoding: "utf8", env });
  assert.deepEqual(JSON.parse(text), [data, "ps", "a b"]);
});
