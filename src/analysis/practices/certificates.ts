/** Authorities and certificates: whose, how long, and who sees them end. */
import { parseGoDuration } from "../../api/go-duration.ts";
import {
  cannotTell,
  counted,
  type LiveFacts,
  met,
  notMet,
  type Practice,
  placed,
} from "../practice.ts";

const DAY_MS = 86_400_000;
const NOTICE_DAYS = 60;
const ONLY_LIVE = "no file says it: ask the mesh that runs, without any file";

export const customAuthority: Practice = {
  id: "custom-authority",
  practice: "Use custom CA certificates for production, not the self-signed CA",
  fix: "hauberk ca prepare --from FOLDER --wait, hauberk ca activate --wait; or hauberk up --cacerts FOLDER",
  judge({ live }) {
    const active = signing(live);
    if (active === undefined) return cannotTell(ONLY_LIVE);
    const said = `authority ${active.id} signs: ${active.origin}`;
    return active.origin === "custom" ? met(said) : notMet(said);
  },
};

export const authorityRotation: Practice = {
  id: "authority-rotation",
  practice: "Rotate CA certificates before they expire, with overlap period",
  fix: "hauberk ca prepare --wait, then activate, taint and revoke: docs/guides/certificates.md",
  judge({ live }) {
    const active = signing(live);
    if (live === undefined || active === undefined) return cannotTell(ONLY_LIVE);
    const days = Math.floor((Date.parse(active.chainNotAfter) - live.now.getTime()) / DAY_MS);
    const said = `authority ${active.id} ends in ${days} days, at ${active.chainNotAfter}`;
    const isPrepared = live.authorities.some(({ state }) => state === "prepared");
    if (days >= NOTICE_DAYS) return met(said);
    return isPrepared ? met(said, "its successor is prepared") : notMet(said, "none is prepared");
  },
};

export const shortLifetimes: Practice = {
  id: "short-lifetimes",
  practice: "Keep workload certificate TTL short (24 hours or less)",
  fix: "defaultConfig:\n  proxyMetadata: {SECRET_TTL: 24h}",
  judge({ mesh, live }) {
    const asked = [
      [
        "the mesh configuration",
        mesh.meshConfig.at("defaultConfig", "proxyMetadata", "SECRET_TTL").text,
      ],
      ...mesh
        .of("ProxyConfig")
        .map((one) => [placed(one), one.spec.at("environmentVariables", "SECRET_TTL").text]),
      ...mesh.pods.map(({ origin, annotations }) => [
        placed(origin),
        /SECRET_TTL:\s*"?([^\s",}]+)/.exec(annotations["proxy.istio.io/config"] ?? "")?.[1] ?? "",
      ]),
    ].filter(([, text]) => text !== "");
    const long = asked.filter(([, text = ""]) => lifetimeOf(text) > DAY_MS);
    if (long.length > 0) return notMet(...long.map(([who, text]) => `${who} asks for ${text}`));
    const now = live?.now.getTime() ?? 0;
    const lasting = (live?.certificates ?? []).filter(
      ({ ends }) => Date.parse(ends) - now > DAY_MS,
    );
    if (lasting.length > 0)
      return notMet(...lasting.map(({ pod, ends }) => `${pod}: its certificate ends at ${ends}`));
    if (live !== undefined)
      return met(`${counted(live.certificates.length, "certificate")} ending within 24 hours`);
    return met(
      asked.length === 0
        ? "nothing asks for more than the default of 24h"
        : "nothing asks for more than 24h",
    );
  },
};

export const watchedCertificates: Practice = {
  id: "watched-certificates",
  practice: "Monitor certificate expiration and rotation",
  fix: "hauberk ca status (exit code 1 on a warning), or hauberk up --metrics-port PORT and an alert on certificate expiry",
  judge({ live }) {
    if (live === undefined) return cannotTell(ONLY_LIVE);
    if (live.warnings.length > 0) return notMet(...live.warnings);
    return met(
      `no warning about ${counted(live.authorities.length, "authority", "authorities")} and ${counted(live.certificates.length, "certificate")}`,
    );
  },
};

function signing(live: LiveFacts | undefined): LiveFacts["authorities"][number] | undefined {
  return live?.authorities.find(({ state }) => state === "active");
}

/** What is no duration is refused where it is used; here it counts as long. */
function lifetimeOf(text: string): number {
  return parseGoDuration(text) ?? Number.POSITIVE_INFINITY;
}
