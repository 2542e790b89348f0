// What may be asked about a type, with what each question needs, for a store that answers everything with all that it has.

import fc from 'fast-check'
import type { AskOptions } from '../in-process-gateway.ts'
import { provenanceScene, type Scene, scene, someType } from './arbitraries.ts'
import type { Loose } from './elements.ts'

/** A resource and its raw text, so that bytes can be compared. */
export interface Raw {
  readonly resource: Loose
  readonly text: string
}

export interface Question {
  readonly line: string
  readonly form?: Pick<AskOptions, 'body' | 'headers'>
  /** What the answer is made of by this letter; of other types by `letters`. */
  readonly type: string
  readonly letter: 'r' | 's'
  readonly letters: (type: string) => string
  readonly id?: string
  readonly kind: 'searchset' | 'history'
  /** Types that have to be open besides. */
  readonly besides: readonly { readonly type: string; readonly letters: string }[]
}

const searched = (type: string): Question => ({
  line: `GET /fhir/R4/${type}`,
  type,
  letter: 's',
  letters: () => 's',
  kind: 'searchset',
  besides: [],
})

function include(type: string, link: string, target: string): Question {
  return {
    ...searched(type),
    line: `GET /fhir/R4/${type}?_include=${type}:${link}`,
    letters: (one) => (one === target ? 'rs' : 's'),
    besides: [{ type: target, letters: 'rs' }],
  }
}

const revinclude: Question = {
  ...searched('Observation'),
  line: 'GET /fhir/R4/Observation?_revinclude=Provenance:target',
  besides: [{ type: 'Provenance', letters: 's' }],
}

const typeHistory = (type: string): Question => ({
  ...searched(type),
  line: `GET /fhir/R4/${type}/_history`,
  letters: (one) => (one === type ? 's' : ''),
  kind: 'history',
})

const instanceHistory = (type: string, id: string): Question => ({
  ...searched(type),
  line: `GET /fhir/R4/${type}/${id}/_history`,
  letter: 'r',
  letters: (one) => (one === type ? 'r' : ''),
  id,
  kind: 'history',
})

const FORM = { body: '_count=3', headers: { 'content-type': 'application/x-www-form-urlencoded' } }

const questionAbout = (focus: string): fc.Arbitrary<Question> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(searched(focus)) },
    fc.constant<Question>({ ...searched(focus), line: `GET /fhir/R4/${focus}?_count=3&_sort=_id` }),
    fc.constant<Question>({ ...searched(focus), line: `POST /fhir/R4/${focus}/_search`, form: FORM }),
    fc.constant(typeHistory(focus)),
    fc.constant(instanceHistory(focus, focus === 'Patient' ? 'p1' : '1')),
    someType.map(searched),
    fc.constantFrom(
      include('Observation', 'patient', 'Patient'),
      include('Observation', 'performer:Practitioner', 'Practitioner'),
      include('MedicationRequest', 'medication', 'Medication'),
      revinclude,
    ),
  )

/** A token and resources, and a question about them. */
export const aboutScene: fc.Arbitrary<readonly [Scene, Question]> = fc
  .oneof({ weight: 5, arbitrary: scene }, { weight: 1, arbitrary: provenanceScene })
  .chain((one) =>
    fc.tuple(
      fc.constant(one),
      one.focus === 'Observation'
        ? fc.oneof(questionAbout(one.focus), fc.constant(revinclude))
        : questionAbout(one.focus),
    ),
  )

/** Everything that it has, in no order, with false words about each entry. */
export function liesAbout(base: string, kind: string, given: readonly Raw[], modes: readonly number[]): string {
  const entries = given.map(({ resource: { resourceType, id }, text }, i) => {
    const at = modes[i % modes.length]!
    const search = ['{"mode":"match"}', '{ "mode" : "include"}', '{"mode":"outcome"}', '{"score":1}', '{}'][at % 5]!
    const before = at % 3 === 0 ? `"search":${search},` : ''
    const after = at % 3 === 1 ? `, "search": ${search}` : ''
    return `{${before}"fullUrl":"${base}/${resourceType}/${id}", "resource" : ${text}${after}}`
  })
  return `{"resourceType":"Bundle","total":${given.length},"type":"${kind}","entry":[${entries.join(' ,')}],"link":[{"relation":"next","url":"${base}?_getpages=1"}]}`
}
