// An OperationOutcome that may be shown whatever the scopes are: it tells of the request, not of anybody. One that carries other
// resources is none of these, because nobody has looked at them.

export function isPlainOutcome(resource: unknown): boolean {
  return (
    typeof resource === 'object' &&
    resource !== null &&
    (resource as { resourceType?: unknown }).resourceType === 'OperationOutcome' &&
    !('contained' in resource)
  )
}
