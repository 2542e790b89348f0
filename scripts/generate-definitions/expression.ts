// Compiles the FHIRPath `expression` of a SearchParameter into element paths: unions, members, `as`, `as()`, `ofType()`,
// `where(resolve() is T)` and `where(member='text')`. Whatever else an expression uses makes it not expressible, never wider.

import { type Element, rootOf, type Walk } from './elements.ts'

/** Thrown where an expression needs more than a path. */
export class NotExpressible extends Error {}

const TOKEN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|'((?:[^'\\]|\\.)*)'|([().|=[\]]|\S))/y

/** The elements that the expression picks from a resource of this type; alternatives for other types are left out. */
export function compile(expression: string, type: string, walk: Walk): Element[] {
  const tokens = tokenize(expression)
  let at = 0
  const peek = (): string | undefined => tokens[at]
  const take = (expected?: string): string => {
    const token = tokens[at++]
    if (token === undefined || (expected !== undefined && token !== expected)) throw new NotExpressible(expression)
    return token
  }

  const elements = union()
  if (at < tokens.length) throw new NotExpressible(expression)
  return elements

  function union(): Element[] {
    const all = cast()
    while (peek() === '|') {
      take('|')
      all.push(...cast())
    }
    return all
  }

  // `as` binds tighter than `|` and looser than `.` (FHIRPath §precedence).
  function cast(): Element[] {
    let elements = invocation()
    while (peek() === 'as') {
      take('as')
      elements = narrowed(elements, take())
    }
    return elements
  }

  function invocation(): Element[] {
    let elements = term()
    for (;;) {
      if (peek() === '.') {
        take('.')
        const name = take()
        elements = peek() === '(' ? call(name, elements) : elements.flatMap((element) => walk(element, name))
      } else if (peek() === '[') {
        // Applied to nothing, as in the alternatives for other types, an index is still nothing.
        if (elements.length > 0) throw new NotExpressible(expression)
        while (take() !== ']');
      } else {
        return elements
      }
    }
  }

  function term(): Element[] {
    if (peek() === '(') {
      take('(')
      const elements = union()
      take(')')
      return elements
    }
    const name = take()
    if (!/^[A-Za-z]/.test(name)) throw new NotExpressible(expression)
    if (name === type || name === 'Resource' || name === 'DomainResource') return [rootOf(type)]
    return /^[A-Z]/.test(name) ? [] : walk(rootOf(type), name)
  }

  function call(name: string, elements: Element[]): Element[] {
    take('(')
    if (name === 'as' || name === 'ofType') {
      const wanted = take()
      take(')')
      return narrowed(elements, wanted)
    }
    if (name === 'where') return where(elements)
    if (elements.length > 0) throw new NotExpressible(expression)
    for (let depth = 1; depth > 0; ) depth += { '(': 1, ')': -1 }[take()] ?? 0
    return []
  }

  function where(elements: Element[]): Element[] {
    const left = take()
    if (left === 'resolve') {
      for (const token of ['(', ')', 'is']) take(token)
      const only = take()
      take(')')
      if (elements.some(({ datatype }) => datatype !== 'Reference')) throw new NotExpressible(expression)
      return elements.map((element) => ({ ...element, only }))
    }
    take('=')
    const value = take()
    take(')')
    if (!value.startsWith("'")) throw new NotExpressible(expression)
    return elements.map((element) => filtered(element, left, value.slice(1)))
  }

  function filtered(element: Element, member: string, value: string): Element {
    const found = walk(element, member)
    const text =
      found.length === 1 &&
      ['code', 'string', 'uri'].includes(found[0]!.datatype) &&
      !found[0]!.steps.at(-1)!.endsWith('*')
    if (!text || !/^[A-Za-z0-9-]+$/.test(value)) throw new NotExpressible(expression)
    const last = element.steps.at(-1)!
    return { ...element, steps: [...element.steps.slice(0, -1), `${last}[${member}=${value}]`] }
  }
}

// A cast keeps the elements of that very datatype; on an element of another datatype it gives nothing.
function narrowed(elements: Element[], datatype: string): Element[] {
  return elements.filter((element) => element.datatype === datatype)
}

// Strings keep a leading quote, so that they cannot be taken for names.
function tokenize(expression: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const match = TOKEN.exec(expression)
    if (match === null) throw new NotExpressible(expression)
    tokens.push(match[2] === undefined ? (match[1] ?? match[3]!) : `'${match[2]}`)
  }
  return tokens
}
