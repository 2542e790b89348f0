// Contradictions inside FHIR routes, and combinations that are allowed but worth a warning.

import type { Path, Report } from '../source/problem.ts'
import { type Draft, type FhirRouteDraft, isPlainRoute, placed, placedByName, placedOneOrMany } from './draft.ts'
import { hasPatients } from './patient-types.ts'
import { checkTypes } from './resource-types.ts'

export function checkFhirRoutes(map: Draft, report: Report, warn: Report): void {
  for (const [route, path] of placed(map.routes, ['routes'])) {
    if (isPlainRoute(route)) continue
    checkTypes(route, path, report)
    checkSharedTypes(route, path, report)
    checkOperations(route, path, report)
    warnOfDelegation(route, path, warn)
    warnOfSmart(map, route, path, warn)
    warnOfClosed(route, path, warn)
    warnOfAudience(map, route, path, warn)
    if (route.path?.startsWith('/.well-known'))
      report([...path, 'path'], 'paths below /.well-known belong to the gateway')
  }
}

function checkSharedTypes({ patientScopes }: FhirRouteDraft, path: Path, report: Report): void {
  for (const [type, at] of placed(patientScopes?.sharedTypes, [...path, 'patientScopes', 'sharedTypes'])) {
    if (hasPatients(type)) report(at, `${type} cannot be shared: its resources are about patients, or may hold what is`)
  }
}

function checkOperations({ operations }: FhirRouteDraft, path: Path, report: Report): void {
  for (const [shape, operation, at] of placedByName(operations, [...path, 'operations'])) {
    if ('bulk' in operation && operation.bulk === false)
      report([...at, 'bulk'], 'only `bulk: true` means something; remove the operation to refuse it')
    if ('bulk' in operation && operation.bulk && !shape.endsWith('$export'))
      report([...at, 'bulk'], '`bulk: true` is for $export only')
    if ('requires' in operation && shape.endsWith('$export'))
      report([...at, 'requires'], '$export derives what it needs: write { bulk: true }')
    const requires = 'requires' in operation ? operation.requires : undefined
    if (typeof requires === 'string' && requires.startsWith('{type}') && !shape.includes('{type}')) {
      report([...at, 'requires'], `{type} stands for the type in the URL, and "${shape}" has no {type}`)
    }
  }
}

function warnOfDelegation(route: FhirRouteDraft, path: Path, warn: Report): void {
  if (!route.smart || (route.userScopes ?? 'delegate') !== 'delegate' || route.authorization === 'passthrough') return
  const headers = route.identityHeaders ?? true
  const told = headers === true || (typeof headers === 'object' && (headers.user ?? headers.subject) !== undefined)
  if (!told)
    warn(
      path,
      'userScopes: delegate, but the upstream gets neither identity headers nor the token: it cannot tell users apart',
      'key',
    )
}

function warnOfSmart(map: Draft, { smart, issuers }: FhirRouteDraft, path: Path, warn: Report): void {
  if (!smart) return
  if (map.issuers === undefined || map.issuers.length === 0) {
    warn([...path, 'smart'], 'SMART scopes come in tokens, but no issuer is defined: none can count', 'key')
  }
  if ((issuers?.length ?? 0) > 1 && (smart === true || smart.issuer === undefined)) {
    warn(
      [...path, 'smart'],
      `several issuers: smart-configuration describes "${issuers?.[0]}"; say another by smart.issuer`,
      'key',
    )
  }
}

/** Closed is safe, but hardly what was meant. */
function warnOfClosed({ smart, grants, operations }: FhirRouteDraft, path: Path, warn: Report): void {
  if (smart || grants !== undefined) return
  for (const [, operation] of placedByName(operations, [])) {
    if ('requires' in operation && typeof operation.requires === 'object') return
  }
  warn(
    path,
    'no scope opens this route: write smart: true so that SMART scopes count, or say by grants what product scopes are worth',
    'key',
  )
}

function warnOfAudience(
  map: Draft,
  { audience, issuers, path: base, smart }: FhirRouteDraft,
  path: Path,
  warn: Report,
): void {
  const accepted = [...placed(map.issuers, [])]
    .filter(([issuer]) => issuers === undefined || issuers.includes(issuer.name ?? issuer.issuer))
    .flatMap(([issuer]) => [...placedOneOrMany(issuer.audience, [])].map(([one]) => one))
  if (accepted.length === 0) return
  for (const [one, at] of placedOneOrMany(audience, [...path, 'audience'])) {
    if (!accepted.includes(one))
      warn(at, `no issuer of this route lists the audience "${one}": its tokens must carry one of each`)
  }
  const { publicUrl } = map.server ?? {}
  if (audience !== undefined || !smart || publicUrl === undefined || base === undefined) return
  const usual = [publicUrl, base].map((part) => part.replace(/\/+$/, '')).join('')
  if (!accepted.includes(usual))
    warn(
      path,
      `no issuer of this route lists the audience "${usual}" (publicUrl + path), which its tokens must carry: add it there, or name another by "audience"`,
      'key',
    )
}
