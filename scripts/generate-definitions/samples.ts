// Writes test material: for each search parameter that is a path, its official expression, and sample resources that hold every
// element the expressions speak of, with each datatype of a choice in turn. The tests ask a FHIRPath library and the tables alike.

import { type Element, rootOf, type Walk, walker } from './elements.ts'
import type { Source } from './packages.ts'

export interface SampleType {
  type: string
  /** By parameter code; alternatives for other types left out. */
  expressions: Record<string, string>
  resources: Record<string, unknown>[]
}

export function samplesOf(source: Source, type: string, evaluable: ReadonlySet<string>): SampleType {
  const own = source.parameters.filter(({ base, code }) => base!.includes(type) && evaluable.has(code))
  const expressions = Object.fromEntries(
    own.map(({ code, expression }) => [code, alternativesFor(type, expression!)] as const).sort(),
  )
  const words = new Set(Object.values(expressions).flatMap((expression) => expression.match(/[A-Za-z]+/g) ?? []))
  const types = [
    ...new Set(
      Object.values(expressions).flatMap((text) => [...text.matchAll(/ is ([A-Za-z]+)/g)].map((found) => found[1]!)),
    ),
  ]
  const sample = sampler(walker(source), words, literalsOf(Object.values(expressions)), [...types, 'Group'])
  const first = sample(type, 0)
  const others = Array.from({ length: first.rounds - 1 }, (_, round) => sample(type, round + 1))
  return { type, expressions, resources: [first, ...others].map(({ resource }) => resource) }
}

function alternativesFor(type: string, expression: string): string {
  const alternatives = splitUnion(expression).filter((text) => {
    const head = /[A-Za-z]+/.exec(text)![0]
    return head === type || !/^[A-Z]/.test(head)
  })
  return alternatives.join(' | ')
}

function splitUnion(expression: string): string[] {
  const parts = ['']
  let depth = 0
  for (const character of expression) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0
    if (character === '|' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}

function literalsOf(expressions: string[]): Map<string, string[]> {
  const literals = new Map<string, string[]>()
  for (const [, member, value] of expressions.flatMap((text) => [...text.matchAll(/([a-z]+)='([^']+)'/g)])) {
    literals.set(member!, [...new Set([...(literals.get(member!) ?? []), value!])])
  }
  return literals
}

// Only elements whose names the expressions use are filled in; each leaf gets a value of its own.
function sampler(walk: Walk, words: ReadonlySet<string>, literals: ReadonlyMap<string, string[]>, targets: string[]) {
  let serial = 0
  let rounds = 1

  return function sample(type: string, round: number): { resource: Record<string, unknown>; rounds: number } {
    const members = build(rootOf(type), round, 0)
    return { resource: { resourceType: type, ...members }, rounds }
  }

  function build(from: Element, round: number, depth: number): Record<string, unknown> {
    const members: Record<string, unknown> = {}
    for (const word of words) {
      const choices = walk(from, word)
      rounds = Math.max(rounds, choices.length)
      const chosen = choices[round % Math.max(1, choices.length)]
      if (chosen === undefined || depth > 5) continue
      const name = chosen.steps.at(-1)!
      const item = (): unknown => contentOf(chosen, word, round, depth)
      members[name.replace('*', '')] = name.endsWith('*') ? [item(), item()] : item()
    }
    return members
  }

  function contentOf(element: Element, word: string, round: number, depth: number): unknown {
    serial++
    const texts = literals.get(word)
    switch (element.datatype) {
      case 'Reference':
        return { reference: `${targets[serial % targets.length]}/r${serial}` }
      case 'CodeableConcept':
        return { coding: [{ system: 'urn:s', code: `c${serial}` }], text: `t${serial}` }
      case 'BackboneElement':
      case 'Element':
        return build(element, round, depth + 1)
      case 'Resource':
        return { resourceType: 'Basic', id: `b${serial}` }
      default: {
        if (/^[A-Z]/.test(element.datatype)) return { id: `e${serial}`, ...build(element, round, depth + 1) }
        if (element.datatype === 'boolean') return serial % 2 === 0
        return texts === undefined ? `v${serial}` : [...texts, 'other'][serial % (texts.length + 1)]
      }
    }
  }
}
