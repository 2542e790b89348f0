// Certificates made at test time, so that none lies in the checkout and expires there: X.509 v3 with P-256 keys, written in DER by
// hand, because Node reads certificates but does not make them (RFC 5280 §4.1).

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

export interface Certified {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

export interface Authority extends Certified {
  issue(subject: string, wishes?: Wishes): Certified
}

export interface Wishes {
  /** Names and IPv4 addresses; default: this machine. */
  readonly names?: readonly string[]
  /** Milliseconds since 1970. */
  readonly notBefore?: number
  readonly notAfter?: number
}

const DAY = 86_400_000
const THIS_MACHINE = ['localhost', '127.0.0.1']

/** A CA that signs itself. */
export function makeAuthority(subject = 'test authority'): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const own = certify({
    subject,
    issuer: subject,
    subjectKey: pair.publicKey,
    signer: pair.privateKey,
    extensions: [CA],
  })
  return {
    cert: own,
    key: pemOf(pair.privateKey),
    issue: (name, { names = THIS_MACHINE, notBefore, notAfter } = {}) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const cert = certify({
        subject: name,
        issuer: subject,
        subjectKey: publicKey,
        signer: pair.privateKey,
        extensions: [alternativeNames(names)],
        notBefore,
        notAfter,
      })
      return { cert, key: pemOf(privateKey) }
    },
  }
}

interface Facts {
  readonly subject: string
  readonly issuer: string
  readonly subjectKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
  readonly notBefore?: number | undefined
  readonly notAfter?: number | undefined
}

function certify(facts: Facts): string {
  const { notBefore = Date.now() - DAY, notAfter = Date.now() + DAY } = facts
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(facts.issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(facts.subject),
    facts.subjectKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...facts.extensions)),
  )
  const signature = sign('sha256', body, facts.signer)
  const whole = sequence(body, ECDSA_WITH_SHA256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = whole.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  const { length } = body
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return tagged(0x30, ...contents)
}

/** Of a positive number without leading zeros. */
function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'))
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(commonName)))))
}

/** GeneralizedTime, to the second. */
function time(milliseconds: number): Buffer {
  return tagged(0x18, Buffer.from(`${new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [tagged(0x01, Buffer.from([0xff]))] : []), tagged(0x04, value))
}

function alternativeNames(names: readonly string[]): Buffer {
  const each = names.map((name) =>
    isIP(name) === 4 ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name)),
  )
  return extension('551d11', false, sequence(...each))
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
const CA = extension('551d13', true, sequence(tagged(0x01, Buffer.from([0xff]))))
