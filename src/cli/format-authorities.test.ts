import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { authorityStatus, sidecarState } from "../../test/kit/sidecar-states.ts";
import { authorityOverview } from "../control/authority-overview.ts";
import { rootFacts } from "../control/root-facts.ts";
import type { SidecarState } from "../control/sidecar-state.ts";
import { formatAuthorities } from "./format-authorities.ts";

const NOW = new Date("2026-01-31T12:20:00Z");
const root = buildCertificate({
  subject: { organization: "East", commonName: "A Root" },
  notAfter: new Date("2035-01-31T12:20:00Z"),
});
const unknown: SidecarState = { pod: "shop/late-0", connection: "absent" };

test("a rotation under way: who signed what, what comes next, and whom it waits for", () => {
  const overview = authorityOverview(
    {
      authorities: [
        authorityStatus("0123456789abcdef", "active"),
        authorityStatus("fedcba9876543210", "tainted", {
          weaknesses: ["it has no key usage"],
          since: new Date("2026-01-31T12:15:00Z"),
        }),
      ],
      sidecars: [
        sidecarState("shop/api-0", { signer: "0123456789abcdef" }),
        sidecarState("shop/web-0", { signer: "fedcba9876543210", trust: "older" }),
        unknown,
      ],
      trust: "newest",
      history: [],
      rootsPem: [root.pem],
      custom: { directory: "/ca", doing: "in force; sidecars renew" },
    },
    NOW,
  );
  assert.deepEqual(formatAuthorities(overview, NOW), [
    "AUTHORITY         STATE    ORIGIN       SUBJECT              KEY          ENDS IN",
    "0123456789abcdef  active   self-signed  CN=0123456789abcdef  ECDSA P-256  3284 d",
    "fedcba9876543210  tainted  self-signed  CN=fedcba9876543210  ECDSA P-256  3284 d",
    "",
    "TRUSTED ROOT      SUBJECT            ENDS IN",
    `${rootFacts(root.pem).id}  O=East, CN=A Root  3287 d`,
    "",
    "SIDECAR      CONNECTION  ISSUER            CERTIFICATE ENDS IN  ROOTS",
    "shop/api-0   connected   0123456789abcdef  40 min               acknowledged",
    "shop/web-0   connected   fedcba9876543210  40 min               not acknowledged",
    "shop/late-0  absent      -                 -                    not acknowledged",
    "",
    "custom authority of /ca: in force; sidecars renew",
    "note: authority fedcba9876543210: it has no key usage",
    "nothing is wrong; a rotation is under way",
    "next: `hauberk ca revoke` waits for 2 sidecars: nobody trusts the former authority from then on",
    "  shop/web-0 has not acknowledged the newest roots; still presents a certificate of fedcba9876543210, until 2026-01-31T13:00:00.000Z",
    "  shop/late-0 has not connected",
  ]);
});

test("what worries takes the place of all is well", () => {
  const overview = authorityOverview(
    {
      authorities: [authorityStatus("a", "active", { chainNotAfter: NOW })],
      sidecars: [sidecarState("shop/api-0", { signer: "another" })],
      trust: "newest",
      history: [],
      rootsPem: [],
      custom: { directory: "/ca", doing: "in force", refused: "ca-key.pem is missing" },
    },
    new Date("2026-01-31T12:50:00Z"),
  );
  const lines = formatAuthorities(overview, NOW);
  assert.ok(lines.some((line) => line.startsWith("shop/api-0") && line.includes("key of another")));
  assert.deepEqual(lines.slice(-4), [
    "the active authority a has ended at 2026-01-31T12:20:00.000Z",
    "shop/api-0: more than 75 % of its certificate's life has passed without renewal; it ends at 2026-01-31T13:00:00.000Z",
    "what /ca holds now is refused: ca-key.pem is missing",
    "next: no rotation is under way",
  ]);
});

const quiet = {
  authorities: [authorityStatus("a", "active")],
  sidecars: [],
  trust: "newest",
  history: [],
  rootsPem: [],
};
test("what stands still until somebody does something is trouble; without it, and without a rotation, all is well", () => {
  assert.ok(formatAuthorities(authorityOverview(quiet, NOW), NOW).includes("all is well"));
  const custom = {
    directory: "/ca",
    doing: "rolled back by hand",
    standstill: "rolled back by hand",
  };
  const overview = authorityOverview({ ...quiet, custom, renewalStandstill: "no disk" }, NOW);
  assert.deepEqual(overview.warnings, [
    "what /ca holds is not taken: rolled back by hand",
    "the self-signed root is not renewed: no disk",
  ]);
  assert.ok(!formatAuthorities(overview, NOW).includes("all is well"));
});

test("where the folder's authority comes by itself nobody is told to take a step", () => {
  const authorities = [authorityStatus("a", "active"), authorityStatus("b", "tainted")];
  const going = {
    directory: "/ca",
    doing: "in force; sidecars renew",
    goesOn: "by itself",
  } as const;
  const nextOf = (custom: Omit<typeof going, "goesOn">): string =>
    authorityOverview({ ...quiet, authorities, custom }, NOW).next.text;
  assert.equal(nextOf(going), "the mesh goes on by itself to what /ca holds");
  const { goesOn: _, ...standing } = going;
  assert.match(nextOf(standing), /^`hauberk ca revoke` can be taken now/);
});
