import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { ControlPlaneSvid } from "./control-plane-svid.ts";

const first = createThrowawayAuthority();
const second = createThrowawayAuthority();

test("it is istiod's in the trust domain, of whichever authority signs now, and another at half of its life", async (context) => {
  let now = new Date();
  const issuer = new WatchedValue<CertificateAuthority>(first.authority);
  const log = recordedLog();
  const own = new ControlPlaneSvid({
    issuer,
    trustDomain: "cluster.local",
    clock: { now: () => now },
    log,
  });
  context.after(() => own.close());
  const leaf = (): X509Certificate => new X509Certificate(own.svid.current.certificateChainPem);
  const seen: string[] = [];
  own.svid.onChange(({ serialNumber }) => seen.push(serialNumber));
  assert.equal(spiffeIdOfCertificate(leaf()), own.svid.current.id);
  assert.equal(own.svid.current.id, "spiffe://cluster.local/ns/istio-system/sa/istiod");
  const { publicKey } = leaf();
  issuer.set(second.authority);
  assert.ok(leaf().verify(second.authority.certificate.publicKey));
  assert.ok(!leaf().publicKey.equals(publicKey), "for another key");
  assert.deepEqual(seen, [own.svid.current.serialNumber]);
  now = new Date(now.getTime() + 12 * 3_600_000 - 60_000);
  await eventually("half of its life", () => {
    now = new Date(now.getTime() + 60_000);
    return seen.length === 2;
  });
  assert.equal(log.find("the control plane's own identity was renewed").length, 2);
});
