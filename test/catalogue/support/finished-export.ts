// A bulk export that a backend service started and that is done: where its status and its file of Patients are.

import { vi } from 'vitest'
import type { CatalogueDemo } from './catalogue-demo.ts'
import type { Endpoint } from './endpoint.ts'

export interface FinishedExport {
  readonly status: string
  readonly file: string
}

export async function finishExport(
  demo: CatalogueDemo,
  exported: NonNullable<Endpoint['exported']>,
): Promise<FinishedExport> {
  const headers = { authorization: `Bearer ${await demo.token({ scope: 'system/*.read' })}`, prefer: 'respond-async' }
  const target = exported === 'Patient' ? '/fhir/R4/$export?_type=Patient' : '/fhir/R4/$export'
  const started = await demo.gateway.ask(`GET ${target}`, { headers })
  const status = pathOf(started.headers['content-location']!)
  const { output } = await vi.waitFor(
    async () => {
      const answer = await demo.gateway.ask(`GET ${status}`, { headers })
      if (answer.status !== 200) throw new Error(`the export is not done: ${answer.status}`)
      return answer.json
    },
    { timeout: 20_000, interval: 100 },
  )
  return { status, file: pathOf(output.find(({ type }: { type: string }) => type === 'Patient').url) }
}

function pathOf(url: string): string {
  return new URL(url).pathname
}
