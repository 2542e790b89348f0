// A gateway in a process of its own, started as an operator starts it, so that its memory and its processor time can be read from
// the operating system. Tokens are signed here; the route map names their key in a file.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const ROOT = join(import.meta.dirname, '../../..')
/** Linux tells the most resident memory of a process and can be told to forget it. */
export const CAN_MEASURE = existsSync('/proc/self/clear_refs')

export interface GatewayProcess {
  readonly url: string
  token(scope: string): Promise<string>
  /** Forgets the most resident memory so far. */
  forgetPeak(): void
  /** Bytes. */
  peak(): number
  resident(): number
  /** Open sockets, its own listeners among them; 0 where the system does not tell. */
  sockets(): number
  stop(): Promise<number>
}

/** `map` is the text of the route map behind `issuers:`; its FHIR routes accept the audience `urn:test`. */
export async function startGatewayProcess(map: string): Promise<GatewayProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'scopegate-'))
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }
  writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
  const issuers =
    'issuers: [{ name: test, issuer: "https://issuer.test", audience: ["urn:test"], jwksFile: jwks.json }]\n'
  writeFileSync(join(directory, 'routes.yaml'), `version: 1\n${issuers}${map}`)
  const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', join(directory, 'routes.yaml')], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)))
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /listens on (http:\S+?),/.exec(said)
      if (found !== null) resolve(found[1]!)
    })
    void ended.then((code) => reject(new Error(`the gateway ended with ${code}: ${said}`)))
  })
  const status = (field: string): number => {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
    return Number(found?.[1]) * 1024
  }
  return {
    url,
    token: (scope) =>
      new SignJWT({ scope, client_id: 'test' })
        .setProtectedHeader({ alg: 'RS256', kid: 'k', typ: 'at+jwt' })
        .setIssuer('https://issuer.test')
        .setAudience('urn:test')
        .setSubject('tester')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, '5'),
    peak: () => status('VmHWM'),
    resident: () => status('VmRSS'),
    sockets: () => (CAN_MEASURE ? openSockets(child.pid!) : 0),
    async stop() {
      child.kill('SIGTERM')
      const code = await ended
      rmSync(directory, { recursive: true, force: true })
      return code
    },
  }
}

function openSockets(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`).startsWith('socket:')).length
}

/** Of a file that was closed meanwhile, nothing. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
