// One request, one whole answer, with every byte of the request line and of the fields as the test wrote it.

import { Agent, request } from 'node:http'

export interface Ask {
  /** A list (flat: name, value …) may hold a field twice. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[]
  readonly body?: string | Buffer | object
}

export interface Answer {
  readonly status: number
  /** Lower-case names; of repeated fields the values joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly rawHeaders: readonly string[]
  readonly bytes: Buffer
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any
}

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  /** `line` is `METHOD target`. */
  ask(line: string, { headers = {}, body }: Ask = {}): Promise<Answer> {
    const [method = '', path = ''] = split(line)
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const fields = Array.isArray(headers) ? [...(headers as readonly string[])] : Object.entries(headers).flat()
    const has = (name: string): boolean => fields.some((field, i) => i % 2 === 0 && field.toLowerCase() === name)
    if (bytes !== undefined && !has('content-length') && !has('transfer-encoding')) {
      fields.push('content-length', String(Buffer.byteLength(bytes)))
    }
    if (bytes !== undefined && !has('content-type')) fields.push('content-type', 'application/fhir+json')
    if (!has('host')) fields.push('host', `127.0.0.1:${this.#port}`)
    const options = { host: '127.0.0.1', port: this.#port, method, path, headers: fields, agent: this.#agent }
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => resolve(answerOf(response.statusCode!, response.rawHeaders, Buffer.concat(chunks))))
      })
      sent.on('error', reject)
      sent.end(bytes)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function answerOf(status: number, rawHeaders: readonly string[], bytes: Buffer): Answer {
  const headers: Record<string, string> = {}
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    headers[name] = headers[name] === undefined ? rawHeaders[i + 1]! : `${headers[name]}, ${rawHeaders[i + 1]}`
  }
  const text = bytes.toString('utf8')
  return { status, headers, rawHeaders, bytes, text, json: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function split(line: string): [string, string] {
  const space = line.indexOf(' ')
  return [line.slice(0, space), line.slice(space + 1)]
}

/** The gateway's own code in an answer, wherever the form of the answer puts it; undefined for an answer that is not its own. */
export function codeOf({ json, text }: Pick<Answer, 'json' | 'text'>): string | undefined {
  if (json?.resourceType === 'OperationOutcome') {
    const coding = json.issue?.[0]?.details?.coding?.[0]
    return coding?.system === 'urn:scopegate:code' ? coding.code : undefined
  }
  if (json?.requestId !== undefined) return json.code
  return /<system value="urn:scopegate:code"\/><code value="([a-z-]+)"\/>/.exec(text)?.[1]
}

/** The same of each entry of a batch-response. */
export function entryVerdicts({ json }: Answer): readonly string[] {
  return json.entry.map(({ response }: { response: { status: string; outcome?: object } }) => {
    const code = codeOf({ json: response.outcome, text: '' })
    return code === undefined ? response.status.slice(0, 3) : `${response.status} ${code}`
  })
}

/** `200`, or status and code of a refusal. */
export function verdictOf(answer: Answer): string {
  const code = codeOf(answer)
  return code === undefined ? String(answer.status) : `${answer.status} ${code}`
}

/** Of each entry where the answer is a batch-response, else the one of the whole. */
export function verdictsOf(answer: Answer): readonly string[] {
  return answer.json?.type === 'batch-response' ? entryVerdicts(answer) : [verdictOf(answer)]
}
