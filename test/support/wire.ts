// A second reading of HTTP/1.1 (RFC 9112), far stricter than the standard asks for and sharing no code with Node, undici or `src`: what
// the gateway sends must be read alike by everybody, so only the plainest form of a message passes. Text is latin-1, a character a byte.

export interface WireRequest {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly bytes: string
}

export interface WireAnswer {
  readonly status: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** The body ends with the connection. */
  readonly untilClose: boolean
}

/** Undefined where more bytes are needed. */
export type Read<Message> = { readonly message: Message; readonly length: number } | undefined

export class Malformed extends Error {}

const REQUEST_LINE = /^([A-Z][A-Z-]{0,19}) (\/[\x21-\x7e]*) HTTP\/1\.1$/
const STATUS_LINE = /^HTTP\/1\.1 ([1-9]\d\d) [\t\x20-\x7e]*$/
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/
const ONCE = ['host', 'content-length', 'transfer-encoding', 'authorization', 'connection', 'content-type']

export function readRequest(text: string): Read<WireRequest> {
  const head = readHead(text)
  if (head === undefined) return undefined
  const [, method = '', target = ''] = REQUEST_LINE.exec(head.line) ?? malformed(`request line ${show(head.line)}`)
  if (one(head.fields, 'host') === undefined) malformed('no host')
  const body = readBody(text.slice(head.length), head.fields, 0)
  if (body === undefined) return undefined
  const length = head.length + body.length
  return { message: { method, target, fields: head.fields, body: body.text, bytes: text.slice(0, length) }, length }
}

/** `method` is the request's; `ended` says that no more bytes will come. */
export function readAnswer(text: string, method: string, ended: boolean): Read<WireAnswer> {
  const head = readHead(text)
  if (head === undefined) return undefined
  const [, digits = ''] = STATUS_LINE.exec(head.line) ?? malformed(`status line ${show(head.line)}`)
  const status = Number(digits)
  const { fields, length } = head
  if (status < 200) return { message: { status, fields, body: '', untilClose: false }, length }
  if (status === 204 && one(fields, 'content-length') !== undefined) malformed('a length with 204')
  if (method === 'HEAD' || status === 204 || status === 304) {
    return { message: { status, fields, body: '', untilClose: false }, length }
  }
  const body = readBody(text.slice(length), fields, undefined)
  if (body === 'until-close') {
    if (!ended) return undefined
    return { message: { status, fields, body: text.slice(length), untilClose: true }, length: text.length }
  }
  return body && { message: { status, fields, body: body.text, untilClose: false }, length: length + body.length }
}

export function fieldOf({ fields }: Pick<WireRequest, 'fields'>, name: string): string | undefined {
  return one(fields, name)
}

function readHead(text: string) {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line = '', ...lines] = text.slice(0, end).split('\r\n')
  const fields = lines.map((one): [string, string] => {
    const [, name = '', value = ''] = FIELD.exec(one) ?? malformed(`field ${show(one)}`)
    return [name.toLowerCase(), value.trim()]
  })
  for (const name of ONCE) if (fields.filter(([each]) => each === name).length > 1) malformed(`${name} twice`)
  return { line, fields, length: end + 4 }
}

type Body = { readonly text: string; readonly length: number } | undefined

function readBody(text: string, fields: WireRequest['fields'], otherwise: 0): Body
function readBody(text: string, fields: WireRequest['fields'], otherwise: undefined): Body | 'until-close'
function readBody(text: string, fields: WireRequest['fields'], otherwise: 0 | undefined): Body | 'until-close' {
  const coding = one(fields, 'transfer-encoding')
  const announced = one(fields, 'content-length')
  if (coding !== undefined) {
    if (coding !== 'chunked' || announced !== undefined) malformed('framing')
    return readChunks(text)
  }
  if (announced === undefined) return otherwise === 0 ? { text: '', length: 0 } : 'until-close'
  if (!/^(?:0|[1-9]\d{0,14})$/.test(announced)) malformed(`length ${show(announced)}`)
  const length = Number(announced)
  return text.length < length ? undefined : { text: text.slice(0, length), length }
}

/** Without extensions and trailers. */
function readChunks(text: string): Body {
  let body = ''
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) return undefined
    const digits = text.slice(at, end)
    if (!/^[0-9a-fA-F]{1,12}$/.test(digits)) malformed(`chunk size ${show(digits)}`)
    const size = Number.parseInt(digits, 16)
    const after = end + 2 + size
    if (text.length < after + 2) return undefined
    if (text.slice(after, after + 2) !== '\r\n') malformed('chunk end')
    if (size === 0) return { text: body, length: after + 2 }
    body += text.slice(end + 2, after)
    at = after + 2
  }
}

function one(fields: WireRequest['fields'], name: string): string | undefined {
  return fields.find(([each]) => each === name)?.[1]
}

function malformed(what: string): never {
  throw new Malformed(what)
}

const show = (text: string): string => JSON.stringify(text.slice(0, 200))
