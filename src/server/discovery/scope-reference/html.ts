// HTML by template: every value that is put in is escaped, unless it is itself such a template. The only way to make HTML here.
// INVARIANT: attribute values always stand in double quotes in the templates.

declare const escaped: unique symbol

export interface Html {
  readonly [escaped]: true
  readonly text: string
}

export type Part = Html | string | number | false | undefined | readonly Part[]

export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = literals[0]!
  for (const [index, part] of parts.entries()) text += print(part) + literals[index + 1]!
  return { text } as Html
}

function print(part: Part): string {
  if (part === undefined || part === false) return ''
  if (typeof part === 'string') return encode(part)
  if (typeof part === 'number') return String(part)
  if (isHtml(part)) return part.text
  return part.map(print).join('')
}

function isHtml(part: Html | readonly Part[]): part is Html {
  return 'text' in part
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function encode(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
