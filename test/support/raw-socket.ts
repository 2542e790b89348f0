// A client of bare bytes, for what an honest HTTP client would never send.

import { connect } from 'node:net'

export interface RawAnswer {
  /** Latin-1, so that each character is one byte. */
  readonly text: string
  /** The connection was reset, not ended. */
  readonly reset: boolean
}

/** Sends bytes and collects everything until the connection ends, or until `enough` says so. */
export function exchangeRaw(
  port: number,
  bytes: string | Buffer,
  enough: (text: string) => boolean = () => false,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = ''
    let reset = false
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough(text)) socket.destroy()
    })
    socket.on('error', () => {
      reset = true
    })
    socket.on('close', () => resolve({ text, reset }))
  })
}

/** One request as bytes; `fields` are whole header lines, and the connection closes after it. */
export function requestText(line: string, fields: readonly string[] = [], body = ''): string {
  return `${[`${line} HTTP/1.1`, 'Host: client.test', 'Connection: close', ...fields].join('\r\n')}\r\n\r\n${body}`
}

/** The refusal in a raw answer: status, and the gateway's code wherever the body has it. */
export function refusalIn(text: string): string {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'no answer'
  const code = /"code":"([a-z-]+)","requestId"|urn:scopegate:code","code":"([a-z-]+)"/.exec(text)
  return `${status} ${code?.[1] ?? code?.[2] ?? ''}`.trim()
}
