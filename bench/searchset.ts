// The answer that is passed on: a searchset of about 4.6 kB, as a FHIR server would write it for a search with a few matches.

export const UPSTREAM_BASE = 'http://127.0.0.1:8901/fhir'

export function searchset(): Buffer {
  const observation = (id: string) => ({
    resourceType: 'Observation',
    id,
    meta: { versionId: '1', lastUpdated: '2026-03-01T10:00:00.000Z' },
    status: 'final',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
    ],
    code: {
      coding: [{ system: 'http://loinc.org', code: '4548-4', display: 'Hemoglobin A1c/Hemoglobin.total in Blood' }],
    },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-01T09:30:00Z',
    valueQuantity: { value: 6.3, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
  })
  const bundle = {
    resourceType: 'Bundle',
    id: '6d1f6f0e-5f4f-4f9f-8f5a-0d6c6a2c1d3b',
    type: 'searchset',
    total: 7,
    link: [{ relation: 'self', url: `${UPSTREAM_BASE}/Observation?patient=p1` }],
    entry: Array.from({ length: 7 }, (_, i) => ({
      fullUrl: `${UPSTREAM_BASE}/Observation/obs-${i}`,
      resource: observation(`obs-${i}`),
      search: { mode: 'match' },
    })),
  }
  return Buffer.from(JSON.stringify(bundle))
}
