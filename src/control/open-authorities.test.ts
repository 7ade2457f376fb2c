import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { PluggedAuthorityError } from "../ca/plugged-authority.ts";
import { systemClock } from "../runtime/clock.ts";
import { openAuthorities } from "./open-authorities.ts";

let dataDirectory: string;
before(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(dataDirectory, { recursive: true }));

test("CA-44: a bad custom authority keeps a first start from happening, and no later one", async () => {
  const log = recordedLog();
  const common = { dataDirectory, trustDomain: "cluster.local", clock: systemClock, log };
  const options = { ...common, selfSignedLifetimeMs: 86_400_000 };
  const cacerts = join(dataDirectory, "nothing");
  await assert.rejects(openAuthorities({ ...options, cacerts }), PluggedAuthorityError);
  const first = await openAuthorities(options);
  const again = await openAuthorities({ ...options, cacerts });
  assert.equal(again.ring.status()[0]?.id, first.ring.status()[0]?.id);
  assert.equal(again.custom, undefined);
  const [refused] = log.find("the custom authority is refused; those that are held stay");
  assert.match(String(refused?.fields["problem"]), /there is no such folder/);
});

test("what was done about a wrong clock at the start is told to whoever runs the mesh", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(directory, { recursive: true }));
  const log = recordedLog();
  const lines: string[] = [];
  const common = { dataDirectory: directory, trustDomain: "cluster.local", log };
  const options = {
    ...common,
    selfSignedLifetimeMs: 86_400_000,
    announce: (line: string): void => void lines.push(line),
  };
  await openAuthorities({ ...options, clock: systemClock });
  assert.deepEqual(lines, []);
  await openAuthorities({ ...options, clock: { now: () => new Date("2060-01-01T00:00:00Z") } });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /can sign no more: .*has taken its place; its key is kept/);
});
