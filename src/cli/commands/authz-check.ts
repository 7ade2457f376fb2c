/** `hauberk authz check`: the policies of a workload as `istioctl x authz check` prints them, or one verdict for a script. */
import { formatRef } from "../../api/resource.ts";
import type { Decision, Judged } from "../../policy/decision.ts";
import { describeWorkload } from "../../policy/describe-workload.ts";
import { summarize } from "../../policy/explain.ts";
import { judge } from "../../policy/judge.ts";
import type { LedRequest } from "../../policy/led-request.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import { QuestionError } from "../../policy/question.ts";
import { ruleId } from "../../policy/rule-id.ts";
import { trialOutcome } from "../../policy/trial-outcome.ts";
import { printable } from "../../runtime/printable.ts";
import { alignColumns } from "../align-columns.ts";
import { findWorkload, workloadHint } from "../find-workload.ts";
import { routeOfCaller, routeOfGateway } from "../follow-route.ts";
import { formatIssue } from "../format-issue.ts";
import { jsonText } from "../json-text.ts";
import { loadAskedMesh } from "../load-mesh.ts";
import { parseQuestion, type QuestionText } from "../parse-question.ts";
import type { Printers } from "../print-line.ts";
import { answeredInWords, routeInWords, targetOf } from "../route-in-words.ts";
import { withClaims } from "../with-claims.ts";

export interface AuthzCheckOptions extends Partial<Omit<QuestionText, "to">> {
  /** Absent: the mesh that runs is asked. */
  readonly file?: readonly string[];
  readonly data?: string;
  readonly json?: boolean;
  /** What external authorizers are taken to answer; absent: nothing is known, and that is no permission. */
  readonly custom?: "allow" | "deny";
}

/** Exit codes: scripts rely on them. */
const ALLOWED = 0;
const CANNOT_TELL = 1;
const DENIED = 2;

/** @returns the exit code: 0 allowed or printed, 2 denied, 1 when the question or the YAML is faulty */
export async function authzCheckCommand(
  workload: string,
  options: AuthzCheckOptions,
  { print, warn }: Printers,
): Promise<number> {
  const { snapshot, issues } = await loadAskedMesh(options);
  const { code, lines, data } =
    issues.length > 0
      ? { code: CANNOT_TELL, lines: issues.map(formatIssue), data: { issues } }
      : await answer(snapshot, { workload, options });
  const tell = code === CANNOT_TELL ? warn : print;
  if (options.json) print(jsonText(data));
  else for (const line of lines) tell(printable(line));
  return code;
}

interface Answer {
  readonly code: number;
  readonly lines: readonly string[];
  readonly data: object;
}

interface Asked {
  readonly workload: string;
  readonly options: AuthzCheckOptions;
}

async function answer(snapshot: MeshSnapshot, asked: Asked): Promise<Answer> {
  try {
    if (asked.options.from === undefined) return listPolicies(snapshot, asked);
    return checkRequest(snapshot, { ...asked, options: await withClaims(asked.options) });
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    const { message } = error;
    return { code: CANNOT_TELL, lines: [`hauberk: ${message}`], data: { error: message } };
  }
}

/** CTL-29: one row a policy, its name as `policy.namespace`. */
function listPolicies(snapshot: MeshSnapshot, { workload: name, options }: Asked): Answer {
  for (const option of ["address", "request", "header", "host", "claims", "custom"] as const) {
    if (options[option] !== undefined)
      throw new QuestionError(`--${option} needs --from: who asks?`);
  }
  const workload = findWorkload(snapshot, name.replace(/:[^:/]*$/, ""));
  if (workload === undefined) {
    throw new QuestionError(`${name}: no such workload; ${workloadHint(snapshot, name)}`);
  }
  const { policies } = describeWorkload(snapshot, workload);
  const rows = policies.map(({ action, ref, rules, dryRun }) => [
    action,
    `${ref.name}.${ref.namespace}${dryRun ? " (dry run)" : ""}`,
    String(rules.length),
  ]);
  return {
    code: ALLOWED,
    lines: alignColumns([["ACTION", "AuthorizationPolicy", "RULES"], ...rows]),
    data: policies.map(({ action, ref, source, provider, dryRun, rules }) => ({
      action,
      policy: formatRef(ref),
      source,
      rules: rules.length,
      ...(provider === undefined ? {} : { provider }),
      ...(dryRun && { dryRun }),
    })),
  };
}

