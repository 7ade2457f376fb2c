# The same rules as the other engines get, with the index that an expert would make by hand: data holds the rules by the
# caller's principal, the namespace prefix or account suffix of it, its namespace, or under "rest".
package mesh

default allow := false

allow if {
	not matched(data.deny)
	matched(data.allow)
}

matched(index) if {
	some rule in index.principal[input.principal]
	fits(rule)
}

matched(index) if {
	some rule in index.prefix[input.prefix]
	fits(rule)
}

matched(index) if {
	some rule in index.suffix[input.suffix]
	fits(rule)
}

matched(index) if {
	some rule in index.namespace[input.namespace]
	fits(rule)
}

matched(index) if {
	some rule in index.rest
	fits(rule)
}

fits(rule) if {
	one_of(rule, "methods", input.method)
	one_of(rule, "ports", input.port)
	one_of(rule, "hosts", input.host)
	one_of(rule, "paths", input.path)
	none_of(rule, "notPaths", input.path)
	none_of(rule, "notPrincipals", input.principal)
	headers(rule)
}

headers(rule) if not rule.header

headers(rule) if some_pattern(rule.header.values, input.headers[rule.header.name])

one_of(rule, field, _) if not rule[field]

one_of(rule, field, value) if some_pattern(rule[field], value)

none_of(rule, field, _) if not rule[field]

none_of(rule, field, value) if not some_pattern(rule[field], value)

some_pattern(patterns, value) if value in patterns.exact

some_pattern(patterns, value) if {
	some prefix in patterns.prefix
	startswith(value, prefix)
}

some_pattern(patterns, value) if {
	some suffix in patterns.suffix
	endswith(value, suffix)
}
