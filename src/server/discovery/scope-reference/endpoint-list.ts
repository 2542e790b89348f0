// Endpoints as a list: method, path with its variables set apart, and what limits them; said once where it holds for all.

import type { FhirEndpoint } from '../../../domain/reference/interaction-endpoints.ts'
import { type Html, html, type Part } from './html.ts'

/** `with`: scopes that are needed besides. */
type Listed = FhirEndpoint & { readonly with?: readonly string[] }

export function endpointList(endpoints: readonly Listed[]): Html {
  const remarks = endpoints.map(remarkOf)
  const [first = ''] = remarks
  const common = endpoints.length > 1 && first !== '' && remarks.every((remark) => remark === first)
  return html`<ul class="endpoints" aria-label="Endpoints">${endpoints.map((endpoint, index) => line(endpoint, common ? '' : remarks[index]!))}</ul>
${common && html`<p class="remark">All of these ${first}.</p>`}`
}

function line({ method, path }: Listed, remark: string): Html {
  return html`<li><span class="method ${method.toLowerCase()}">${method}</span> <code>${path.split(/(\{[^}]*\})/).map(pathPiece)}</code>${remark !== '' && html` <span class="remark">${remark}</span>`}</li>`
}

function remarkOf({ limits, with: others = [] }: Listed): string {
  const patient = limits.includes('patient') ? ['only for the launch patient'] : []
  const filter = limits.includes('filter') ? ['only what the filter lets through'] : []
  const together = others.length > 0 ? [`only together with ${others.join(', ')}`] : []
  return [...patient, ...filter, ...together].join(', ')
}

function pathPiece(piece: string): Part {
  if (piece.startsWith('{')) return html`<var>${piece}</var>`
  return piece.split(/(?<=\/)/).map((part, index) => [index > 0 && html`<wbr>`, part])
}
