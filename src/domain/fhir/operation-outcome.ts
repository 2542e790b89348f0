// An OperationOutcome that may be shown whatever the scopes are: it tells of the request, not of anybody. One that carries other
// resources is none of these, because nobody has looked at them. What a server says in its own words may repeat what it stores: to
// whoever may write and not read only the kind of each issue is told.

export function isPlainOutcome(resource: unknown): boolean {
  return (
    typeof resource === 'object' &&
    resource !== null &&
    (resource as { resourceType?: unknown }).resourceType === 'OperationOutcome' &&
    !('contained' in resource)
  )
}

const SEVERITIES: ReadonlySet<unknown> = new Set(['fatal', 'error', 'warning', 'information', 'success'])
const MOST_ISSUES = 50

/** `places`: of elements in what the client itself sent, which tell it nothing new. */
export function withoutWords(outcome: unknown, { places }: { readonly places: boolean }): object {
  const { issue } = outcome as { issue?: unknown }
  const issues = (Array.isArray(issue) ? issue : []).slice(0, MOST_ISSUES).map((given: unknown) => {
    const { severity, code, expression } = (given ?? {}) as Readonly<Record<string, unknown>>
    const named = places && Array.isArray(expression) ? expression.filter(isPlace) : []
    return {
      severity: SEVERITIES.has(severity) ? severity : 'error',
      code:
        typeof code === 'string' && /^[a-z]+(?:-[a-z]+){0,3}$/.test(code) && code.length <= 24 ? code : 'processing',
      ...(named.length === 0 ? {} : { expression: named }),
    }
  })
  return {
    resourceType: 'OperationOutcome',
    issue: issues.length === 0 ? [{ severity: 'error', code: 'processing' }] : issues,
  }
}

/** Names of elements and indexes; no value. */
function isPlace(expression: unknown): boolean {
  return (
    typeof expression === 'string' &&
    /^[A-Z][A-Za-z]{0,63}(?:\.[a-z][A-Za-z0-9]{0,63}(?:\[[0-9]{1,6}\])?){0,16}$/.test(expression)
  )
}