function checkRequest(snapshot: MeshSnapshot, { workload, options }: Asked): Answer {
  const { from = "outside", address, request, header, host, claims, custom } = options;
  const question = parseQuestion(snapshot, {
    from,
    to: workload,
    ...(address === undefined ? {} : { address }),
    ...(request === undefined ? {} : { request }),
    ...(header === undefined ? {} : { header }),
    ...(host === undefined ? {} : { host }),
    ...(claims === undefined ? {} : { claims }),
  });
  const led = routeOfCaller(snapshot, question);
  if (led !== undefined) return checkAlong(snapshot, led, custom);
  const judgement = judge(snapshot, question);
  const own = tellDecision(judgement.decision, custom);
  const further = routeOfGateway(snapshot, { question, judgement });
  if (further === undefined || own.code !== ALLOWED) return own;
  const { code, lines, data } = checkAlong(snapshot, further, custom);
  return { code, lines: [...own.lines, ...lines], data: { ...own.data, ...data } };
}

/** One line for each whom the route reaches, by its name. */
function checkAlong(
  snapshot: MeshSnapshot,
  led: LedRequest,
  custom: AuthzCheckOptions["custom"],
): Answer {
  const { outcome } = led;
  const { data: route, rows } = routeInWords(led);
  const told: (Answer & { readonly to: string })[] = [];
  if (outcome.is === "answered") {
    const lines = [`answered ${answeredInWords(outcome)}: no policy behind the route is asked`];
    told.push({
      to: led.by === "gateway" ? "the gateway" : "the caller's sidecar",
      code: DENIED,
      lines,
      data: {},
    });
  } else {
    for (const leg of outcome.to) {
      const { unasked } = leg;
      if (unasked !== undefined) {
        const code = unasked.status === undefined ? CANNOT_TELL : DENIED;
        const start = unasked.status === undefined ? "not known" : `answered ${unasked.status}`;
        told.push({ to: targetOf(leg), code, lines: [`${start}: ${unasked.why}`], data: unasked });
      }
      for (const question of leg.questions) {
        const { namespace, name } = question.to;
        const { decision } = judge(snapshot, question);
        told.push({ to: `${namespace}/${name}`, ...tellDecision(decision, custom) });
      }
    }
  }
  const codes = told.map(({ code }) => code);
  return {
    code: [CANNOT_TELL, DENIED].find((code) => codes.includes(code)) ?? ALLOWED,
    lines: [
      ...rows.map(([, text]) => `route: ${text}`),
      ...told.flatMap(({ to, lines }) => lines.map((line) => `${to}: ${line}`)),
    ],
    data: { route, callees: told.map(({ to, data }) => ({ to, ...data })) },
  };
}

function tellDecision(decision: Decision, custom: AuthzCheckOptions["custom"]): Answer {
  const { verdict, reason } = settle(decision, custom);
  const dryRun = decision.dryRun && settle(decision.dryRun, custom);
  const trial = trialOutcome({ verdict, reason, ...(dryRun && { dryRun }) });
  const lines = [
    `${WORDS[verdict]}: ${summarize(reason)}`,
    ...(decision.audited ? [`audited: AUDIT ${ruleId(decision.audited)}`] : []),
    ...(typeof trial === "string"
      ? []
      : [`on trial: ${WORDS[trial.verdict]}: ${summarize(trial.reason)}`]),
  ];
  return {
    code: verdict === "allow" ? ALLOWED : DENIED,
    lines,
    data: { verdict, reason, ...(dryRun && { dryRun }) },
  };
}

const WORDS: Readonly<Record<Judged["verdict"], string>> = {
  allow: "allowed",
  deny: "denied",
  delegate: "denied unless the external authorizer allows it",
};

/** What becomes of a delegated verdict once the authorizers have answered as the user says. */
function settle(judged: Judged, custom: AuthzCheckOptions["custom"]): Judged {
  const { reason } = judged;
  if (reason.because !== "matched-custom") return judged;
  if (custom === "allow") return reason.afterwards;
  return custom === "deny" ? { verdict: "deny", reason } : judged;
}
