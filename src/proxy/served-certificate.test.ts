import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  startTestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { MutualTlsTerminator } from "./mutual-tls-terminator.ts";
import { ServedCertificateWatch } from "./served-certificate.ts";

const mesh = createThrowawayAuthority();
const { trust } = workloadView({ rootsPem: [mesh.rootPem] });
const MESSAGE = "the listener does not serve the newest certificate";

test("what the listener shows is asked of the listener itself", async () => {
  const [first, second] = [mesh.svid(idOf("api")), mesh.svid(idOf("api"))];
  const terminator = new MutualTlsTerminator({ svid: first, trust });
  assert.equal((await terminator.served())?.serialNumber, first.serialNumber);
  terminator.setCredentials({ svid: second, trust });
  assert.equal((await terminator.served())?.serialNumber, second.serialNumber);
});

test("pain 27: a listener that is behind for more than 5 s is an error, told once, and so is its return", async () => {
  const [old, newest] = [mesh.svid(idOf("api")), mesh.svid(idOf("api"))];
  const terminator = new MutualTlsTerminator({ svid: old, trust });
  const log = recordedLog();
  const verdicts: string[] = [];
  let wanted = old.serialNumber;
  const watch = new ServedCertificateWatch({
    served: () => terminator.served(),
    newest: () => wanted,
    onVerdict: (verdict) => verdicts.push(verdict),
    log,
  });
  await delay(1_500);
  wanted = newest.serialNumber;
  const begun = performance.now();
  const [told] = await eventually(
    "the alarm",
    () => log.find(MESSAGE).length > 0 && log.find(MESSAGE),
  );
  assert.ok(performance.now() - begun >= 5_000);
  assert.equal(told?.level, "error");
  assert.deepEqual(told?.fields, { served: old.serialNumber, newest: newest.serialNumber });
  await delay(1_500);
  terminator.setCredentials({ svid: newest, trust });
  await eventually("the end of it", () => log.find("the listener serves the newest")[0]);
  watch.close();
  assert.equal(log.find(MESSAGE).length, 1);
  assert.deepEqual(verdicts, ["behind", "current"]);
});

test("a sidecar whose new certificate cannot be used says so in its metrics", async () => {
  const ports = [inboundPort({ listen: await freePort(), application: 1 })];
  const view = workloadView({ rootsPem: [mesh.rootPem], ports });
  const { svid, adminPort, log, sidecar } = await startTestSidecar({
    view,
    svid: mesh.svid(idOf("api")),
  });
  const metric = async (): Promise<string | undefined> => {
    const answer = await fetch(`http://${LOOPBACK}:${adminPort}/stats/prometheus`);
    return /^hauberk_served_certificate_behind (\d)$/m.exec(await answer.text())?.[1];
  };
  assert.equal(await metric(), "0");
  svid.set({ ...mesh.svid(idOf("api")), certificateChainPem: "not a certificate" });
  await eventually("the metric", async () => (await metric()) === "1");
  assert.equal(log.find(MESSAGE).length, 1);
  svid.set(mesh.svid(idOf("api")));
  await eventually("the metric", async () => (await metric()) === "0");
  await sidecar.close();
});
