// The compiler of FHIRPath expressions in the generator: what it understands, and that everything else is refused, not narrowed to
// the part it understands.

import { expect, test } from 'vitest'
import { type Element, rootOf, type Walk } from '../../../scripts/generate-definitions/elements.ts'
import { compile, NotExpressible } from '../../../scripts/generate-definitions/expression.ts'

// Thing { name: string, part*: { kind: code, value[x]: string | Quantity, who: Reference }, subject: Reference }
const MEMBERS: Readonly<Record<string, readonly [step: string, datatype: string][]>> = {
  'Thing.name': [['name', 'string']],
  'Thing.subject': [['subject', 'Reference']],
  'Thing.part': [['part*', 'BackboneElement']],
  'Thing.part.kind': [['kind', 'code']],
  'Thing.part.value': [
    ['valueString', 'string'],
    ['valueQuantity', 'Quantity'],
  ],
  'Thing.part.who': [['who', 'Reference']],
  'Quantity.unit': [['unit', 'string']],
}

const walk: Walk = (from, member) =>
  (MEMBERS[`${from.path}.${member}`] ?? []).map(([step, datatype]) => ({
    steps: [...from.steps, step],
    datatype,
    path: datatype === 'BackboneElement' ? `${from.path}.${member}` : datatype,
    choice: false,
  }))

const printed = (elements: readonly Element[]): string[] =>
  elements.map(({ steps, datatype, only }) => `${steps.join('.')}:${datatype}${only === undefined ? '' : `>${only}`}`)

test.each([
  ['Thing.name', ['name:string']],
  ['name', ['name:string']],
  ['Thing.part.value', ['part*.valueString:string', 'part*.valueQuantity:Quantity']],
  ['(Thing.part.value as Quantity)', ['part*.valueQuantity:Quantity']],
  ['Thing.part.value as Quantity | Thing.name', ['part*.valueQuantity:Quantity', 'name:string']],
  ['Thing.part.value.as(Quantity)', ['part*.valueQuantity:Quantity']],
  ['(Thing.part.value.ofType(Quantity)).unit', ['part*.valueQuantity.unit:string']],
  ['Other.name | Thing.name', ['name:string']],
  ['Other.name.exists() | Thing.name', ['name:string']],
  ['Other.entry[0].resource | Thing.name', ['name:string']],
  ["Thing.part.where(kind='a-b').who", ['part*[kind=a-b].who:Reference']],
  ['Thing.subject.where(resolve() is Patient)', ['subject:Reference>Patient']],
  ['Thing.part.who.where(resolve() is Patient) | Thing.subject', ['part*.who:Reference>Patient', 'subject:Reference']],
  ['Thing.unknown', []],
  ['Thing.part.value as Range', []],
  ['Other.anything', []],
])('%s', (expression, expected) => {
  expect(printed(compile(expression, 'Thing', walk))).toEqual(expected)
})

test.each([
  'Thing.name.exists()',
  'Thing.name.first()',
  'Thing.part[0].who',
  'Thing.name and Thing.subject',
  "Thing.name = 'x'",
  "Thing.name != 'x'",
  "Thing.part.where(kind='a' or kind='b').who",
  'Thing.part.where(kind=name).who',
  "Thing.part.where(value='a').who",
  "Thing.part.where(kind='a]').who",
  'Thing.part.where(kind.exists()).who',
  'Thing.name.where(resolve() is Patient)',
  '(Thing.name',
  'Thing.name)',
  'Thing.name |',
  '',
  "'text'",
  'Thing..name',
])('%s is not a path', (expression) => {
  expect(() => compile(expression, 'Thing', walk)).toThrow(NotExpressible)
})

test('Resource stands for the type itself', () => {
  expect(compile('Resource', 'Thing', walk)).toEqual([rootOf('Thing')])
})
