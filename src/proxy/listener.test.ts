/** Whoever comes with a crowd is let in with it: Node itself lets one in a turn. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { freePort } from "../../test/kit/free-port.ts";
import { silentLog } from "../runtime/log.ts";
import { Listener } from "./listener.ts";

const CALLERS = 60;

test("many callers are accepted in one turn of the event loop", async (t) => {
  const port = await freePort();
  let accepted = 0;
  const listener = new Listener(
    { address: "127.0.0.1", port },
    {
      serve: (socket) => {
        accepted++;
        socket.resume();
      },
      log: silentLog,
    },
  );
  await listener.open();
  t.after(() => listener.close(0));
  const callers = Array.from({ length: CALLERS }, () => connect({ host: "127.0.0.1", port }));
  t.after(() => {
    for (const caller of callers) caller.destroy();
  });
  let most = 0;
  for (let before = 0; before < CALLERS; before = accepted) {
    await turn();
    most = Math.max(most, accepted - before);
  }
  assert.ok(most >= 4, `at most ${most} of ${CALLERS} in one turn`);
});

test("a listener that was closed lets another one have its port", async () => {
  const port = await freePort();
  const open = async (): Promise<Listener> => {
    const listener = new Listener({ address: "127.0.0.1", port }, { serve() {}, log: silentLog });
    await listener.open();
    return listener;
  };
  await (await open()).close(0);
  await (await open()).close(0);
});
