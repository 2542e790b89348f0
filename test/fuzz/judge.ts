// What must hold of whatever the fuzzers did, told by rules of its own: nothing here is shared with `src`.

import { fieldOf, Malformed, readAnswer, type WireAnswer, type WireRequest } from '../support/wire.ts'
import type { LogLine } from './fuzz-rig.ts'

/** By whom which requests may arrive; `undefined` is nobody, on the routes that are open. */
const MAY: readonly (readonly [subject: string | undefined, line: RegExp])[] = [
  [
    'alice',
    /^(?:GET|HEAD) \/base\/Patient(?:\/[A-Za-z0-9.-]{1,64}(?:\/_history(?:\/[A-Za-z0-9.-]{1,64})?)?|\/_history)?\/?(?:\?|$)/,
  ],
  ['alice', /^POST \/base\/Patient\/_search\/?(?:\?|$)/],
  ['alice', /^(?:GET|HEAD) \/base\/?\?(?:.*&)?_type=Patient(?:&|$)/],
  ['alice', /^(?:GET|HEAD) \/app\/read(?:\/|$)/],
  ['bob', /^(?:GET|HEAD|POST|PUT|PATCH|DELETE) \/base\/Observation(?:\/|\?|$)/],
  ['bob', /^(?:POST|PUT|PATCH|DELETE) \/app\/write(?:\/|\?|$)/],
  [undefined, /^(?:GET|HEAD) \/app\/public(?:\/|\?|$)/],
]

/** Fields that only the gateway may say, in the spelling of servers that fold separators. */
const OURS = /^(?:host|forwarded|via|x-(?:user|request-id|(?:auth|forwarded|original|scopegate)-.*))$/
const STAY = /^(?:te|trailer|upgrade|expect|proxy.*|keep-alive|authorization|x-api-key|early-data|x-http-method.*)$/

/** Why this request must not have arrived; undefined where all is well. */
export function faultOfArrival(request: WireRequest): string | undefined {
  const { method, target } = request
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  if (!/^(?:\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-F]{2})*)+$/.test(path)) return 'a path out of form'
  if (!/^(?:[A-Za-z0-9\-._~!$&'()*+,=:@/?]|%[0-9A-F]{2})*$/.test(query)) return 'a query out of form'
  if (/%(?:2F|5C|3B|25|23|3F|0.|1.|7F)/.test(path)) return 'an encoded separator'
  if (
    path
      .split('/')
      .some((part, i, all) => part === '.' || part === '..' || (part === '' && i > 0 && i < all.length - 1))
  )
    return 'a segment that collapses'
  const app = target.startsWith('/app')
  const subject = fieldOf(request, app ? 'x-user' : 'x-auth-subject')
  const may = MAY.some(([who, line]) => who === subject && line.test(`${method} ${target}`))
  if (!may) return `not permitted to ${subject ?? 'anybody'}`
  for (const [name, value] of request.fields) {
    const folded = name.replaceAll(/[^a-z0-9]/g, '-')
    if (/root|evil/.test(value) && OURS.test(folded)) return `a field of the client's: ${name}`
    if (name !== folded && OURS.test(folded)) return `an alias: ${name}`
    if (STAY.test(name)) return `a field that stays here: ${name}`
  }
  // The HTTP client closes behind HEAD by itself.
  if (!/^(?:keep-alive|close)$/.test(fieldOf(request, 'connection') ?? '')) return 'a Connection field of the client'
  return undefined
}

/** Each request that arrived was decided, once, and as what it is. */
export function faultOfDecision(
  { method, fields }: WireRequest,
  id: string | undefined,
  line: LogLine | undefined,
): string | undefined {
  if (id === undefined || fields.filter(([name]) => name === 'x-request-id').length !== 1) return 'no request id'
  if (line === undefined) return 'no decision in the log'
  if (!/^(?:forward|guard|narrow|narrow-guard)$/.test(line.outcome)) return `decided as ${line.outcome}`
  return line.method === method ? undefined : `decided as ${line.method}`
}

export interface Answers {
  readonly answers: readonly WireAnswer[]
  readonly fault?: string | undefined
  /** What the connection ended in the middle of. */
  readonly rest: string
}

/** Whole answers, one behind the other. Where the method is not known, HEAD may have been it. */
export function readAnswers(text: string, methods: readonly string[] = []): Answers {
  const answers: WireAnswer[] = []
  let rest = text
  let fault: string | undefined
  while (rest !== '') {
    const nth = answers.filter(({ status }) => status >= 200).length
    const known = methods[nth]
    const tried = known === undefined ? [attempt(rest, 'GET'), attempt(rest, 'HEAD')] : [attempt(rest, known)]
    const read = tried.find((one) => typeof one === 'object' && looksLikeAnswer(rest.slice(one.length)))
    if (read === undefined || typeof read === 'string') {
      fault = tried.find((one) => typeof one === 'string') as string | undefined
      break
    }
    answers.push(read.message)
    rest = rest.slice(read.length)
  }
  return { answers, rest, fault }
}

function attempt(text: string, method: string) {
  try {
    return readAnswer(text, method, true)
  } catch (error) {
    if (error instanceof Malformed) return error.message
    throw error
  }
}

const looksLikeAnswer = (text: string): boolean => text === '' || 'HTTP/1.1 '.startsWith(text.slice(0, 9))
