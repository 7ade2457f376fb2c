/** What only our analyzers say: code, name, level and words, one message a line. */
export const OWN_MESSAGES: string = `
HBK0001 HttpFieldOnTcpPort Warning Rule %s names %s, which %s of %s (TCP) cannot have: %s (AP-61, AP-62). Give the rule the ports it is meant for, or the port a name that says HTTP.
HBK0002 OnlyNegations Warning Rule %s allows by %s alone, which callers without any identity or token satisfy too (AP-57). Add what the caller must be.
HBK0003 PrincipalNeverMatches Warning Principal %q can match nobody: %s (AP-45). Write TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT.
HBK0004 AllowNeverReached Warning Nothing that this policy allows gets through: %s denies all requests to the same workloads (AP-1).
HBK0005 NoDenyAll Info Namespace %s has workloads with sidecars and no deny-all baseline: workloads that no ALLOW policy selects are open to everybody (AP-7). Add an AuthorizationPolicy with spec {}.
HBK0006 DenyBypassedByPlaintext Warning Rule %s denies by the caller's identity, and mutual TLS is not STRICT for %s: over plain text the caller has none, and the rule does not hold. Set STRICT.
HBK0007 TokenNotRequired Warning This RequestAuthentication refuses bad tokens and lets requests without any through: no AuthorizationPolicy for the same workloads asks for requestPrincipals (JWT-1). Add one.
HBK0008 AllowsEverybody Warning Rule %s is empty, so this policy allows every request, and no deny-all baseline has an effect (AP-22).
HBK0009 HostWithoutPort Info Host %q does not match %q, which clients send where the port is not the protocol's own (AP-52). Add %q.
HBK0010 MethodNeverMatches Warning Method %q never matches: methods are case-sensitive (AP-53). Write %q.
HBK0011 RootSelectorIgnored Warning A PeerAuthentication with a selector in the root namespace %s is ignored (PA-4). Put it into the namespace of the workloads.
HBK0012 PathNeverMatches Warning Path %q never matches: %s (AP-54).
HBK0013 RulesSplit Warning %s and %s look like one that a dash has split: a request that satisfies either matches (AP-30). If both must hold, %s.
HBK0014 DefaultServiceAccount Info %s runs as the service account "default", which it shares with all in its namespace that name none: policies cannot tell them apart. Set serviceAccountName.
HBK0015 SourceAddressRule Info Rule %s tells callers by %s alone: addresses change and can be shared, identities do not. Add principals.
HBK0016 PolicyWithoutSidecar Warning This policy selects %s, which has no sidecar: nothing enforces it there.
HBK0018 DryRunForgotten Info This policy is in dry-run mode (istio.io/dry-run): it is logged, and not enforced (AP-110).
HBK0019 RuleCovered Info Rule %s allows nothing that rule %s of %s does not allow already, for the same workloads: it can go, or the other one is wider than was meant.
HBK0020 RuleDenied Info Rule %s lets nobody in: rule %s of %s denies all that it allows, for the same workloads (AP-1).
HBK0021 HeaderAlone Info Rule %s goes by %s alone, which every caller can write: it tells nothing of who calls. Say in from whom it is for.
HBK0100 MeshNotice Warning %s
HBK0101 DocumentNotice Info %s
HBK0200 RegoRefused Error %s
HBK0201 RegoCondition Warning %s
`;
